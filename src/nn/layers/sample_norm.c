/* SPDX-License-Identifier: BSD-3-Clause */
/* Normalization of every sample by itself: other samples of the micro-batch change no bit of it, and training
 * and evaluation are the same.
 *
 *   y = weight * (x - mean) / sqrt(var + epsilon) + bias
 *
 * with the biased variance, over the pixels of an item and the channels of a group. As in batchnorm, sums go
 * over rows of channels, so the loops vectorize, and go into doubles after a block of pixels. Statistics of a
 * group are spread over its channels, so that those loops know no groups.
 */
#include "nn/layers/sample_norm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* What forward keeps of each item, per group. */
enum { SAVED_MEAN, SAVED_INVERSE, SAVED_VECTORS };

enum { BLOCK_PIXELS = 64, LANES = 8 };

/* Scratch, all vectors [channels]. */
typedef struct work {
  size_t channels;
  double *sums[2];                 /* of an item */
  double *totals[2];               /* of the micro-batch: gradients of biases and weights */
  float *partials[2];              /* of a block of pixels */
  float *mean, *inverse;           /* of the channel's group; 1 / sqrt(var + epsilon) */
  float *scale, *slope, *constant; /* what an item's values are multiplied by, and what is added */
} work;

enum { WORK_DOUBLES = 4, WORK_FLOATS = 7 };

static size_t work_floats(size_t channels)
{
  return (WORK_DOUBLES * sizeof(double) / sizeof(float) + WORK_FLOATS) * channels;
}

static work work_of(float *scratch, size_t channels)
{
  double *doubles = (double *)(void *)scratch;
  float *floats = (float *)(void *)(doubles + WORK_DOUBLES * channels);
  return (work){.channels = channels,
                .sums = {doubles, doubles + channels},
                .totals = {doubles + 2 * channels, doubles + 3 * channels},
                .partials = {floats, floats + channels},
                .mean = floats + 2 * channels,
                .inverse = floats + 3 * channels,
                .scale = floats + 4 * channels,
                .slope = floats + 5 * channels,
                .constant = floats + 6 * channels};
}

ls_status ls_sample_norm_create(ls_layer *layer, const ls_sample_norm *norm, ls_build *build)
{
  ls_sample_norm *self;
  LS_PASS(ls_alloc(&self, 1, sizeof *self, "a normalization layer"));
  *self = *norm;
  layer->impl = self;
  layer->out = layer->in;
  const ls_shape in = layer->in;
  if (norm->pixels * (in.c / norm->groups) == 1)
    return ls_fail(
        LS_E_CONFIG,
        "of an input of %zux%zux%zu (channels, rows, columns) it takes the mean and the variance of "
        "single values, which leaves nothing of them: normalize over more, or remove it",
        in.c, in.h, in.w);
  const bool per_pixel = norm->affine_pixels > 1;
  const size_t dims[] = {in.c, in.h, in.w};
  if (norm->affine_pixels > 0) {
    LS_PASS(ls_build_param(build, layer, "weight", dims, per_pixel ? 3 : 1, false));
    LS_PASS(ls_build_param(build, layer, "bias", dims, per_pixel ? 3 : 1, false));
  }
  layer->grad_count = layer->param_count;
  if (per_pixel) layer->packed_count = layer->param_count;
  layer->saved_count = layer->microbatch * norm->items * SAVED_VECTORS * norm->groups;
  layer->scratch_count = work_floats(in.c);
  return LS_OK;
}

void ls_sample_norm_destroy(ls_layer *layer)
{
  free(layer->impl);
}

void ls_sample_norm_init(const ls_layer *layer, uint64_t seed, float *params, float *buffers)
{
  (void)seed, (void)buffers;
  float *weight = params + layer->param_offset;
  for (size_t i = 0; i < layer->param_count; i++) weight[i] = i < layer->param_count / 2 ? 1.0F : 0.0F;
}

/* Weights, and the biases behind them, pixel by pixel; NULL: none. */
static const float *affine_of(const ls_layer *layer, const ls_pass *pass)
{
  if (layer->param_count == 0) return NULL;
  return layer->packed_count > 0 ? pass->packed + layer->packed_offset : pass->params + layer->param_offset;
}

/* ---- statistics ---- */

/* Lanes of their own, so that the order of the sum is the same whatever vectors the compiler takes. */
static double sum_of(const double *values, size_t count)
{
  double lanes[LANES] = {0}, sum = 0.0;
  size_t i = 0;
  for (; i + LANES <= count; i += LANES)
    for (size_t k = 0; k < LANES; k++) lanes[k] += values[i + k];
  for (size_t k = 0; k < LANES; k++) sum += lanes[k];
  for (; i < count; i++) sum += values[i];
  return sum;
}

