/* SPDX-License-Identifier: BSD-3-Clause */
/* Convolution as batch-reduce products over the taps of the kernel. */
#include "nn/conv_kernels.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "nn/affine.h"

enum {
  BLOCK = 32,          /* output channels of one product: the register tile of AVX2 */
  LANES = 8,           /* the last block is padded to a multiple of this */
  GROUP_FLOATS = 6144, /* weights in use at a time: three quarters of a first-level cache */
  BAND_FLOATS = 10240, /* x and dy in use at a time in the gradient of the weights */
  MERGED_ROWS = 16,    /* blocks up to this height, and images of few channels, merge the taps of a row */
  MERGED_CHANNELS = 4
};

static const float zeros[BLOCK];

static size_t round_up(size_t count, size_t to)
{
  return ls_size_ceil_div(count, to) * to;
}

/* First channel of the last block, and its padded height. */
static size_t last_first(size_t channels)
{
  return (ls_size_ceil_div(channels, BLOCK) - 1) * BLOCK;
}

static size_t block_height(size_t channels, size_t first)
{
  return first + BLOCK < channels ? BLOCK : round_up(channels - first, LANES);
}

static ls_conv_axis forward_axis(size_t out, size_t kernel, size_t stride, size_t pad)
{
  return (ls_conv_axis){
      .count = out, .dst_step = 1, .src_first = -(ptrdiff_t)pad, .src_step = stride, .taps = kernel};
}

/* The positions of dx that are in `phase` modulo the stride, counted in the padded input: only every
 * stride-th tap touches them. Output row r and tap u touch padded input row r * stride + u. */
static ls_conv_axis backward_axis(size_t in, size_t kernel, size_t stride, size_t pad, size_t phase)
{
  const size_t taps = phase < kernel ? ls_size_ceil_div(kernel - phase, stride) : 0;
  const size_t skipped = phase < pad ? ls_size_ceil_div(pad - phase, stride) : 0;
  const size_t first = phase + skipped * stride - pad;
  return (ls_conv_axis){.count = first < in ? ls_size_ceil_div(in - first, stride) : 0,
                        .dst_first = first,
                        .dst_step = stride,
                        .src_first = (ptrdiff_t)skipped - (ptrdiff_t)taps + 1,
                        .src_step = 1,
                        .taps = taps};
}

/* Widen the image so that a sweep along `axis` reads no column outside. */
static void image_cover(ls_conv_image *image, const ls_conv_axis *axis)
{
  if (axis->count == 0 || axis->taps == 0) return;
  if (axis->src_first < 0) image->left = ls_size_max(image->left, (size_t)-axis->src_first);
  const ptrdiff_t end = axis->src_first + (ptrdiff_t)((axis->count - 1) * axis->src_step + axis->taps);
  if (end > 0) image->width = ls_size_max(image->width, (size_t)end); /* without `left` until image_fix() */
}

static void image_fix(ls_conv_image *image)
{
  image->copied = image->left > 0 || image->width > image->shape.w || image->channels > image->shape.c;
  image->width = image->copied ? image->left + ls_size_max(image->width, 1) : image->shape.w;
}

static size_t image_floats(const ls_conv_image *image)
{
  return image->copied ? image->shape.h * image->width * image->channels : 0;
}

/* The padded image: a copy in scratch, or the image itself. */
static const float *image_load(const ls_conv_image *image, const float *x, float *scratch)
{
  if (!image->copied) return x;
  const size_t columns = ls_size_min(image->shape.w, image->width - image->left);
  const size_t pitch = image->width * image->channels;
  const size_t before = image->left * image->channels;
  const size_t inside = columns * image->channels;
  for (size_t row = 0; row < image->shape.h; row++) {
    float *to = scratch + row * pitch;
    const float *from = x + row * image->shape.w * image->shape.c;
    memset(to, 0, before * sizeof *to);
    if (image->channels == image->shape.c) {
      memcpy(to + before, from, inside * sizeof *to);
    } else {
      memset(to + before, 0, inside * sizeof *to);
      for (size_t j = 0; j < columns; j++)
        for (size_t c = 0; c < image->shape.c; c++)
          to[before + j * image->channels + c] = from[j * image->shape.c + c];
    }
    memset(to + before + inside, 0, (pitch - before - inside) * sizeof *to);
  }
  return scratch;
}

