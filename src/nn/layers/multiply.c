/* SPDX-License-Identifier: BSD-3-Clause */
/* Product of layers' outputs, element by element. An input may have one value per channel, or one per pixel,
 * and then counts for all pixels, or channels, of the first: a gate, as in squeeze-and-excitation (Hu, Shen,
 * Sun, CVPR 2018).
 *
 * The gradient of an input is dy times the other inputs, summed over what it counts for. */
#include <string.h>

#include "base/size.h"
#include "nn/kinds.h"
#include "nn/layers/merge.h"

static ls_status create(ls_layer *layer, const void *options, ls_build *build)
{
  (void)options, (void)build;
  layer->out = layer->in;
  for (size_t k = 1; k < layer->input_count; k++) {
    const ls_shape shape = layer->inputs[k].shape;
    const bool per_channel = shape.c == layer->in.c && shape.h == 1 && shape.w == 1;
    const bool per_pixel = shape.c == 1 && shape.h == layer->in.h && shape.w == layer->in.w;
    if (!per_channel && !per_pixel && !ls_shape_equal(shape, layer->in))
      return ls_merge_refuse(layer, k,
                             "inputs of multiply need the shape of the first, or one value per channel or "
                             "per pixel of it");
  }
  return LS_OK;
}

enum { BLOCK = 64 }; /* channels of a pixel that are handled together */

/* Channels of a pixel that follow each other. */
typedef struct channel_range {
  size_t pixel, channel, count;
} channel_range;

/* Where the value of an input for the first of the channels lies, and the step to the next one's. */
static const float *values_of(const ls_layer *layer, size_t k, const float *x, channel_range of, size_t *step)
{
  const ls_shape shape = layer->inputs[k].shape;
  const size_t at = shape.h * shape.w == 1 ? of.pixel / (layer->out.h * layer->out.w) : of.pixel;
  *step = shape.c == 1 ? 0 : 1;
  return x + at * shape.c + *step * of.channel;
}

/* product [count] *= input k, but for input `but`. */
static void multiply_by(const ls_layer *layer, const float *const *xs, size_t but, channel_range of,
                        float *product)
{
  for (size_t k = 0; k < layer->input_count; k++) {
    size_t step;
    const float *x = values_of(layer, k, xs[k], of, &step);
    if (k == but) continue;
    if (step == 1)
      for (size_t c = 0; c < of.count; c++) product[c] *= x[c];
    else
      for (size_t c = 0; c < of.count; c++) product[c] *= x[0];
  }
}

static void merge(const ls_layer *layer, const ls_pass *pass, const float *const *xs, float *y)
{
  const size_t pixels = pass->n * layer->out.h * layer->out.w, channels = layer->out.c;
  memcpy(y, xs[0], pixels * channels * sizeof *y);
  for (size_t p = 0; p < pixels; p++)
    multiply_by(layer, xs, 0, (channel_range){p, 0, channels}, y + p * channels);
}

/* Of an input with one value per element: all of dx. */
static void split_elements(const ls_layer *layer, const float *const *xs, size_t k, size_t pixels,
                           const float *dy, float *dx)
{
  const size_t channels = layer->out.c;
  memcpy(dx, dy, pixels * channels * sizeof *dx);
  for (size_t p = 0; p < pixels; p++)
    multiply_by(layer, xs, k, (channel_range){p, 0, channels}, dx + p * channels);
}

/* Of an input with one value per channel: dx [channels] of one sample, whose first pixel is given. */
static void split_channels(const ls_layer *layer, const float *const *xs, size_t k, size_t first,
                           const float *dy, float *dx)
{
  const size_t pixels = layer->out.h * layer->out.w, channels = layer->out.c;
  for (size_t c = 0; c < channels; c += BLOCK) {
    double sum[BLOCK] = {0};
    float partial[BLOCK];
    const size_t size = ls_size_min(BLOCK, channels - c);
    for (size_t p = first; p < first + pixels; p++) {
      memcpy(partial, dy + p * channels + c, size * sizeof *partial);
      multiply_by(layer, xs, k, (channel_range){p, c, size}, partial);
      for (size_t i = 0; i < size; i++) sum[i] += (double)partial[i];
    }
    for (size_t i = 0; i < size; i++) dx[c + i] = (float)sum[i];
  }
}

/* Of an input with one value per pixel: its dx. */
static float split_pixel(const ls_layer *layer, const float *const *xs, size_t k, size_t pixel,
                         const float *dy)
{
  const size_t channels = layer->out.c;
  double sum = 0.0;
  for (size_t c = 0; c < channels; c += BLOCK) {
    float partial[BLOCK];
    const size_t size = ls_size_min(BLOCK, channels - c);
    memcpy(partial, dy + pixel * channels + c, size * sizeof *partial);
    multiply_by(layer, xs, k, (channel_range){pixel, c, size}, partial);
    for (size_t i = 0; i < size; i++) sum += (double)partial[i];
  }
  return (float)sum;
}

static void split(const ls_layer *layer, const ls_pass *pass, const float *const *xs, const float *dy,
                  float *const *dxs)
{
  const size_t pixels = layer->out.h * layer->out.w, channels = layer->out.c;
  for (size_t k = 0; k < layer->input_count; k++) {
    const ls_shape shape = layer->inputs[k].shape;
    if (!dxs[k]) continue;
    if (ls_shape_equal(shape, layer->out))
      split_elements(layer, xs, k, pass->n * pixels, dy, dxs[k]);
    else if (shape.c == layer->out.c)
      for (size_t n = 0; n < pass->n; n++)
        split_channels(layer, xs, k, n * pixels, dy, dxs[k] + n * channels);
    else
      for (size_t p = 0; p < pass->n * pixels; p++) dxs[k][p] = split_pixel(layer, xs, k, p, dy);
  }
}

/* Mul takes two. */
static void express(const ls_layer *layer, const ls_expression *to)
{
  ls_operator op = {.name = "Mul", .inputs = {ls_input(LS_FORM_ANY), ls_input(LS_FORM_ANY)}};
  for (size_t k = 1; k < layer->input_count; k++) {
    op.inputs[1].input = k;
    to->add(to->user, &op);
    op.inputs[0].source = LS_OPERAND_RESULT;
  }
}

const ls_layer_kind ls_layer_multiply = {
    .schema = {.name = "multiply",
               .doc =
                   "Product of its inputs; those behind the first may have one value per channel or pixel."},
    .role = LS_ROLE_NEUTRAL,
    .backward_reads_x = true,
    .create = create,
    .merge = merge,
    .split = split,
    .express = express,
};
