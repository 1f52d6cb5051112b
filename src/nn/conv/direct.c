/* SPDX-License-Identifier: BSD-3-Clause */
/* Convolutions of any shape, on top of batch-reduce matrix products.
 *
 * With channels innermost, one row of output pixels is a matrix [filters x pixels], and it is the sum over
 * the taps (u, v) of the kernel of W_uv [filters x channels] times a row of input pixels shifted by v: one
 * batch-reduce product that reads the image where it lies. The gradient with respect to the input is the same
 * operation on dy, once per phase of the stride; the gradient of the weights reduces over rows instead of
 * taps. Rows of taps that fall into the padding above and below are left out; to the left and right the image
 * is copied into a padded one. With few channels or filters the taps of a row are merged: they lie
 * side by side in memory, so they are one longer column, overlapping the next pixel's. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "nn/conv/image.h"
#include "nn/conv/correlation.h"
#include "nn/conv/way.h"
#include "kernels/gemm/gemm.h"

enum { BAND_FLOATS = 6144 }; /* x and dy in use at a time in the gradient of the weights */

_Static_assert(LS_CONV_BLOCK % LS_CONV_PIECE == 0, "a piece lies in one block");

/* dW += sum over rows of dy * x^T, for each tap. */
typedef struct weights_plan {
  ls_gemm *gemm[2];            /* [full or last block of filters] */
  size_t tap_products[2];      /* products per row of taps, as in ls_conv_block */
  size_t band;                 /* output rows that stay in the first-level cache together */
  uint64_t *a_bytes, *b_bytes; /* offsets of the rows; owned */
} weights_plan;

typedef struct plan {
  ls_conv_shape shape;
  ls_conv_image x, dy;
  ls_conv_correlation forward;
  ls_conv_correlation *backward; /* [ls_conv_phases()], one per phase of the stride; owned */
  weights_plan weights;
  size_t packed_count;            /* floats, as far as they are given out */
  size_t dy_scratch, row_scratch; /* offsets of the parts of scratch after x's */
} plan;

static ls_status plan_weights(plan *self)
{
  const ls_conv_shape *shape = &self->shape;
  weights_plan *weights = &self->weights;
  for (int last = 0; last < 2; last++) {
    if (!last && shape->out.c <= LS_CONV_BLOCK) continue;
    const size_t height =
        last ? ls_conv_block_height(shape->out.c, ls_conv_last_block(shape->out.c)) : LS_CONV_BLOCK;
    const bool merged = ls_conv_merges(height, shape->in.c) && shape->columns.dilation == 1;
    weights->tap_products[last] = merged ? 1 : shape->columns.size;
    const ls_gemm_shape product = {.m = height,
                                   .n = shape->columns.size / weights->tap_products[last] * shape->in.c,
                                   .k = shape->out.w,
                                   .lda = self->dy.channels,
                                   .ldb = shape->columns.stride * shape->in.c,
                                   .ldc = height,
                                   .transpose_b = true};
    LS_PASS(ls_gemm_new(&weights->gemm[last], &product));
  }
  const size_t dy_pitch = self->dy.width * self->dy.channels;
  const size_t x_step = shape->rows.stride * self->x.width * shape->in.c;
  weights->band = ls_size_max(1, BAND_FLOATS / (shape->out.w * LS_CONV_BLOCK + x_step));
  LS_PASS(ls_alloc(&weights->a_bytes, shape->out.h, sizeof(uint64_t), "offsets of rows"));
  LS_PASS(ls_alloc(&weights->b_bytes, shape->out.h, sizeof(uint64_t), "offsets of rows"));
  for (size_t i = 0; i < shape->out.h; i++) {
    weights->a_bytes[i] = i * dy_pitch * sizeof(float);
    weights->b_bytes[i] = i * x_step * sizeof(float);
  }
  return LS_OK;
}

/* One sample's padded images, and the gradient that they add to. */
typedef struct weights_data {
  const float *x, *dy;
  float *grads;
} weights_data;