static size_t sweep_taps(const ls_conv_sweep *sweep)
{
  return sweep->rows.taps * sweep->cols.taps;
}

static size_t sweep_packed(const ls_conv_sweep *sweep)
{
  return round_up(sweep->dst_channels, LANES) * sweep_taps(sweep) * sweep->channels;
}

static bool sweep_is_empty(const ls_conv_sweep *sweep)
{
  return sweep->rows.count == 0 || sweep->cols.count == 0 || sweep_taps(sweep) == 0;
}

static bool merges(size_t height, size_t channels)
{
  return height <= MERGED_ROWS || channels <= MERGED_CHANNELS;
}

/* Kernel and offsets for the full blocks or the last one. */
static ls_status plan_block(ls_conv_sweep *sweep, bool last)
{
  ls_conv_block *block = &sweep->blocks[last];
  const size_t first = last ? last_first(sweep->dst_channels) : 0;
  const size_t height = last ? block_height(sweep->dst_channels, first) : BLOCK;
  const bool padded = first + height > sweep->dst_channels;
  const bool merged = merges(height, sweep->channels) && sweep->src_pixel == sweep->channels;
  block->tap_products = merged ? 1 : sweep->cols.taps;
  const size_t taps = sweep->cols.taps / block->tap_products; /* of one product */
  const ls_gemm_shape shape = {.m = height,
                               .n = sweep->cols.count,
                               .k = taps * sweep->channels,
                               .lda = height,
                               .ldb = sweep->cols.src_step * sweep->src_pixel,
                               .ldc = padded ? height : sweep->cols.dst_step * sweep->dst_channels};
  LS_PASS(ls_gemm_new(&block->gemm, &shape));
  const size_t count = sweep->rows.taps * block->tap_products;
  LS_PASS(ls_alloc(&block->a_bytes, count, sizeof(uint64_t), "offsets of taps"));
  LS_PASS(ls_alloc(&block->b_bytes, count, sizeof(uint64_t), "offsets of taps"));
  for (size_t t = 0; t < count; t++) {
    const size_t row = t / block->tap_products;
    const size_t column = t % block->tap_products;
    block->a_bytes[t] = t * taps * sweep->channels * height * sizeof(float);
    block->b_bytes[t] = (row * sweep->src_pitch + column * sweep->src_pixel) * sizeof(float);
  }
  return LS_OK;
}

static ls_status sweep_plan(ls_conv_sweep *sweep)
{
  if (sweep_is_empty(sweep)) return LS_OK;
  LS_PASS(plan_block(sweep, true));
  if (sweep->dst_channels > BLOCK) LS_PASS(plan_block(sweep, false));
  const size_t height = ls_size_min(BLOCK, round_up(sweep->dst_channels, LANES));
  const size_t row_floats = sweep->cols.taps * sweep->channels * height;
  sweep->group = ls_size_min(sweep->rows.taps, ls_size_max(1, GROUP_FLOATS / row_floats));
  return LS_OK;
}

static void sweep_fini(ls_conv_sweep *sweep)
{
  for (int i = 0; i < 2; i++) {
    ls_gemm_free(sweep->blocks[i].gemm);
    free(sweep->blocks[i].a_bytes);
    free(sweep->blocks[i].b_bytes);
  }
}

/* What a sweep works on. */
typedef struct sweep_data {
  const float *packed, *bias; /* bias: NULL for none */
  const float *src;
  size_t src_rows;
  float *dst, *scratch;
} sweep_data;