static void spread(const float *of_groups, size_t groups, size_t channels, float *of_channels)
{
  const size_t width = channels / groups;
  for (size_t g = 0; g < groups; g++)
    for (size_t c = g * width; c < (g + 1) * width; c++) of_channels[c] = of_groups[g];
}

static size_t block_end(size_t first, size_t pixels)
{
  return pixels - first < BLOCK_PIXELS ? pixels : first + BLOCK_PIXELS;
}

static void clear(double *const sums[2], size_t channels)
{
  memset(sums[0], 0, channels * sizeof *sums[0]);
  memset(sums[1], 0, channels * sizeof *sums[1]);
}

/* sums[0][c] of x, over the item's pixels. */
static void sum_values(const float *x, size_t pixels, size_t channels, const work *w)
{
  float *restrict partial = w->partials[0];
  double *restrict sum = w->sums[0];
  memset(sum, 0, channels * sizeof *sum);
  for (size_t first = 0; first < pixels; first += BLOCK_PIXELS) {
    memset(partial, 0, channels * sizeof *partial);
    for (size_t p = first; p < block_end(first, pixels); p++)
      for (size_t c = 0; c < channels; c++) partial[c] += x[p * channels + c];
    for (size_t c = 0; c < channels; c++) sum[c] += (double)partial[c];
  }
}

/* sums[0][c] of dy, sums[1][c] of dy * (x - mean); without dy, of the distances and their squares. */
static void sum_products(const float *x, const float *dy, size_t pixels, size_t channels, const work *w)
{
  const float *restrict mean = w->mean;
  float *restrict partial = w->partials[0], *restrict scaled = w->partials[1];
  clear(w->sums, channels);
  for (size_t first = 0; first < pixels; first += BLOCK_PIXELS) {
    memset(partial, 0, channels * sizeof *partial);
    memset(scaled, 0, channels * sizeof *scaled);
    for (size_t p = first; p < block_end(first, pixels); p++)
      for (size_t c = 0; c < channels; c++) {
        const float distance = x[p * channels + c] - mean[c];
        const float value = dy ? dy[p * channels + c] : distance;
        partial[c] += value;
        scaled[c] += value * distance;
      }
    for (size_t c = 0; c < channels; c++) {
      w->sums[0][c] += (double)partial[c];
      w->sums[1][c] += (double)scaled[c];
    }
  }
}

/* Of an item, per group, into `kept`, and per channel into the work. Sums of values far from zero round; what
 * the mean is off by is the mean of the distances from it. */
static void find_statistics(const ls_sample_norm *self, size_t channels, const float *x, float *kept,
                            const work *w)
{
  const size_t width = channels / self->groups;
  const double values = (double)(width * self->pixels);
  float *mean = kept + SAVED_MEAN * self->groups, *inverse = kept + SAVED_INVERSE * self->groups;
  sum_values(x, self->pixels, channels, w);
  for (size_t g = 0; g < self->groups; g++) mean[g] = (float)(sum_of(w->sums[0] + g * width, width) / values);
  spread(mean, self->groups, channels, w->mean);
  sum_products(x, NULL, self->pixels, channels, w);
  for (size_t g = 0; g < self->groups; g++) {
    const double off = sum_of(w->sums[0] + g * width, width) / values;
    const double variance = sum_of(w->sums[1] + g * width, width) / values - off * off;
    mean[g] = (float)((double)mean[g] + off);
    inverse[g] = (float)(1.0 / sqrt(fmax(variance, 0.0) + self->epsilon));
  }
  spread(mean, self->groups, channels, w->mean);
  spread(inverse, self->groups, channels, w->inverse);
}

/* ---- forward ---- */

/* With a weight per channel, or none. */
static void apply_to_channels(size_t pixels, size_t channels, const float *affine, const float *x, float *y,
                              const work *w)
{
  const float *restrict mean = w->mean;
  float *restrict scale = w->scale, *restrict shift = w->constant;
  for (size_t c = 0; c < channels; c++) {
    scale[c] = affine ? affine[c] * w->inverse[c] : w->inverse[c];
    shift[c] = affine ? affine[channels + c] : 0.0F;
  }
  for (size_t p = 0; p < pixels; p++)
    for (size_t c = 0; c < channels; c++)
      y[p * channels + c] = (x[p * channels + c] - mean[c]) * scale[c] + shift[c];
}

/* With a weight per value. */
static void apply_to_values(size_t pixels, size_t channels, const float *affine, const float *x, float *y,
                            const work *w)
{
  const float *weight = affine, *bias = affine + pixels * channels;
  for (size_t p = 0; p < pixels; p++)
    for (size_t c = 0; c < channels; c++) {
      const size_t i = p * channels + c;
      y[i] = (x[i] - w->mean[c]) * w->inverse[c] * weight[i] + bias[i];
    }
}

