/* SPDX-License-Identifier: BSD-3-Clause */
/* Ghost batch normalization: the statistics are those of the micro-batch, over samples and pixels, per
 * channel (Ioffe and Szegedy, ICML 2015; Hoffer, Hubara, Soudry: "Train longer, generalize better", NIPS
 * 2017).
 *
 *   y = weight * (x - mean) / sqrt(var + epsilon) + bias
 *
 * var is the biased variance; the running one takes the unbiased, as PyTorch. One value has no variance:
 * training on one is refused (ls_model_needs_samples()). Sums go over rows of channels, so the loops
 * vectorize.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "nn/kinds.h"

typedef struct batchnorm_options {
  double epsilon, momentum;
} batchnorm_options;

static const ls_key keys[] = {
    {.path = "epsilon",
     .type = LS_KEY_REAL,
     .offset = offsetof(batchnorm_options, epsilon),
     .preset = "1e-05",
     .min = 0.0,
     .max = 1.0,
     .min_open = true,
     .unit = "",
     .doc = "Added to the variance before its root is taken."},
    {.path = "momentum",
     .type = LS_KEY_REAL,
     .offset = offsetof(batchnorm_options, momentum),
     .preset = "0.1",
     .min = 0.0,
     .max = 1.0,
     .unit = "",
     .doc = "Weight of the newest step in the running statistics."},
};

/* What forward keeps, per channel. */
enum { SAVED_MEAN, SAVED_INVERSE, SAVED_VECTORS };

/* Two sums in double per channel, in floats of scratch. */
enum { SUM_FLOATS = 2 * sizeof(double) / sizeof(float) };

static ls_status create(ls_layer *layer, const void *options, ls_build *build)
{
  batchnorm_options *self;
  LS_PASS(ls_alloc(&self, 1, sizeof *self, "a batchnorm layer"));
  memcpy(self, options, sizeof *self);
  layer->impl = self;
  layer->out = layer->in;
  const size_t channels = layer->in.c;
  LS_PASS(ls_build_param(build, layer, "weight", &channels, 1, false));
  LS_PASS(ls_build_param(build, layer, "bias", &channels, 1, false));
  LS_PASS(ls_build_buffer(build, layer, "running_mean", channels));
  LS_PASS(ls_build_buffer(build, layer, "running_var", channels));
  layer->grad_count = 2 * channels;
  layer->saved_count = SAVED_VECTORS * channels;
  layer->scratch_count = (SUM_FLOATS + 3) * channels;
  return LS_OK;
}

static void destroy(ls_layer *layer)
{
  free(layer->impl);
}

static void init(const ls_layer *layer, uint64_t seed, float *params, float *buffers)
{
  (void)seed;
  for (size_t c = 0; c < layer->in.c; c++) {
    params[layer->param_offset + c] = 1.0F;
    params[layer->param_offset + layer->in.c + c] = 0.0F;
    buffers[layer->buffer_offset + c] = 0.0F;
    buffers[layer->buffer_offset + layer->in.c + c] = 1.0F;
  }
}

static void update_buffers(const ls_layer *layer, const float *stats, float *buffers)
{
  const batchnorm_options *self = layer->impl;
  const float momentum = (float)self->momentum;
  for (size_t i = layer->buffer_offset; i < layer->buffer_offset + layer->buffer_count; i++)
    buffers[i] = (1.0F - momentum) * buffers[i] + momentum * stats[i];
}

static size_t pixels_of(const ls_layer *layer, const ls_pass *pass)
{
  return pass->n * layer->in.h * layer->in.w;
}

static inline void add_values(const float *x, size_t channels, float *sum)
{
  for (size_t c = 0; c < channels; c++) sum[c] += x[c];
}

static inline void add_squares(const float *x, const float *mean, size_t channels, float *sum)
{
  for (size_t c = 0; c < channels; c++) {
    const float distance = x[c] - mean[c];
    sum[c] += distance * distance;
  }
}

enum {
  BLOCK_PIXELS = 64
}; /* summed in float before the sum goes into the double: fast, and safe when long */