/* A block of output channels of row i, for the rows of taps [first_tap, end_tap): c = start + ..., or c +=
 * ... if start is NULL. */
static void run_row(const ls_conv_sweep *sweep, const sweep_data *data, size_t first, size_t i,
                    const size_t taps[2], const float *start, float *c)
{
  const ls_conv_block *block = &sweep->blocks[first + BLOCK >= sweep->dst_channels];
  const size_t height = block_height(sweep->dst_channels, first);
  const ptrdiff_t src_row = sweep->rows.src_first + (ptrdiff_t)(i * sweep->rows.src_step);
  const ptrdiff_t inside = (ptrdiff_t)data->src_rows - src_row; /* taps from here on are below the image */
  const size_t begin = src_row < 0 ? ls_size_max(taps[0], (size_t)-src_row) : taps[0];
  const size_t end = inside > 0 ? ls_size_min(taps[1], (size_t)inside) : 0;
  if (begin >= end) {
    if (start) ls_gemm_fill(block->gemm, start, c);
    return;
  }
  const float *a = data->packed + sweep->weights +
                   (first * sweep->rows.taps + begin * height) * sweep->cols.taps * sweep->channels;
  const float *b = data->src + (size_t)(src_row + (ptrdiff_t)begin) * sweep->src_pitch + sweep->src_column;
  const ls_gemm_batch batch = {
      .a_bytes = block->a_bytes, .b_bytes = block->b_bytes, .count = (end - begin) * block->tap_products};
  ls_gemm_run(block->gemm, start, a, b, c, &batch);
}

static float *destination(const ls_conv_sweep *sweep, float *dst, size_t i)
{
  const size_t row = sweep->rows.dst_first + i * sweep->rows.dst_step;
  return dst + (row * sweep->dst_width + sweep->cols.dst_first) * sweep->dst_channels;
}

/* The last block when its height is padded: each row is made in scratch, then copied. */
static void run_padded_block(const ls_conv_sweep *sweep, const sweep_data *data, size_t first)
{
  const size_t height = block_height(sweep->dst_channels, first);
  const size_t step = sweep->cols.dst_step * sweep->dst_channels;
  const size_t taps[2] = {0, sweep->rows.taps};
  for (size_t i = 0; i < sweep->rows.count; i++) {
    run_row(sweep, data, first, i, taps, zeros, data->scratch);
    float *to = destination(sweep, data->dst, i) + first;
    for (size_t j = 0; j < sweep->cols.count; j++)
      for (size_t c = 0; c < sweep->dst_channels - first; c++)
        to[j * step + c] = data->scratch[j * height + c] + (data->bias ? data->bias[first + c] : 0);
  }
}

static void run_block(const ls_conv_sweep *sweep, const sweep_data *data, size_t first)
{
  const float *bias = data->bias ? data->bias + first : zeros;
  for (size_t tap = 0; tap < sweep->rows.taps; tap += sweep->group) {
    const size_t taps[2] = {tap, ls_size_min(tap + sweep->group, sweep->rows.taps)};
    for (size_t i = 0; i < sweep->rows.count; i++)
      run_row(sweep, data, first, i, taps, tap == 0 ? bias : NULL, destination(sweep, data->dst, i) + first);
  }
}

/* A sweep without taps (a stride larger than the kernel leaves pixels untouched): zeros. */
static void clear(const ls_conv_sweep *sweep, float *dst)
{
  for (size_t i = 0; i < sweep->rows.count; i++)
    for (size_t j = 0; j < sweep->cols.count; j++)
      memset(destination(sweep, dst, i) + j * sweep->cols.dst_step * sweep->dst_channels, 0,
             sweep->dst_channels * sizeof *dst);
}

