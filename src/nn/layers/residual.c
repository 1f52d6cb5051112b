/* SPDX-License-Identifier: BSD-3-Clause */
/* Residual block: y = body(x) + shortcut(x), where an empty shortcut is the identity
 * (He, Zhang, Ren, Sun: "Deep residual learning for image recognition", CVPR 2016).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "nn/kinds.h"
#include "nn/sequence.h"

typedef struct residual_options {
  ls_layer_list body, shortcut;
} residual_options;

static const ls_key keys[] = {
    {.path = "body",
     .type = LS_KEY_LAYERS,
     .offset = offsetof(residual_options, body),
     .min = 1,
     .max = INFINITY,
     .unit = "",
     .doc = "The layers of the block."},
    {.path = "shortcut",
     .type = LS_KEY_LAYERS,
     .offset = offsetof(residual_options, shortcut),
     .preset = "[]",
     .unit = "",
     .doc = "Layers on the way past the body, to fit its shape; none: the input itself."},
};

typedef struct residual {
  ls_sequence body, shortcut; /* shortcut.count 0: identity */
  bool body_in_y;             /* the body writes into y, because its backward does not read its output */
  size_t body_y, shortcut_y, body_saved, shortcut_saved; /* offsets in saved */
  size_t dx_scratch, inner_scratch;                      /* offsets in scratch; dy's copy lies at 0 */
} residual;

static void plan(ls_layer *layer, residual *self)
{
  const size_t in = ls_floats_aligned(layer->microbatch * ls_shape_count(layer->in));
  const size_t out = ls_floats_aligned(layer->microbatch * ls_shape_count(layer->out));
  const bool has_shortcut = self->shortcut.count > 0;
  self->body_in_y = !ls_sequence_reads_y(&self->body);
  self->shortcut_y = self->body_in_y ? 0 : out;
  self->body_saved = self->shortcut_y + (has_shortcut ? out : 0);
  self->shortcut_saved = self->body_saved + ls_floats_aligned(self->body.saved_count);
  layer->saved_count = self->shortcut_saved + self->shortcut.saved_count;
  self->dx_scratch = out;
  self->inner_scratch = out + (has_shortcut ? in : 0);
  layer->scratch_count =
      self->inner_scratch + ls_size_max(self->body.scratch_count, self->shortcut.scratch_count);
  for (size_t i = 0; i < self->body.count; i++) layer->macs += self->body.items[i].layer.macs;
  for (size_t i = 0; i < self->shortcut.count; i++) layer->macs += self->shortcut.items[i].layer.macs;
}

static ls_status create(ls_layer *layer, const void *options_of_kind, ls_build *build)
{
  const residual_options *options = options_of_kind;
  residual *self;
  LS_PASS(ls_alloc(&self, 1, sizeof *self, "a residual block"));
  layer->impl = self;
  char prefix[LS_LAYER_NAME_BYTES + 16];
  ls_sequence_place place = {.prefix = prefix, .input_is_data = layer->input_is_data, .next = build->next};
  snprintf(prefix, sizeof prefix, "%s.", layer->name);
  LS_PASS(ls_sequence_init(&self->body, &options->body, layer->in, &place, build));
  layer->out = self->body.out;
  ls_shape past = layer->in;
  if (options->shortcut.count > 0) {
    snprintf(prefix, sizeof prefix, "%s.shortcut.", layer->name);
    LS_PASS(ls_sequence_init(&self->shortcut, &options->shortcut, layer->in, &place, build));
    past = self->shortcut.out;
  }
  if (past.c != layer->out.c || past.h != layer->out.h || past.w != layer->out.w)
    return ls_fail(
        LS_E_CONFIG,
        "the body gives %zux%zux%zu (channels, rows, columns), but the shortcut %zux%zux%zu: give the "
        "shortcut layers that make them equal, such as a conv of kernel 1",
        layer->out.c, layer->out.h, layer->out.w, past.c, past.h, past.w);
  plan(layer, self);
  return LS_OK;
}

static void destroy(ls_layer *layer)
{
  residual *self = layer->impl;
  if (!self) return;
  ls_sequence_fini(&self->body);
  ls_sequence_fini(&self->shortcut);
  free(self);
}

static void init(const ls_layer *layer, uint64_t seed, float *params, float *buffers)
{
  const residual *self = layer->impl;
  ls_sequence_init_params(&self->body, seed, params, buffers);
  ls_sequence_init_params(&self->shortcut, seed, params, buffers);
}

static void update_buffers(const ls_layer *layer, const float *stats, float *buffers)
{
  const residual *self = layer->impl;
  ls_sequence_update_buffers(&self->body, stats, buffers);
  ls_sequence_update_buffers(&self->shortcut, stats, buffers);
}

static void forward(const ls_layer *layer, const ls_pass *pass, const float *x, float *y, float *saved,
                    float *scratch)
{
  const residual *self = layer->impl;
  const size_t count = pass->n * ls_shape_count(layer->out);
  float *body_y = self->body_in_y ? y : saved;
  const float *past = x;
  float *inner = scratch + self->inner_scratch;
  ls_sequence_forward(&self->body, pass, x, body_y, saved + self->body_saved, inner);
  if (self->shortcut.count > 0) {
    past = saved + self->shortcut_y;
    ls_sequence_forward(&self->shortcut, pass, x, saved + self->shortcut_y, saved + self->shortcut_saved,
                        inner);
  }
  for (size_t i = 0; i < count; i++) y[i] = body_y[i] + past[i];
}

static void backward(const ls_layer *layer, const ls_pass *pass, const float *x, const float *y, float *dy,
                     float *dx, float *saved, float *scratch)
{
  const residual *self = layer->impl;
  const size_t in = pass->n * ls_shape_count(layer->in);
  const float *body_y = self->body_in_y ? y : saved;
  float *inner = scratch + self->inner_scratch;
  float *past_dx = dy;
  ls_pass inside = *pass;
  inside.done = NULL; /* the gradients of the shortcut lie after those of the body, and are made later */
  memcpy(scratch, dy, pass->n * ls_shape_count(layer->out) * sizeof *dy);
  ls_sequence_backward(&self->body, &inside, x, body_y, scratch, dx, saved + self->body_saved, inner);
  if (self->shortcut.count > 0) {
    past_dx = dx ? scratch + self->dx_scratch : NULL;
    ls_sequence_backward(&self->shortcut, &inside, x, saved + self->shortcut_y, dy, past_dx,
                         saved + self->shortcut_saved, inner);
  }
  if (!dx) return;
  for (size_t i = 0; i < in; i++) dx[i] += past_dx[i];
}

static void visit(const ls_layer *layer, void (*visit_inner)(const ls_layer *inner, size_t depth, void *user),
                  size_t depth, void *user)
{
  const residual *self = layer->impl;
  ls_sequence_visit(&self->body, visit_inner, depth, user);
  ls_sequence_visit(&self->shortcut, visit_inner, depth, user);
}

const ls_layer_kind ls_layer_residual = {
    .schema = {.name = "residual",
               .doc = "Adds the output of its body to its input, or to that of its shortcut.",
               .keys = keys,
               .key_count = sizeof keys / sizeof *keys,
               .options_bytes = sizeof(residual_options)},
    .role = LS_ROLE_NEUTRAL,
    .backward_reads_x = true,
    .create = create,
    .destroy = destroy,
    .init = init,
    .update_buffers = update_buffers,
    .forward = forward,
    .backward = backward,
    .visit = visit,
};
