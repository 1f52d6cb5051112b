/* SPDX-License-Identifier: BSD-3-Clause */
/* Rectifier whose factor on negative inputs is trained, one for all or one per channel (He, Zhang, Ren, Sun:
 * "Delving deep into rectifiers", ICCV 2015). The factor may become negative, so backward needs the input. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "nn/kinds.h"

typedef struct prelu_options {
  bool per_channel;
  double slope;
} prelu_options;

static const ls_key keys[] = {
    {.path = "per_channel",
     .type = LS_KEY_BOOL,
     .offset = offsetof(prelu_options, per_channel),
     .preset = "false",
     .unit = "",
     .doc = "Train a factor for each channel instead of one for all."},
    {.path = "slope",
     .type = LS_KEY_REAL,
     .offset = offsetof(prelu_options, slope),
     .preset = "0.25",
     .min = -1.0,
     .max = 1.0,
     .unit = "",
     .doc = "Factor on negative inputs that training starts with."},
};

enum { BLOCK_PIXELS = 64 }; /* summed in float before the sum goes into the double */

/* A vector of doubles and two of floats, per channel. */
enum { SUM_FLOATS = sizeof(double) / sizeof(float), SCRATCH_FLOATS = SUM_FLOATS + 2 };

static ls_status create(ls_layer *layer, const void *options, ls_build *build)
{
  prelu_options *self;
  LS_PASS(ls_alloc(&self, 1, sizeof *self, "a prelu layer"));
  memcpy(self, options, sizeof *self);
  layer->impl = self;
  layer->out = layer->in;
  const size_t slopes = self->per_channel ? layer->in.c : 1;
  LS_PASS(ls_build_param(build, layer, "weight", &slopes, 1, false));
  layer->grad_count = slopes;
  layer->scratch_count = SCRATCH_FLOATS * layer->in.c;
  return LS_OK;
}

static void destroy(ls_layer *layer)
{
  free(layer->impl);
}

static void init(const ls_layer *layer, uint64_t seed, float *params, float *buffers)
{
  (void)seed, (void)buffers;
  const prelu_options *self = layer->impl;
  for (size_t i = 0; i < layer->param_count; i++) params[layer->param_offset + i] = (float)self->slope;
}

/* The factors, one per channel. */
static const float *find_slopes(const ls_layer *layer, const ls_pass *pass, float *scratch)
{
  const float *weight = pass->params + layer->param_offset;
  float *slopes = scratch + SUM_FLOATS * layer->in.c;
  for (size_t c = 0; c < layer->in.c; c++) slopes[c] = weight[layer->param_count > 1 ? c : 0];
  return slopes;
}

static void forward(const ls_layer *layer, const ls_pass *pass, const float *x, float *y, float *saved,
                    float *scratch)
{
  (void)saved;
  const size_t channels = layer->in.c, pixels = pass->n * layer->in.h * layer->in.w;
  const float *restrict slopes = find_slopes(layer, pass, scratch);
  for (size_t p = 0; p < pixels; p++, x += channels, y += channels)
    for (size_t c = 0; c < channels; c++) y[c] = x[c] > 0.0F ? x[c] : slopes[c] * x[c];
}

/* sums[c] of dy * x where x is negative. */
static void sum_slope_gradients(const float *x, const float *dy, size_t pixels, size_t channels, double *sums,
                                float *restrict partial)
{
  memset(sums, 0, channels * sizeof *sums);
  for (size_t first = 0; first < pixels; first += BLOCK_PIXELS) {
    const size_t end = first + ls_size_min(BLOCK_PIXELS, pixels - first);
    memset(partial, 0, channels * sizeof *partial);
    for (size_t p = first; p < end; p++)
      for (size_t c = 0; c < channels; c++) {
        const size_t i = p * channels + c;
        partial[c] += x[i] > 0.0F ? 0.0F : dy[i] * x[i];
      }
    for (size_t c = 0; c < channels; c++) sums[c] += (double)partial[c];
  }
}

static void slope_gradients(const ls_layer *layer, const ls_pass *pass, const float *x, const float *dy,
                            float *scratch)
{
  const size_t channels = layer->in.c, pixels = pass->n * layer->in.h * layer->in.w;
  double *sums = (double *)(void *)scratch;
  float *grads = ls_layer_grads(layer, pass);
  if (!grads) return;
  sum_slope_gradients(x, dy, pixels, channels, sums, scratch + SUM_FLOATS * channels);
  if (layer->param_count < channels)
    for (size_t c = 1; c < channels; c++) sums[0] += sums[c];
  for (size_t i = 0; i < layer->param_count; i++) grads[i] += (float)sums[i];
}

static void backward(const ls_layer *layer, const ls_pass *pass, const float *x, const float *y, float *dy,
                     float *dx, float *saved, float *scratch)
{
  (void)y, (void)saved;
  const size_t channels = layer->in.c, pixels = pass->n * layer->in.h * layer->in.w;
  slope_gradients(layer, pass, x, dy, scratch);
  if (!dx) return;
  const float *restrict slopes = find_slopes(layer, pass, scratch);
  for (size_t p = 0; p < pixels; p++, x += channels, dy += channels, dx += channels)
    for (size_t c = 0; c < channels; c++) dx[c] = x[c] > 0.0F ? dy[c] : slopes[c] * dy[c];
}

static void express(const ls_layer *layer, const ls_expression *to)
{
  ls_operator op = {.name = "PRelu", .inputs = {ls_input(LS_FORM_IMAGE), ls_tensor_called("weight")}};
  if (layer->param_count > 1) op.inputs[1] = ls_operand_of_channels("weight", layer->in.c);
  to->add(to->user, &op);
}

static void describe(const ls_layer *layer, ls_text *text)
{
  const prelu_options *self = layer->impl;
  ls_text_add(text, "from slope %g%s", self->slope, self->per_channel ? ", per channel" : "");
}

const ls_layer_kind ls_layer_prelu = {
    .schema = {.name = "prelu",
               .doc = "Rectifier that lets a trained fraction of negative inputs pass.",
               .keys = keys,
               .key_count = sizeof keys / sizeof *keys,
               .options_bytes = sizeof(prelu_options)},
    .role = LS_ROLE_RECTIFIER,
    .in_place = true,
    .backward_reads_x = true,
    .create = create,
    .destroy = destroy,
    .init = init,
    .forward = forward,
    .backward = backward,
    .express = express,
    .describe = describe,
};
