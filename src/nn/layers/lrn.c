/* SPDX-License-Identifier: BSD-3-Clause */
/* Local response normalization over neighbouring channels (Krizhevsky, Sutskever, Hinton: "ImageNet
 * classification with deep convolutional neural networks", NIPS 2012), with PyTorch's, Caffe's and ONNX's
 * alpha: on the mean of the squares.
 *
 *   y_c = x_c * base_c^-beta,   base_c = k + alpha / size * sum of x_j^2,   c - size/2 <= j <= c + (size-1)/2
 *
 *   dx_j = dy_j * base_j^-beta - 2 alpha beta / size * x_j * sum over windows c with j of dy_c y_c / base_c
 *
 * The powers are kept for backward; the bases are cheap to work out again. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "nn/kinds.h"

typedef struct lrn_options {
  size_t size;
  double alpha, beta, k;
} lrn_options;

static const ls_key keys[] = {
    {.path = "size",
     .type = LS_KEY_COUNT,
     .offset = offsetof(lrn_options, size),
     .min = 1,
     .max = INT_MAX,
     .unit = "channels",
     .doc = "Width of the window; of an even one, the larger half comes before the channel."},
    {.path = "alpha",
     .type = LS_KEY_REAL,
     .offset = offsetof(lrn_options, alpha),
     .preset = "0.0001",
     .min = 0.0,
     .max = 1e6,
     .unit = "",
     .doc = "Factor on the mean of the window's squares; of papers that take their sum, alpha times size."},
    {.path = "beta",
     .type = LS_KEY_REAL,
     .offset = offsetof(lrn_options, beta),
     .preset = "0.75",
     .min = 0.0,
     .max = 10.0,
     .unit = "",
     .doc = "Exponent."},
    {.path = "k",
     .type = LS_KEY_REAL,
     .offset = offsetof(lrn_options, k),
     .preset = "1",
     .min = 0.0,
     .max = 1e6,
     .min_open = true,
     .unit = "",
     .doc = "Added to that before the power is taken."},
};

static ls_status create(ls_layer *layer, const void *options, ls_build *build)
{
  (void)build;
  lrn_options *self;
  LS_PASS(ls_alloc(&self, 1, sizeof *self, "a local response normalization"));
  memcpy(self, options, sizeof *self);
  layer->impl = self;
  layer->out = layer->in;
  layer->saved_count = layer->microbatch * ls_shape_count(layer->in);
  layer->scratch_count = 3 * layer->in.c;
  return LS_OK;
}

static void destroy(ls_layer *layer)
{
  free(layer->impl);
}

/* sums[c] = sum of values[j] for c - before <= j <= c + after, inside the channels. */
static void sum_windows(const float *restrict values, size_t channels, size_t before, size_t after,
                        float *restrict sums)
{
  before = ls_size_min(before, channels - 1);
  after = ls_size_min(after, channels - 1);
  memcpy(sums, values, channels * sizeof *sums);
  for (size_t d = 1; d <= before; d++)
    for (size_t c = d; c < channels; c++) sums[c] += values[c - d];
  for (size_t d = 1; d <= after; d++)
    for (size_t c = 0; c + d < channels; c++) sums[c] += values[c + d];
}

/* Of one pixel. `squares` [c] may be overwritten. */
static void find_bases(const lrn_options *self, size_t channels, const float *x, float *squares, float *bases)
{
  const float factor = (float)(self->alpha / (double)self->size), k = (float)self->k;
  for (size_t c = 0; c < channels; c++) squares[c] = x[c] * x[c];
  sum_windows(squares, channels, self->size / 2, (self->size - 1) / 2, bases);
  for (size_t c = 0; c < channels; c++) bases[c] = k + factor * bases[c];
}

/* powers = bases^-beta; of the usual beta by roots, which vectorize. */
static void find_powers(double beta, size_t channels, const float *restrict bases, float *restrict powers)
{
  static const double usual = 0.75;
  const float exponent = -(float)beta;
  if (fabs(beta - usual) > 0.0)
    for (size_t c = 0; c < channels; c++) powers[c] = powf(bases[c], exponent);
  else
    for (size_t c = 0; c < channels; c++) powers[c] = 1.0F / (sqrtf(bases[c]) * sqrtf(sqrtf(bases[c])));
}