/* sum[c] of the pixels, or, with a mean, of their squared distances from it. */
static inline void sum_pixels(const float *x, size_t pixels, size_t channels, const float *mean, double *sum,
                              float *partial)
{
  memset(sum, 0, channels * sizeof *sum);
  for (size_t first = 0; first < pixels; first += BLOCK_PIXELS) {
    const size_t end = pixels - first < BLOCK_PIXELS ? pixels : first + BLOCK_PIXELS;
    memset(partial, 0, channels * sizeof *partial);
    for (size_t p = first; p < end; p++)
      if (mean)
        add_squares(x + p * channels, mean, channels, partial);
      else
        add_values(x + p * channels, channels, partial);
    for (size_t c = 0; c < channels; c++) sum[c] += (double)partial[c];
  }
}

static void find_mean(const float *x, size_t pixels, size_t channels, double *sum, float *partial,
                      float *mean)
{
  sum_pixels(x, pixels, channels, NULL, sum, partial);
  for (size_t c = 0; c < channels; c++) mean[c] = (float)(sum[c] / (double)pixels);
}

/* Statistics of the micro-batch into saved, and weighted by n into the step's. */
static void find_statistics(const ls_layer *layer, const ls_pass *pass, const float *x, float *saved,
                            float *scratch)
{
  const batchnorm_options *self = layer->impl;
  const size_t channels = layer->in.c, pixels = pixels_of(layer, pass);
  float *mean = saved + SAVED_MEAN * channels, *inverse = saved + SAVED_INVERSE * channels;
  double *sum = (double *)(void *)scratch;
  float *partial = scratch + SUM_FLOATS * channels;
  find_mean(x, pixels, channels, sum, partial, mean);
  sum_pixels(x, pixels, channels, mean, sum, partial);
  float *stats = ls_layer_stats(layer, pass);
  const double unbiased = pixels > 1 ? (double)pixels - 1.0 : 1.0;
  for (size_t c = 0; c < channels; c++) {
    inverse[c] = (float)(1.0 / sqrt(sum[c] / (double)pixels + self->epsilon));
    if (!stats) continue;
    stats[c] += (float)pass->n * mean[c];
    stats[channels + c] += (float)pass->n * (float)(sum[c] / unbiased);
  }
}

static void running_statistics(const ls_layer *layer, const ls_pass *pass, float *saved)
{
  const batchnorm_options *self = layer->impl;
  const size_t channels = layer->in.c;
  const float *running = pass->buffers + layer->buffer_offset;
  for (size_t c = 0; c < channels; c++) {
    saved[SAVED_MEAN * channels + c] = running[c];
    saved[SAVED_INVERSE * channels + c] = (float)(1.0 / sqrt((double)running[channels + c] + self->epsilon));
  }
}

static void forward(const ls_layer *layer, const ls_pass *pass, const float *x, float *y, float *saved,
                    float *scratch)
{
  const size_t channels = layer->in.c, pixels = pixels_of(layer, pass);
  if (pass->training)
    find_statistics(layer, pass, x, saved, scratch);
  else
    running_statistics(layer, pass, saved);
  const float *mean = saved + SAVED_MEAN * channels, *inverse = saved + SAVED_INVERSE * channels;
  const float *weight = pass->params + layer->param_offset, *bias = weight + channels;
  float *restrict factor = scratch, *restrict shift = scratch + channels;
  for (size_t c = 0; c < channels; c++) {
    factor[c] = weight[c] * inverse[c];
    shift[c] = bias[c] - mean[c] * factor[c];
  }
  for (size_t p = 0; p < pixels; p++)
    for (size_t c = 0; c < channels; c++) y[p * channels + c] = x[p * channels + c] * factor[c] + shift[c];
}

/* sums[c] = sum of dy, sums[channels + c] = sum of dy * (x - mean) * inverse. */
static void find_gradient_sums(const ls_layer *layer, const ls_pass *pass, const float *x, const float *dy,
                               const float *saved, float *scratch)
{
  const size_t channels = layer->in.c, pixels = pixels_of(layer, pass);
  const float *mean = saved + SAVED_MEAN * channels;
  double *sums = (double *)(void *)scratch;
  float *restrict partial = scratch + SUM_FLOATS * channels, *restrict scaled = partial + channels;
  memset(sums, 0, 2 * channels * sizeof *sums);
  for (size_t first = 0; first < pixels; first += BLOCK_PIXELS) {
    const size_t end = pixels - first < BLOCK_PIXELS ? pixels : first + BLOCK_PIXELS;
    memset(partial, 0, 2 * channels * sizeof *partial);
    for (size_t p = first; p < end; p++)
      for (size_t c = 0; c < channels; c++) {
        partial[c] += dy[p * channels + c];
        scaled[c] += dy[p * channels + c] * (x[p * channels + c] - mean[c]);
      }
    for (size_t c = 0; c < 2 * channels; c++) sums[c] += (double)partial[c];
  }
}