/* The gradient of a block of filters at the taps of row u, from output rows [rows[0], rows[1]). */
static void run_weights(const plan *self, const weights_data *data, size_t first, size_t u,
                        const size_t rows[2])
{
  const ls_conv_shape *shape = &self->shape;
  const size_t channels = shape->in.c, stride = shape->rows.stride, top = shape->rows.before;
  /* Output rows whose input row i * stride + tap - top is inside the image. */
  const size_t tap = u * shape->rows.dilation;
  const size_t above = tap < top ? ls_size_ceil_div(top - tap, stride) : 0;
  const size_t begin = ls_size_max(rows[0], above);
  const size_t x_row = begin * stride + tap - top;
  if (begin >= rows[1] || x_row >= shape->in.h) return;
  const size_t inside = ls_size_ceil_div(shape->in.h - x_row, stride);
  const bool last = first + LS_CONV_BLOCK >= shape->out.c;
  const ls_gemm_batch batch = {.a_bytes = self->weights.a_bytes,
                               .b_bytes = self->weights.b_bytes,
                               .count = ls_size_min(rows[1] - begin, inside)};
  const size_t height = ls_conv_block_height(shape->out.c, first);
  const size_t products = self->weights.tap_products[last];
  const size_t kernel = shape->columns.size;
  const size_t inputs = kernel / products * channels; /* of one product */
  const float *dy = data->dy + (begin * self->dy.width + self->dy.left) * self->dy.channels + first;
  const float *x = data->x + x_row * self->x.width * channels;
  float *grads = data->grads + channels * kernel * (first * shape->rows.size + u * height);
  for (size_t v = 0; v < products; v++)
    ls_gemm_run(self->weights.gemm[last], NULL, dy, x + v * shape->columns.dilation * channels,
                grads + v * inputs * height, &batch);
}

/* grads[block, tap, channel, filter] += dy * x^T. */
static void backward_weights(const plan *self, const weights_data *data)
{
  const ls_conv_shape *shape = &self->shape;
  for (size_t row = 0; row < shape->out.h; row += self->weights.band) {
    const size_t rows[2] = {row, ls_size_min(row + self->weights.band, shape->out.h)};
    for (size_t first = 0; first < shape->out.c; first += LS_CONV_BLOCK)
      for (size_t u = 0; u < shape->rows.size; u++) run_weights(self, data, first, u, rows);
  }
}

static size_t taps_of(const plan *self)
{
  return ls_conv_taps(&self->shape);
}

static void plan_images(plan *self)
{
  const ls_conv_shape *shape = &self->shape;
  self->x = (ls_conv_image){.shape = shape->in, .channels = shape->in.c};
  self->dy = (ls_conv_image){.shape = shape->out, .channels = ls_size_round_up(shape->out.c, LS_CONV_LANES)};
  const ls_conv_axis cols = ls_conv_forward_axis(&shape->columns, shape->out.w);
  ls_conv_image_cover(&self->x, &cols);
  for (size_t phase = 0; phase < shape->columns.stride && !shape->input_is_data; phase++) {
    const ls_conv_axis back = ls_conv_backward_axis(&shape->columns, shape->in.w, phase);
    ls_conv_image_cover(&self->dy, &back);
  }
  self->dy.width = ls_size_max(self->dy.width, shape->out.w); /* the weight gradient reads all of it */
  ls_conv_image_fix(&self->x);
  ls_conv_image_fix(&self->dy);
}

static ls_status plan_forward(plan *self)
{
  const ls_conv_shape *shape = &self->shape;
  self->forward = (ls_conv_correlation){
      .rows = ls_conv_forward_axis(&shape->rows, shape->out.h),
      .cols = ls_conv_forward_axis(&shape->columns, shape->out.w),
      .channels = shape->in.c,
      .src_pixel = shape->in.c,
      .src_pitch = self->x.width * shape->in.c,
      .dst_channels = shape->out.c,
      .dst_width = shape->out.w,
  };
  self->packed_count = ls_conv_correlation_packed(&self->forward);
  return ls_conv_correlation_plan(&self->forward);
}

static ls_status plan_backward(plan *self, size_t phase)
{
  const ls_conv_shape *shape = &self->shape;
  ls_conv_correlation *back = &self->backward[phase];
  *back = (ls_conv_correlation){
      .channels = shape->out.c,
      .src_pixel = self->dy.channels,
      .src_pitch = self->dy.width * self->dy.channels,
      .dst_channels = shape->in.c,
      .dst_width = shape->in.w,
      .weights = self->packed_count,
  };
  ls_conv_backward_axes(shape, phase, &back->rows, &back->cols);
  if (ls_conv_correlation_is_empty(back)) return LS_OK;
  back->src_column = (size_t)((ptrdiff_t)self->dy.left + back->cols.src_first) * self->dy.channels;
  self->packed_count += ls_conv_correlation_packed(back);
  return ls_conv_correlation_plan(back);
}