static void forward(const ls_layer *layer, const ls_pass *pass, const float *x, float *y, float *saved,
                    float *scratch)
{
  const lrn_options *self = layer->impl;
  const size_t channels = layer->in.c, pixels = pass->n * layer->in.h * layer->in.w;
  float *squares = scratch, *bases = scratch + channels;
  for (size_t p = 0; p < pixels; p++, x += channels, y += channels, saved += channels) {
    find_bases(self, channels, x, squares, bases);
    find_powers(self->beta, channels, bases, saved);
    for (size_t c = 0; c < channels; c++) y[c] = x[c] * saved[c];
  }
}

static void backward(const ls_layer *layer, const ls_pass *pass, const float *x, const float *y, float *dy,
                     float *dx, float *saved, float *scratch)
{
  (void)y;
  const lrn_options *self = layer->impl;
  const size_t channels = layer->in.c, pixels = pass->n * layer->in.h * layer->in.w;
  const float factor = (float)(2.0 * self->alpha * self->beta / (double)self->size);
  float *ratios = scratch, *bases = scratch + channels, *sums = scratch + 2 * channels;
  if (!dx) return;
  for (size_t p = 0; p < pixels; p++, x += channels, dy += channels, dx += channels, saved += channels) {
    find_bases(self, channels, x, ratios, bases);
    for (size_t c = 0; c < channels; c++) ratios[c] = dy[c] * (x[c] * saved[c]) / bases[c];
    sum_windows(ratios, channels, (self->size - 1) / 2, self->size / 2, sums); /* the windows that c is in */
    for (size_t c = 0; c < channels; c++) dx[c] = dy[c] * saved[c] - factor * x[c] * sums[c];
  }
}

/* The means of the squares as averages over a dimension of channels; then x / (k + alpha * mean)^beta. */
static void express_even(const ls_layer *layer, const ls_expression *to)
{
  const lrn_options *self = layer->impl;
  const ls_operand columns = {
      .source = LS_OPERAND_INTEGERS, .integers = {0, 1, (int64_t)layer->in.c, -1}, .dim_count = 4};
  const ls_operator ops[] = {
      {.name = "Mul", .inputs = {ls_input(LS_FORM_IMAGE), ls_input(LS_FORM_IMAGE)}},
      {.name = "Reshape", .inputs = {ls_result(), columns}},
      {.name = "AveragePool",
       .inputs = {ls_result()},
       .attributes = {ls_pair("kernel_shape", self->size, 1),
                      ls_four("pads", self->size / 2, 0, (self->size - 1) / 2, 0),
                      ls_integer("count_include_pad", 1)}},
      {.name = "Reshape", .inputs = {ls_result(), ls_operand_of_shape(layer->in)}},
      {.name = "Mul", .inputs = {ls_result(), ls_number(self->alpha)}},
      {.name = "Add", .inputs = {ls_result(), ls_number(self->k)}},
      {.name = "Pow", .inputs = {ls_result(), ls_number(self->beta)}},
      {.name = "Div", .inputs = {ls_input(LS_FORM_IMAGE), ls_result()}},
  };
  for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) to->add(to->user, &ops[i]);
}

/* ONNX's own has the larger half of an even window behind the channel. */
static void express(const ls_layer *layer, const ls_expression *to)
{
  const lrn_options *self = layer->impl;
  if (self->size % 2 == 0) {
    express_even(layer, to);
    return;
  }
  to->add(to->user,
          &(ls_operator){.name = "LRN",
                         .inputs = {ls_input(LS_FORM_IMAGE)},
                         .attributes = {ls_integer("size", self->size), ls_real("alpha", self->alpha),
                                        ls_real("beta", self->beta), ls_real("bias", self->k)}});
}

static void describe(const ls_layer *layer, ls_text *text)
{
  const lrn_options *self = layer->impl;
  ls_text_add(text, "size %zu, alpha %g, beta %g, k %g", self->size, self->alpha, self->beta, self->k);
}

const ls_layer_kind ls_layer_lrn = {
    .schema = {.name = "lrn",
               .doc =
                   "Local response normalization: divides by a power of the neighbouring channels' squares.",
               .keys = keys,
               .key_count = sizeof keys / sizeof *keys,
               .options_bytes = sizeof(lrn_options)},
    .role = LS_ROLE_NEUTRAL,
    .backward_reads_x = true,
    .create = create,
    .destroy = destroy,
    .forward = forward,
    .backward = backward,
    .express = express,
    .describe = describe,
};