static void sweep_run(const ls_conv_sweep *sweep, const sweep_data *data)
{
  if (sweep_is_empty(sweep)) {
    clear(sweep, data->dst);
    return;
  }
  for (size_t first = 0; first < sweep->dst_channels; first += BLOCK) {
    if (first + block_height(sweep->dst_channels, first) > sweep->dst_channels)
      run_padded_block(sweep, data, first);
    else
      run_block(sweep, data, first);
  }
}

static ls_status plan_weights(ls_conv *conv)
{
  const ls_conv_shape *shape = &conv->shape;
  ls_conv_weights *weights = &conv->weights;
  for (int last = 0; last < 2; last++) {
    if (!last && shape->out.c <= BLOCK) continue;
    const size_t height = last ? block_height(shape->out.c, last_first(shape->out.c)) : BLOCK;
    weights->tap_products[last] = merges(height, shape->in.c) ? 1 : shape->kernel;
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
  weights->band = ls_size_max(1, BAND_FLOATS / (shape->out.w * BLOCK + x_step));
  LS_PASS(ls_alloc(&weights->a_bytes, shape->out.h, sizeof(uint64_t), "offsets of rows"));
  LS_PASS(ls_alloc(&weights->b_bytes, shape->out.h, sizeof(uint64_t), "offsets of rows"));
  for (size_t i = 0; i < shape->out.h; i++) {
    weights->a_bytes[i] = i * dy_pitch * sizeof(float);
    weights->b_bytes[i] = i * x_step * sizeof(float);
  }
  return LS_OK;
}

/* The gradient of a block of filters at the taps of row u, from output rows [rows[0], rows[1]). */
static void run_weights(const ls_conv *conv, const float *x, const float *dy, size_t first, size_t u,
                        const size_t rows[2], float *grads)
{
  const ls_conv_shape *shape = &conv->shape;
  const size_t channels = shape->in.c;
  /* Output rows whose input row i * stride + u - top is inside the image. */
  const size_t above = u < shape->top ? ls_size_ceil_div(shape->top - u, shape->stride) : 0;
  const size_t begin = ls_size_max(rows[0], above);
  const size_t x_row = begin * shape->stride + u - shape->top;
  if (begin >= rows[1] || x_row >= shape->in.h) return;
  const size_t inside = ls_size_ceil_div(shape->in.h - x_row, shape->stride);
  const bool last = first + BLOCK >= shape->out.c;
  const ls_gemm_batch batch = {.a_bytes = conv->weights.a_bytes,
                               .b_bytes = conv->weights.b_bytes,
                               .count = ls_size_min(rows[1] - begin, inside)};
  const size_t height = block_height(shape->out.c, first);
  const size_t products = conv->weights.tap_products[last];
  const size_t taps = shape->kernel / products;
  dy += (begin * conv->dy.width + conv->dy.left) * conv->dy.channels + first;
  x += x_row * conv->x.width * channels;
  grads += channels * shape->kernel * (first * shape->kernel + u * height);
  for (size_t v = 0; v < products; v++)
    ls_gemm_run(conv->weights.gemm[last], NULL, dy, x + v * taps * channels,
                grads + v * taps * channels * height, &batch);
}

/* grads[block, tap, channel, filter] += dy * x^T. */
static void backward_weights(const ls_conv *conv, const float *x, const float *dy, float *grads)
{
  const ls_conv_shape *shape = &conv->shape;
  for (size_t row = 0; row < shape->out.h; row += conv->weights.band) {
    const size_t rows[2] = {row, ls_size_min(row + conv->weights.band, shape->out.h)};
    for (size_t first = 0; first < shape->out.c; first += BLOCK)
      for (size_t u = 0; u < shape->kernel; u++) run_weights(conv, x, dy, first, u, rows, grads);
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
  conv->dy = (ls_conv_image){.shape = shape->out, .channels = round_up(shape->out.c, LANES)};
  const ls_conv_axis cols = forward_axis(shape->out.w, shape->kernel, shape->stride, shape->left);
  image_cover(&conv->x, &cols);
  for (size_t phase = 0; phase < shape->stride; phase++) {
    const ls_conv_axis back = backward_axis(shape->in.w, shape->kernel, shape->stride, shape->left, phase);
    image_cover(&conv->dy, &back);
  }
  conv->dy.width = ls_size_max(conv->dy.width, shape->out.w); /* the weight gradient reads all of it */
  image_fix(&conv->x);
  image_fix(&conv->dy);
}

static ls_status plan_forward(ls_conv *conv)
{
  const ls_conv_shape *shape = &conv->shape;
  conv->forward = (ls_conv_sweep){
      .rows = forward_axis(shape->out.h, shape->kernel, shape->stride, shape->top),
      .cols = forward_axis(shape->out.w, shape->kernel, shape->stride, shape->left),
      .channels = shape->in.c,
      .src_pixel = shape->in.c,
      .src_pitch = conv->x.width * shape->in.c,
      .dst_channels = shape->out.c,
      .dst_width = shape->out.w,
  };
  conv->packed_count = conv->grad_count = sweep_packed(&conv->forward);
  return sweep_plan(&conv->forward);
}

static ls_status plan_backward(ls_conv *conv, size_t phase)
{
  const ls_conv_shape *shape = &conv->shape;
  ls_conv_sweep *sweep = &conv->backward[phase];
  *sweep = (ls_conv_sweep){
      .rows = backward_axis(shape->in.h, shape->kernel, shape->stride, shape->top, phase / shape->stride),
      .cols = backward_axis(shape->in.w, shape->kernel, shape->stride, shape->left, phase % shape->stride),
      .channels = shape->out.c,
      .src_pixel = conv->dy.channels,
      .src_pitch = conv->dy.width * conv->dy.channels,
      .dst_channels = shape->in.c,
      .dst_width = shape->in.w,
      .weights = conv->packed_count,
  };
  if (sweep_is_empty(sweep)) return LS_OK;
  sweep->src_column = (size_t)((ptrdiff_t)conv->dy.left + sweep->cols.src_first) * conv->dy.channels;
  conv->packed_count += sweep_packed(sweep);
  return sweep_plan(sweep);
}

static void plan_scratch(ls_conv *conv)
{
  const ls_conv_shape *shape = &conv->shape;
  conv->dy_scratch = round_up(image_floats(&conv->x), LS_ALIGNMENT);
  conv->row_scratch = conv->dy_scratch + round_up(image_floats(&conv->dy), LS_ALIGNMENT);
  conv->scratch_count = conv->row_scratch + BLOCK * ls_size_max(shape->in.w, shape->out.w);
}

static size_t phases_of(const ls_conv *conv)
{
  return conv->shape.stride * conv->shape.stride;
}

ls_status ls_conv_init(ls_conv *conv, const ls_conv_shape *shape)
{
  conv->shape = *shape;
  plan_images(conv);
  LS_PASS(plan_forward(conv));
  LS_PASS(ls_alloc(&conv->backward, phases_of(conv), sizeof *conv->backward, "a convolution's phases"));
  for (size_t phase = 0; phase < phases_of(conv); phase++) LS_PASS(plan_backward(conv, phase));
  LS_PASS(plan_weights(conv));
  plan_scratch(conv);
  return LS_OK;
}

void ls_conv_fini(ls_conv *conv)
{
  sweep_fini(&conv->forward);
  if (conv->backward)
    for (size_t i = 0; i < phases_of(conv); i++) sweep_fini(&conv->backward[i]);
  free(conv->backward);
  for (int i = 0; i < 2; i++) ls_gemm_free(conv->weights.gemm[i]);
  free(conv->weights.a_bytes);
  free(conv->weights.b_bytes);
}

/* packed[block, tap, channel, filter] of the forward sweep. */
static void pack_forward(const ls_conv *conv, const float *weights, float *packed)
{
  const size_t channels = conv->shape.in.c;
  const size_t filters = conv->shape.out.c;
  const size_t taps = taps_of(conv);
  for (size_t block = 0; block < filters; block += BLOCK) {
    const size_t height = block_height(filters, block);
    const size_t used = ls_size_min(height, filters - block);
    for (size_t i = 0; i < taps * channels; i++, packed += height) {
      const float *from = weights + (block * channels + i % channels) * taps + i / channels;
      for (size_t k = 0; k < used; k++) packed[k] = from[k * channels * taps];
      for (size_t k = used; k < height; k++) packed[k] = 0;
    }
  }
}

/* packed[block, tap, filter, channel] of one phase: its taps in the order of the rows and columns of dy. */
static void pack_phase(const ls_conv *conv, size_t phase, const float *weights, float *packed)
{
  const ls_conv_sweep *sweep = &conv->backward[phase];
  const size_t channels = conv->shape.in.c;
  const size_t kernel = conv->shape.kernel;
  const size_t stride = conv->shape.stride;
  for (size_t block = 0; block < channels; block += BLOCK) {
    const size_t height = block_height(channels, block);
    const size_t used = ls_size_min(height, channels - block);
    for (size_t t = 0; t < sweep_taps(sweep); t++) {
      const size_t u = phase / stride + (sweep->rows.taps - 1 - t / sweep->cols.taps) * stride;
      const size_t v = phase % stride + (sweep->cols.taps - 1 - t % sweep->cols.taps) * stride;
      for (size_t k = 0; k < conv->shape.out.c; k++, packed += height) {
        const float *from = weights + ((k * channels + block) * kernel + u) * kernel + v;
        for (size_t c = 0; c < used; c++) packed[c] = from[c * kernel * kernel];
        for (size_t c = used; c < height; c++) packed[c] = 0;
      }
    }
  }
}

void ls_conv_pack(const ls_conv *conv, const float *weights, float *packed)
{
  pack_forward(conv, weights, packed);
  for (size_t phase = 0; phase < phases_of(conv); phase++)
    if (!sweep_is_empty(&conv->backward[phase]))
      pack_phase(conv, phase, weights, packed + conv->backward[phase].weights);
}

void ls_conv_unpack(const ls_conv *conv, const float *grads, float *weight_grads)
{
  const size_t channels = conv->shape.in.c;
  const size_t filters = conv->shape.out.c;
  const size_t taps = taps_of(conv);
  for (size_t block = 0; block < filters; block += BLOCK) {
    const size_t height = block_height(filters, block);
    const size_t used = ls_size_min(height, filters - block);
    for (size_t i = 0; i < taps * channels; i++, grads += height) {
      float *to = weight_grads + (block * channels + i % channels) * taps + i / channels;
      for (size_t k = 0; k < used; k++) to[k * channels * taps] = grads[k];
    }
  }
}

void ls_conv_forward(const ls_conv *conv, const float *packed, const float *bias, const float *x, float *y,
                     float *scratch)
{
  const sweep_data data = {.packed = packed,
                           .bias = bias,
                           .src = image_load(&conv->x, x, scratch),
                           .src_rows = conv->shape.in.h,
                           .dst = y,
                           .scratch = scratch + conv->row_scratch};
  sweep_run(&conv->forward, &data);
}

void ls_conv_backward(const ls_conv *conv, const float *packed, const float *x, const float *dy, float *dx,
                      float *grads, float *scratch)
{
  const float *dy_image = image_load(&conv->dy, dy, scratch + conv->dy_scratch);
  if (grads) backward_weights(conv, image_load(&conv->x, x, scratch), dy_image, grads);
  if (!dx) return;
  const sweep_data data = {.packed = packed,
                           .src = dy_image,
                           .src_rows = conv->shape.out.h,
                           .dst = dx,
                           .scratch = scratch + conv->row_scratch};
  for (size_t phase = 0; phase < phases_of(conv); phase++) sweep_run(&conv->backward[phase], &data);
}