/* Floats of scratch. */
static size_t plan_scratch(plan *self)
{
  self->dy_scratch = ls_size_round_up(ls_conv_image_floats(&self->x), LS_ALIGNMENT);
  self->row_scratch = self->dy_scratch + ls_size_round_up(ls_conv_image_floats(&self->dy), LS_ALIGNMENT);
  size_t rows = ls_conv_correlation_scratch(&self->forward);
  for (size_t i = 0; i < ls_conv_phases(&self->shape); i++)
    rows = ls_size_max(rows, ls_conv_correlation_scratch(&self->backward[i]));
  return self->row_scratch + rows;
}

static ls_status plan_all(plan *self, ls_conv_counts *counts)
{
  plan_images(self);
  LS_PASS(plan_forward(self));
  counts->grads = self->packed_count;
  LS_PASS(ls_alloc(&self->backward, ls_conv_phases(&self->shape), sizeof *self->backward,
                   "a convolution's phases"));
  for (size_t phase = 0; phase < ls_conv_phases(&self->shape); phase++) LS_PASS(plan_backward(self, phase));
  LS_PASS(plan_weights(self));
  counts->packed = self->packed_count;
  counts->scratch = plan_scratch(self);
  counts->piece = LS_CONV_PIECE;
  return LS_OK;
}

static bool fits(const ls_conv_shape *shape)
{
  return shape->groups == 1;
}

static ls_status create(void **out, const ls_conv_shape *shape, size_t microbatch, ls_conv_counts *counts)
{
  (void)microbatch;
  plan *self;
  LS_PASS(ls_alloc(&self, 1, sizeof *self, "a convolution"));
  *out = self;
  self->shape = *shape;
  return plan_all(self, counts);
}

static void destroy(void *made)
{
  plan *self = made;
  ls_conv_correlation_fini(&self->forward);
  if (self->backward)
    for (size_t i = 0; i < ls_conv_phases(&self->shape); i++) ls_conv_correlation_fini(&self->backward[i]);
  free(self->backward);
  for (int i = 0; i < 2; i++) ls_gemm_free(self->weights.gemm[i]);
  free(self->weights.a_bytes);
  free(self->weights.b_bytes);
  free(self);
}

/* packed[i] = from[i * step] for the channels of a block, zeros for its padding. */
static void pack_block(const float *from, size_t step, size_t used, size_t height, float *packed)
{
  for (size_t i = 0; i < used; i++) packed[i] = from[i * step];
  for (size_t i = used; i < height; i++) packed[i] = 0;
}

/* Filters that lie in one block, as a piece does, in the layout of the forward correlation and of the
 * gradient: [block, tap, channel, filter]. */
typedef struct block_part {
  size_t at;     /* offset of the first filter at the first tap and channel */
  size_t height; /* floats from channel to channel */
  size_t padded; /* floats that belong to these filters: those behind the last filter too */
} block_part;

static block_part find_part(const plan *self, ls_conv_filters filters)
{
  const size_t block = filters.first / LS_CONV_BLOCK * LS_CONV_BLOCK;
  const size_t height = ls_conv_block_height(self->shape.out.c, block);
  const bool is_last = filters.first + filters.count == self->shape.out.c;
  return (block_part){.at = block * taps_of(self) * self->shape.in.c + filters.first - block,
                      .height = height,
                      .padded = is_last ? block + height - filters.first : filters.count};
}

static void pack_forward(const plan *self, const float *weights, float *packed, ls_conv_filters filters)
{
  const size_t channels = self->shape.in.c, taps = taps_of(self);
  const block_part part = find_part(self, filters);
  packed += part.at;
  for (size_t i = 0; i < taps * channels; i++, packed += part.height) {
    const float *from = weights + (filters.first * channels + i % channels) * taps + i / channels;
    pack_block(from, channels * taps, filters.count, part.padded, packed);
  }
}

/* The weights of a filter and the tap of row r and column c of dy, in a phase's order, at channel 0. */
static const float *weights_at(const plan *self, size_t phase, const float *weights, size_t filter,
                               size_t tap)
{
  const ls_conv_correlation *back = &self->backward[phase];
  const size_t u = back->rows.kernel_last - tap / back->cols.taps * back->rows.kernel_step;
  const size_t v = back->cols.kernel_last - tap % back->cols.taps * back->cols.kernel_step;
  return weights + (filter * self->shape.in.c * self->shape.rows.size + u) * self->shape.columns.size + v;
}

