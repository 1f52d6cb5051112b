/* SPDX-License-Identifier: BSD-3-Clause */
/* Dense layer: y = W x + b for vectors of features. Its gradient has the layout of its parameters, so there
 * is nothing to unpack. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "kernels/affine.h"
#include "nn/init.h"
#include "nn/kinds.h"
#include "kernels/profile.h"

typedef struct dense_options {
  size_t units;
  bool bias;
  int init; /* ls_init */
} dense_options;

typedef struct dense {
  ls_affine affine;
  size_t weight_count;
  bool bias;
  ls_init init;
} dense;

static const ls_key keys[] = {
    {.path = "units",
     .type = LS_KEY_COUNT,
     .offset = offsetof(dense_options, units),
     .min = 1,
     .max = INT_MAX,
     .unit = "features",
     .doc = "Number of outputs."},
    {.path = "bias",
     .type = LS_KEY_BOOL,
     .offset = offsetof(dense_options, bias),
     .preset = "true",
     .unit = "",
     .doc = "Add a trained constant to each output."},
    {.path = "init",
     .type = LS_KEY_WORD,
     .offset = offsetof(dense_options, init),
     .preset = "auto",
     .words = ls_init_words,
     .unit = "",
     .doc = "Initializer of the weights; auto chooses by the activation that follows."},
};

static ls_status create(ls_layer *layer, const void *options_of_kind, ls_build *build)
{
  const dense_options *options = options_of_kind;
  if (layer->in.h != 1 || layer->in.w != 1)
    return ls_fail(LS_E_CONFIG,
                   "a dense layer takes a vector, its input is %zux%zux%zu (channels, rows, "
                   "columns): put a flatten layer before",
                   layer->in.c, layer->in.h, layer->in.w);
  dense *self;
  LS_PASS(ls_alloc(&self, 1, sizeof *self, "a dense layer"));
  layer->impl = self;
  if (!ls_size_mul(layer->in.c, options->units, &self->weight_count) || self->weight_count > INT_MAX)
    return ls_fail(LS_E_CONFIG, "%zu inputs times %zu units are more than %d weights", layer->in.c,
                   options->units, INT_MAX);
  self->bias = options->bias;
  self->init = ls_init_resolve((ls_init)options->init, ls_build_next(build));
  layer->out = (ls_shape){.c = options->units, .h = 1, .w = 1};
  layer->macs = self->weight_count;
  const size_t dims[] = {options->units, layer->in.c};
  LS_PASS(ls_build_param(build, layer, "weight", dims, 2, true));
  if (self->bias) LS_PASS(ls_build_param(build, layer, "bias", dims, 1, false));
  self->affine =
      (ls_affine){.in = layer->in.c, .out = options->units, .taps = 1, .input_is_data = layer->input_is_data};
  LS_PASS(ls_affine_plan(&self->affine, layer->microbatch));
  layer->grad_count = self->weight_count + (self->bias ? options->units : 0);
  layer->packed_count = self->affine.packed_count;
  layer->piece_params = LS_AFFINE_PANEL * layer->in.c;
  layer->scratch_count = self->affine.scratch_count;
  return LS_OK;
}

static void destroy(ls_layer *layer)
{
  dense *self = layer->impl;
  if (self) ls_affine_fini(&self->affine);
  free(self);
}

static void init(const ls_layer *layer, uint64_t seed, float *params, float *buffers)
{
  (void)buffers;
  const dense *self = layer->impl;
  float *weights = params + layer->param_offset;
  const ls_fans fans = {.in = layer->in.c, .out = layer->out.c};
  ls_init_fill(self->init, seed, layer->index, fans, weights, self->weight_count);
  if (self->bias) memset(weights + self->weight_count, 0, layer->out.c * sizeof *weights);
}

/* A piece is a panel; a last one may hold nothing but biases. */
static void pack(const ls_layer *layer, const float *params, float *packed, size_t piece)
{
  const dense *self = layer->impl;
  const size_t first = piece * LS_AFFINE_PANEL;
  if (first < layer->out.c)
    ls_affine_pack_panel(&self->affine, params + layer->param_offset, packed + layer->packed_offset, first);
}

static ls_kernel_pass kernel_pass(const ls_layer *layer, const ls_pass *pass, float *scratch)
{
  const dense *self = layer->impl;
  const float *bias = self->bias ? pass->params + layer->param_offset + self->weight_count : NULL;
  ls_kernel_pass kernels = ls_layer_kernels(layer, pass, bias, scratch);
  kernels.done = pass->done;
  kernels.waiting = pass->waiting;
  kernels.grad_offset = layer->grad_offset;
  return kernels;
}

static void forward(const ls_layer *layer, const ls_pass *pass, const float *x, float *y, float *saved,
                    float *scratch)
{
  (void)saved;
  const dense *self = layer->impl;
  const ls_kernel_pass kernels = kernel_pass(layer, pass, scratch);
  ls_affine_forward(&self->affine, &kernels, x, y);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const float *x, const float *y, float *dy,
                     float *dx, float *saved, float *scratch)
{
  (void)y, (void)saved;
  const dense *self = layer->impl;
  const ls_kernel_pass kernels = kernel_pass(layer, pass, scratch);
  if (pass->grads) {
    float *dw = pass->grads + layer->grad_offset, *db = dw + self->weight_count;
    if (self->bias && !pass->accumulate) memset(db, 0, layer->out.c * sizeof *db);
    if (self->bias) ls_add_rows(dy, pass->n, layer->out.c, db);
    ls_affine_backward_weights(&self->affine, &kernels, x, dy, dw);
    ls_profile_lap(pass->profile, layer->index, LS_PHASE_BACKWARD_WEIGHTS);
  }
  if (dx) ls_affine_backward_data(&self->affine, &kernels, dy, dx);
}

static void express(const ls_layer *layer, const ls_expression *to)
{
  const dense *self = layer->impl;
  ls_operator op = {
      .name = "Gemm",
      .inputs = {ls_input(LS_FORM_VECTOR), ls_tensor_called("weight"), ls_tensor_called("bias")},
      .attributes = {ls_integer("transB", 1)},
      .gives = LS_FORM_VECTOR};
  if (!self->bias) op.inputs[2].source = LS_OPERAND_END;
  to->add(to->user, &op);
}

static void describe(const ls_layer *layer, ls_text *text)
{
  const dense *self = layer->impl;
  ls_text_add(text, "%zu units%s", layer->out.c, self->bias ? "" : ", no bias");
}

const ls_layer_kind ls_layer_dense = {
    .schema = {.name = "dense",
               .doc = "Fully connected: every output is a weighted sum of all inputs.",
               .keys = keys,
               .key_count = sizeof keys / sizeof *keys,
               .options_bytes = sizeof(dense_options)},
    .backward_reads_x = true,
    .create = create,
    .destroy = destroy,
    .init = init,
    .pack = pack,
    .forward = forward,
    .backward = backward,
    .express = express,
    .describe = describe,
};