void ls_sample_norm_forward(const ls_layer *layer, const ls_pass *pass, const float *x, float *y,
                            float *saved, float *scratch)
{
  const ls_sample_norm *self = layer->impl;
  const size_t channels = layer->in.c, count = self->pixels * channels;
  const work w = work_of(scratch, channels);
  const float *affine = affine_of(layer, pass);
  for (size_t i = 0; i < pass->n * self->items; i++, x += count, y += count) {
    find_statistics(self, channels, x, saved + i * SAVED_VECTORS * self->groups, &w);
    if (self->affine_pixels > 1)
      apply_to_values(self->pixels, channels, affine, x, y, &w);
    else
      apply_to_channels(self->pixels, channels, affine, x, y, &w);
  }
}

/* ---- backward ---- */

/* Of weights per value: their gradients; dy becomes that of what is normalized. */
static void pass_values(size_t count, const float *weight, const float *x, float *dy, float *grads,
                        const work *w)
{
  for (size_t first = 0; first < count; first += w->channels)
    for (size_t c = 0; c < w->channels; c++) {
      const size_t i = first + c;
      if (grads) grads[i] += dy[i] * ((x[i] - w->mean[c]) * w->inverse[c]);
      if (grads) grads[count + i] += dy[i];
      dy[i] *= weight[i];
    }
}

/* Of weights per channel: their gradients into the totals; the sums become those of what is normalized. */
static void pass_channels(size_t channels, const float *weight, const work *w)
{
  for (size_t c = 0; c < channels; c++) {
    w->totals[0][c] += w->sums[1][c] * (double)w->inverse[c];
    w->totals[1][c] += w->sums[0][c];
    w->sums[0][c] *= (double)weight[c];
    w->sums[1][c] *= (double)weight[c];
  }
}

/* dx = inverse * (g - mean(g) - xhat * mean(g * xhat)), where g is dy times the weight of its channel. */
static void input_gradient(const ls_sample_norm *self, const float *weight, const float *x, const float *dy,
                           float *dx, const work *w)
{
  const size_t channels = w->channels, width = channels / self->groups;
  const double values = (double)(width * self->pixels);
  const float *restrict mean = w->mean;
  float *restrict scale = w->scale, *restrict slope = w->slope, *restrict constant = w->constant;
  for (size_t g = 0; g < self->groups; g++) {
    const double inverse = (double)w->inverse[g * width];
    const double shift = -inverse * sum_of(w->sums[0] + g * width, width) / values;
    const double share = -inverse * inverse * inverse * sum_of(w->sums[1] + g * width, width) / values;
    for (size_t c = g * width; c < (g + 1) * width; c++) {
      scale[c] = weight ? weight[c] * w->inverse[c] : w->inverse[c];
      slope[c] = (float)share;
      constant[c] = (float)shift;
    }
  }
  for (size_t p = 0; p < self->pixels; p++)
    for (size_t c = 0; c < channels; c++) {
      const size_t i = p * channels + c;
      dx[i] = scale[c] * dy[i] + slope[c] * (x[i] - mean[c]) + constant[c];
    }
}

void ls_sample_norm_backward(const ls_layer *layer, const ls_pass *pass, const float *x, const float *y,
                             float *dy, float *dx, float *saved, float *scratch)
{
  (void)y;
  const ls_sample_norm *self = layer->impl;
  const size_t channels = layer->in.c, count = self->pixels * channels;
  const work w = work_of(scratch, channels);
  const float *affine = affine_of(layer, pass), *weight = self->affine_pixels == 1 ? affine : NULL;
  float *grads = ls_layer_grads(layer, pass);
  clear(w.totals, channels);
  for (size_t i = 0; i < pass->n * self->items; i++, x += count, dy += count) {
    const float *kept = saved + i * SAVED_VECTORS * self->groups;
    spread(kept + SAVED_MEAN * self->groups, self->groups, channels, w.mean);
    spread(kept + SAVED_INVERSE * self->groups, self->groups, channels, w.inverse);
    if (self->affine_pixels > 1) pass_values(count, affine, x, dy, grads, &w);
    sum_products(x, dy, self->pixels, channels, &w);
    if (weight) pass_channels(channels, weight, &w);
    if (dx) input_gradient(self, weight, x, dy, dx + i * count, &w);
  }
  for (size_t k = 0; weight && grads && k < 2; k++)
    for (size_t c = 0; c < channels; c++) grads[k * channels + c] += (float)w.totals[k][c];
}

void ls_sample_norm_describe(const ls_layer *layer, ls_text *text)
{
  const ls_sample_norm *self = layer->impl;
  ls_text_add(text, "epsilon %g%s", self->epsilon, self->affine_pixels > 0 ? "" : ", no affine");
}