/* packed[block, tap, filter, channel] of one phase: its taps in the order of the rows and columns of dy. */
static void pack_phase(const plan *self, size_t phase, const float *weights, float *packed,
                       ls_conv_filters filters)
{
  const ls_conv_correlation *back = &self->backward[phase];
  const size_t channels = self->shape.in.c, all = self->shape.out.c;
  const size_t taps = back->rows.taps * back->cols.taps;
  packed += back->weights;
  for (size_t block = 0; block < channels; block += LS_CONV_BLOCK) {
    const size_t height = ls_conv_block_height(channels, block);
    const size_t used = ls_size_min(height, channels - block);
    for (size_t tap = 0; tap < taps; tap++)
      for (size_t f = filters.first; f < filters.first + filters.count; f++) {
        const float *from = weights_at(self, phase, weights, f, tap) + block * taps_of(self);
        pack_block(from, taps_of(self), used, height,
                   packed + (block * taps * all) + (tap * all + f) * height);
      }
  }
}

static void pack(const void *made, const float *weights, float *packed, ls_conv_filters filters)
{
  const plan *self = made;
  pack_forward(self, weights, packed, filters);
  for (size_t phase = 0; phase < ls_conv_phases(&self->shape); phase++)
    if (!ls_conv_correlation_is_empty(&self->backward[phase]))
      pack_phase(self, phase, weights, packed, filters);
}

static void unpack(const void *made, const float *grads, float *weight_grads, ls_conv_filters filters)
{
  const plan *self = made;
  const size_t channels = self->shape.in.c, taps = taps_of(self);
  const block_part part = find_part(self, filters);
  grads += part.at;
  for (size_t i = 0; i < taps * channels; i++, grads += part.height) {
    float *to = weight_grads + (filters.first * channels + i % channels) * taps + i / channels;
    for (size_t k = 0; k < filters.count; k++) to[k * channels * taps] = grads[k];
  }
}

static void forward(const void *made, const ls_kernel_pass *pass, const float *x, float *y)
{
  const plan *self = made;
  ls_conv_correlation_data data = {.packed = pass->packed,
                                   .bias = pass->bias,
                                   .src_rows = self->shape.in.h,
                                   .scratch = pass->scratch + self->row_scratch};
  ls_conv_image_clear(&self->x, pass->scratch);
  for (size_t i = 0; i < pass->n; i++) {
    data.src = ls_conv_image_load(&self->x, x + i * ls_shape_count(self->shape.in), pass->scratch);
    data.dst = y + i * ls_shape_count(self->shape.out);
    ls_conv_correlation_run(&self->forward, &data);
  }
}

static void backward(const void *made, const ls_kernel_pass *pass, const float *x, const float *dy, float *dx,
                     float *grads)
{
  const plan *self = made;
  const size_t in = ls_shape_count(self->shape.in);
  float *dy_copy = pass->scratch + self->dy_scratch;
  ls_conv_correlation_data data = {
      .packed = pass->packed, .src_rows = self->shape.out.h, .scratch = pass->scratch + self->row_scratch};
  ls_conv_image_clear(&self->x, pass->scratch);
  ls_conv_image_clear(&self->dy, dy_copy);
  for (size_t i = 0; i < pass->n; i++) {
    data.src = ls_conv_image_load(&self->dy, dy + i * ls_shape_count(self->shape.out), dy_copy);
    if (grads) {
      const float *x_image = ls_conv_image_load(&self->x, x + i * in, pass->scratch);
      backward_weights(self, &(weights_data){.x = x_image, .dy = data.src, .grads = grads});
      ls_profile_lap(pass->profile, pass->layer, LS_PHASE_BACKWARD_WEIGHTS);
    }
    if (!dx) continue;
    data.dst = dx + i * in;
    for (size_t phase = 0; phase < ls_conv_phases(&self->shape); phase++)
      ls_conv_correlation_run(&self->backward[phase], &data);
    ls_profile_lap(pass->profile, pass->layer, LS_PHASE_BACKWARD_DATA);
  }
}

const ls_conv_way ls_conv_direct = {.fits = fits,
                                    .create = create,
                                    .destroy = destroy,
                                    .pack = pack,
                                    .unpack = unpack,
                                    .forward = forward,
                                    .backward = backward};
