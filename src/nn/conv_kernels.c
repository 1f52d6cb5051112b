/* SPDX-License-Identifier: BSD-3-Clause */
/* The plan of a convolution, the gradient of its weights, and its packed layouts. */
#include "nn/conv_kernels.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"

enum { BAND_FLOATS = 6144 }; /* x and dy in use at a time in the gradient of the weights */

static size_t round_up(size_t count, size_t to)
{
  return ls_size_ceil_div(count, to) * to;
}

static ls_status plan_weights(ls_conv *conv)
{
  const ls_conv_shape *shape = &conv->shape;
  ls_conv_weights *weights = &conv->weights;
  for (int last = 0; last < 2; last++) {
    if (!last && shape->out.c <= LS_CONV_BLOCK) continue;
    const size_t height =
        last ? ls_conv_block_height(shape->out.c, ls_conv_last_block(shape->out.c)) : LS_CONV_BLOCK;
    weights->tap_products[last] = ls_conv_merges(height, shape->in.c) ? 1 : shape->kernel;
    const ls_gemm_shape product = {.m = height,
                                   .n = shape->kernel / weights->tap_products[last] * shape->in.c,
                                   .k = shape->out.w,
                                   .lda = conv->dy.channels,
                                   .ldb = shape->stride * shape->in.c,
                                   .ldc = height,
                                   .transpose_b = true};
    LS_PASS(ls_gemm_new(&weights->gemm[last], &product));
  }
  const size_t dy_pitch = conv->dy.width * conv->dy.channels;
  const size_t x_step = shape->stride * conv->x.width * shape->in.c;
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
static void run_weights(const ls_conv *conv, const weights_data *data, size_t first, size_t u,
                        const size_t rows[2])
{
  const ls_conv_shape *shape = &conv->shape;
  const size_t channels = shape->in.c;
  /* Output rows whose input row i * stride + u - top is inside the image. */
  const size_t above = u < shape->top ? ls_size_ceil_div(shape->top - u, shape->stride) : 0;
  const size_t begin = ls_size_max(rows[0], above);
  const size_t x_row = begin * shape->stride + u - shape->top;
  if (begin >= rows[1] || x_row >= shape->in.h) return;
  const size_t inside = ls_size_ceil_div(shape->in.h - x_row, shape->stride);
  const bool last = first + LS_CONV_BLOCK >= shape->out.c;
  const ls_gemm_batch batch = {.a_bytes = conv->weights.a_bytes,
                               .b_bytes = conv->weights.b_bytes,
                               .count = ls_size_min(rows[1] - begin, inside)};
  const size_t height = ls_conv_block_height(shape->out.c, first);
  const size_t products = conv->weights.tap_products[last];
  const size_t inputs = shape->kernel / products * channels; /* of one product */
  const float *dy = data->dy + (begin * conv->dy.width + conv->dy.left) * conv->dy.channels + first;
  const float *x = data->x + x_row * conv->x.width * channels;
  float *grads = data->grads + channels * shape->kernel * (first * shape->kernel + u * height);
  for (size_t v = 0; v < products; v++)
    ls_gemm_run(conv->weights.gemm[last], NULL, dy, x + v * inputs, grads + v * inputs * height, &batch);
}

/* grads[block, tap, channel, filter] += dy * x^T. */
static void backward_weights(const ls_conv *conv, const weights_data *data)
{
  const ls_conv_shape *shape = &conv->shape;
  for (size_t row = 0; row < shape->out.h; row += conv->weights.band) {
    const size_t rows[2] = {row, ls_size_min(row + conv->weights.band, shape->out.h)};
    for (size_t first = 0; first < shape->out.c; first += LS_CONV_BLOCK)
      for (size_t u = 0; u < shape->kernel; u++) run_weights(conv, data, first, u, rows);
  }
}

static size_t taps_of(const ls_conv *conv)
{
  return conv->shape.kernel * conv->shape.kernel;
}

static void plan_images(ls_conv *conv)
{
  const ls_conv_shape *shape = &conv->shape;
  conv->x = (ls_conv_image){.shape = shape->in, .channels = shape->in.c};
  conv->dy = (ls_conv_image){.shape = shape->out, .channels = round_up(shape->out.c, LS_CONV_LANES)};
  const ls_conv_axis cols = ls_conv_forward_axis(shape->out.w, shape->kernel, shape->stride, shape->left);
  ls_conv_image_cover(&conv->x, &cols);
  for (size_t phase = 0; phase < shape->stride; phase++) {
    const ls_conv_axis back =
        ls_conv_backward_axis(shape->in.w, shape->kernel, shape->stride, shape->left, phase);
    ls_conv_image_cover(&conv->dy, &back);
  }
  conv->dy.width = ls_size_max(conv->dy.width, shape->out.w); /* the weight gradient reads all of it */
  ls_conv_image_fix(&conv->x);
  ls_conv_image_fix(&conv->dy);
}

static ls_status plan_forward(ls_conv *conv)
{
  const ls_conv_shape *shape = &conv->shape;
  conv->forward = (ls_conv_sweep){
      .rows = ls_conv_forward_axis(shape->out.h, shape->kernel, shape->stride, shape->top),
      .cols = ls_conv_forward_axis(shape->out.w, shape->kernel, shape->stride, shape->left),
      .channels = shape->in.c,
      .src_pixel = shape->in.c,
      .src_pitch = conv->x.width * shape->in.c,
      .dst_channels = shape->out.c,
      .dst_width = shape->out.w,
  };
  conv->packed_count = conv->grad_count = ls_conv_sweep_packed(&conv->forward);
  return ls_conv_sweep_plan(&conv->forward);
}

static ls_status plan_backward(ls_conv *conv, size_t phase)
{
  const ls_conv_shape *shape = &conv->shape;
  ls_conv_sweep *sweep = &conv->backward[phase];
  *sweep = (ls_conv_sweep){
      .rows =
          ls_conv_backward_axis(shape->in.h, shape->kernel, shape->stride, shape->top, phase / shape->stride),
      .cols = ls_conv_backward_axis(shape->in.w, shape->kernel, shape->stride, shape->left,
                                    phase % shape->stride),
      .channels = shape->out.c,
      .src_pixel = conv->dy.channels,
      .src_pitch = conv->dy.width * conv->dy.channels,
      .dst_channels = shape->in.c,
      .dst_width = shape->in.w,
      .weights = conv->packed_count,
  };
  if (ls_conv_sweep_is_empty(sweep)) return LS_OK;
  sweep->src_column = (size_t)((ptrdiff_t)conv->dy.left + sweep->cols.src_first) * conv->dy.channels;
  conv->packed_count += ls_conv_sweep_packed(sweep);
  return ls_conv_sweep_plan(sweep);
}

static size_t phases_of(const ls_conv *conv)
{
  return conv->shape.stride * conv->shape.stride;
}

static void plan_scratch(ls_conv *conv)
{
  conv->dy_scratch = round_up(ls_conv_image_floats(&conv->x), LS_ALIGNMENT);
  conv->row_scratch = conv->dy_scratch + round_up(ls_conv_image_floats(&conv->dy), LS_ALIGNMENT);
  size_t rows = ls_conv_sweep_scratch(&conv->forward);
  for (size_t i = 0; i < phases_of(conv); i++)
    rows = ls_size_max(rows, ls_conv_sweep_scratch(&conv->backward[i]));
  conv->scratch_count = ls_size_max(conv->row_scratch + rows, conv->planar.scratch_count);
}

/* Forward, and the gradient of the weights: the one way or the other. */
static ls_status plan_ways(ls_conv *conv)
{
  if (!ls_conv_planar_fits(&conv->shape)) {
    LS_PASS(plan_forward(conv));
    return plan_weights(conv);
  }
  conv->packed_count = conv->grad_count = conv->shape.out.c * conv->shape.in.c * taps_of(conv);
  return ls_conv_planar_init(&conv->planar, &conv->shape);
}

ls_status ls_conv_init(ls_conv *conv, const ls_conv_shape *shape)
{
  conv->shape = *shape;
  plan_images(conv);
  LS_PASS(plan_ways(conv));
  LS_PASS(ls_alloc(&conv->backward, phases_of(conv), sizeof *conv->backward, "a convolution's phases"));
  for (size_t phase = 0; phase < phases_of(conv); phase++) LS_PASS(plan_backward(conv, phase));
  plan_scratch(conv);
  return LS_OK;
}

void ls_conv_fini(ls_conv *conv)
{
  ls_conv_planar_fini(&conv->planar);
  ls_conv_sweep_fini(&conv->forward);
  if (conv->backward)
    for (size_t i = 0; i < phases_of(conv); i++) ls_conv_sweep_fini(&conv->backward[i]);
  free(conv->backward);
  for (int i = 0; i < 2; i++) ls_gemm_free(conv->weights.gemm[i]);
  free(conv->weights.a_bytes);
  free(conv->weights.b_bytes);
}

/* packed[i] = from[i * step] for the channels of a block, zeros for its padding. */
static void pack_block(const float *from, size_t step, size_t used, size_t height, float *packed)
{
  for (size_t i = 0; i < used; i++) packed[i] = from[i * step];
  for (size_t i = used; i < height; i++) packed[i] = 0;
}

/* packed[block, tap, channel, filter] of the forward sweep. */
static void pack_forward(const ls_conv *conv, const float *weights, float *packed)
{
  const size_t channels = conv->shape.in.c;
  const size_t filters = conv->shape.out.c;
  const size_t taps = taps_of(conv);
  for (size_t block = 0; block < filters; block += LS_CONV_BLOCK) {
    const size_t height = ls_conv_block_height(filters, block);
    const size_t used = ls_size_min(height, filters - block);
    for (size_t i = 0; i < taps * channels; i++, packed += height) {
      const float *from = weights + (block * channels + i % channels) * taps + i / channels;
      pack_block(from, channels * taps, used, height, packed);
    }
  }
}

/* packed[block, tap, filter, channel] of one phase: its taps in the order of the rows and columns of dy. */
static void pack_phase(const ls_conv *conv, size_t phase, const float *weights, float *packed)
{
  const ls_conv_sweep *sweep = &conv->backward[phase];
  const ls_conv_shape *shape = &conv->shape;
  const size_t channels = shape->in.c;
  const size_t taps = sweep->rows.taps * sweep->cols.taps;
  for (size_t block = 0; block < channels; block += LS_CONV_BLOCK) {
    const size_t height = ls_conv_block_height(channels, block);
    const size_t used = ls_size_min(height, channels - block);
    for (size_t i = 0; i < taps * shape->out.c; i++, packed += height) {
      const size_t tap = i / shape->out.c;
      const size_t u =
          phase / shape->stride + (sweep->rows.taps - 1 - tap / sweep->cols.taps) * shape->stride;
      const size_t v =
          phase % shape->stride + (sweep->cols.taps - 1 - tap % sweep->cols.taps) * shape->stride;
      const size_t filter = i % shape->out.c;
      const float *from = weights + ((filter * channels + block) * shape->kernel + u) * shape->kernel + v;
      pack_block(from, taps_of(conv), used, height, packed);
    }
  }
}

void ls_conv_pack(const ls_conv *conv, const float *weights, float *packed)
{
  if (conv->planar.kernels)
    ls_conv_planar_pack(&conv->planar, &conv->shape, weights, packed);
  else
    pack_forward(conv, weights, packed);
  for (size_t phase = 0; phase < phases_of(conv); phase++)
    if (!ls_conv_sweep_is_empty(&conv->backward[phase]))
      pack_phase(conv, phase, weights, packed + conv->backward[phase].weights);
}

void ls_conv_unpack(const ls_conv *conv, const float *grads, float *weight_grads)
{
  const size_t channels = conv->shape.in.c;
  const size_t filters = conv->shape.out.c;
  const size_t taps = taps_of(conv);
  if (conv->planar.kernels) {
    memcpy(weight_grads, grads, conv->grad_count * sizeof *grads);
    return;
  }
  for (size_t block = 0; block < filters; block += LS_CONV_BLOCK) {
    const size_t height = ls_conv_block_height(filters, block);
    const size_t used = ls_size_min(height, filters - block);
    for (size_t i = 0; i < taps * channels; i++, grads += height) {
      float *to = weight_grads + (block * channels + i % channels) * taps + i / channels;
      for (size_t k = 0; k < used; k++) to[k * channels * taps] = grads[k];
    }
  }
}

void ls_conv_forward(const ls_conv *conv, const ls_kernel_pass *pass, const float *x, float *y)
{
  ls_conv_sweep_data data = {.packed = pass->packed,
                             .bias = pass->bias,
                             .src_rows = conv->shape.in.h,
                             .scratch = pass->scratch + conv->row_scratch};
  if (conv->planar.kernels) {
    ls_conv_planar_forward(&conv->planar, &conv->shape, pass, x, y);
    return;
  }
  ls_conv_image_clear(&conv->x, pass->scratch);
  for (size_t i = 0; i < pass->n; i++) {
    data.src = ls_conv_image_load(&conv->x, x + i * ls_shape_count(conv->shape.in), pass->scratch);
    data.dst = y + i * ls_shape_count(conv->shape.out);
    ls_conv_sweep_run(&conv->forward, &data);
  }
}

void ls_conv_backward(const ls_conv *conv, const ls_kernel_pass *pass, const float *x, const float *dy,
                      float *dx, float *grads)
{
  const size_t in = ls_shape_count(conv->shape.in);
  float *dy_copy = pass->scratch + conv->dy_scratch;
  ls_conv_sweep_data data = {
      .packed = pass->packed, .src_rows = conv->shape.out.h, .scratch = pass->scratch + conv->row_scratch};
  if (grads && conv->planar.kernels) {
    ls_conv_planar_backward_weights(&conv->planar, &conv->shape, pass, x, dy, grads);
    grads = NULL;
  }
  if (!grads && !dx) return;
  ls_conv_image_clear(&conv->x, pass->scratch);
  ls_conv_image_clear(&conv->dy, dy_copy);
  for (size_t i = 0; i < pass->n; i++) {
    data.src = ls_conv_image_load(&conv->dy, dy + i * ls_shape_count(conv->shape.out), dy_copy);
    if (grads) {
      const float *x_image = ls_conv_image_load(&conv->x, x + i * in, pass->scratch);
      backward_weights(conv, &(weights_data){.x = x_image, .dy = data.src, .grads = grads});
      ls_profile_lap(pass->profile, pass->layer, LS_PHASE_BACKWARD_WEIGHTS);
    }
    if (!dx) continue;
    data.dst = dx + i * in;
    for (size_t phase = 0; phase < phases_of(conv); phase++) ls_conv_sweep_run(&conv->backward[phase], &data);
    ls_profile_lap(pass->profile, pass->layer, LS_PHASE_BACKWARD_DATA);
  }
}