/* dx = on_dy * dy + on_x * x + constant, for each channel. */
typedef struct input_factors {
  float *on_dy, *on_x, *constant; /* [channels] */
} input_factors;

/* dx = weight * inverse * (dy - mean(dy) - xhat * mean(dy * xhat)); without the means in evaluation. */
static input_factors find_factors(const ls_layer *layer, const ls_pass *pass, const float *saved,
                                  float *scratch)
{
  const size_t channels = layer->in.c, pixels = pixels_of(layer, pass);
  const float *mean = saved + SAVED_MEAN * channels, *inverse = saved + SAVED_INVERSE * channels;
  const float *weight = pass->params + layer->param_offset;
  const double *sums = (const double *)(const void *)scratch;
  float *restrict on_dy = scratch + SUM_FLOATS * channels, *restrict on_x = on_dy + channels;
  float *restrict constant = on_x + channels;
  for (size_t c = 0; c < channels; c++) {
    const double factor = (double)weight[c] * (double)inverse[c];
    const double share = pass->training ? factor / (double)pixels : 0.0;
    const double slope = -share * sums[channels + c] * (double)inverse[c] * (double)inverse[c];
    on_dy[c] = (float)factor;
    on_x[c] = (float)slope;
    constant[c] = (float)(-share * sums[c] - slope * (double)mean[c]);
  }
  return (input_factors){on_dy, on_x, constant};
}

static void input_gradient(input_factors factors, size_t pixels, size_t channels, const float *x,
                           const float *dy, float *dx)
{
  const float *restrict on_dy = factors.on_dy, *restrict on_x = factors.on_x;
  const float *restrict constant = factors.constant;
  for (size_t p = 0; p < pixels; p++)
    for (size_t c = 0; c < channels; c++)
      dx[p * channels + c] = on_dy[c] * dy[p * channels + c] + on_x[c] * x[p * channels + c] + constant[c];
}

static void backward(const ls_layer *layer, const ls_pass *pass, const float *x, const float *y, float *dy,
                     float *dx, float *saved, float *scratch)
{
  (void)y;
  const size_t channels = layer->in.c;
  find_gradient_sums(layer, pass, x, dy, saved, scratch);
  float *grads = ls_layer_grads(layer, pass);
  if (grads) {
    const double *sums = (const double *)(const void *)scratch;
    const float *inverse = saved + SAVED_INVERSE * channels;
    for (size_t c = 0; c < channels; c++) {
      grads[c] += (float)(sums[channels + c] * (double)inverse[c]);
      grads[channels + c] += (float)sums[c];
    }
  }
  if (!dx) return;
  input_gradient(find_factors(layer, pass, saved, scratch), pixels_of(layer, pass), channels, x, dy, dx);
}

static void express(const ls_layer *layer, const ls_expression *to)
{
  const batchnorm_options *self = layer->impl;
  to->add(to->user, &(ls_operator){.name = "BatchNormalization",
                                   .inputs = {ls_input(LS_FORM_ANY), ls_tensor_called("weight"),
                                              ls_tensor_called("bias"), ls_tensor_called("running_mean"),
                                              ls_tensor_called("running_var")},
                                   .attributes = {ls_real("epsilon", self->epsilon)}});
}

static void describe(const ls_layer *layer, ls_text *text)
{
  const batchnorm_options *self = layer->impl;
  ls_text_add(text, "momentum %g, epsilon %g", self->momentum, self->epsilon);
}

const ls_layer_kind ls_layer_batchnorm = {
    .schema =
        {.name = "batchnorm",
         .doc = "Normalizes each channel over the micro-batch (ghost batch norm), then scales and shifts it.",
         .keys = keys,
         .key_count = sizeof keys / sizeof *keys,
         .options_bytes = sizeof(batchnorm_options)},
    .role = LS_ROLE_NEUTRAL,
    .backward_reads_x = true,
    .uses_batch_statistics = true,
    .create = create,
    .destroy = destroy,
    .init = init,
    .update_buffers = update_buffers,
    .forward = forward,
    .backward = backward,
    .express = express,
    .describe = describe,
};
