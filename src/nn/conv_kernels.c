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
  PATCH_FLOATS = 4096, /* patches gathered at a time */
  PATCH_CHANNELS = 4   /* up to so many channels, patches are faster */
};

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

/* Kernel and tap offsets for blocks of height `height`. */
static ls_status plan_block(ls_conv_sweep *sweep, bool last)
{
  const size_t first = last ? last_first(sweep->dst_channels) : 0;
  const size_t height = last ? block_height(sweep->dst_channels, first) : BLOCK;
  const bool padded = first + height > sweep->dst_channels;
  const ls_gemm_shape shape = {.m = height,
                               .n = sweep->cols.count,
                               .k = sweep->channels,
                               .lda = height,
                               .ldb = sweep->cols.src_step * sweep->src_pixel,
                               .ldc = padded ? height : sweep->cols.dst_step * sweep->dst_channels,
                               .accumulate = true};
  LS_PASS(ls_gemm_new(&sweep->gemm[last], &shape));
  LS_PASS(ls_alloc(&sweep->a_bytes[last], sweep_taps(sweep), sizeof(uint64_t), "tap offsets"));
  for (size_t t = 0; t < sweep_taps(sweep); t++)
    sweep->a_bytes[last][t] = t * sweep->channels * height * sizeof(float);
  return LS_OK;
}

static ls_status sweep_plan(ls_conv_sweep *sweep)
{
  if (sweep_is_empty(sweep)) return LS_OK;
  LS_PASS(plan_block(sweep, true));
  if (sweep->dst_channels > BLOCK) LS_PASS(plan_block(sweep, false));
  LS_PASS(ls_alloc(&sweep->b_bytes, sweep_taps(sweep), sizeof(uint64_t), "tap offsets"));
  for (size_t q = 0; q < sweep->rows.taps; q++)
    for (size_t p = 0; p < sweep->cols.taps; p++)
      sweep->b_bytes[q * sweep->cols.taps + p] =
          (q * sweep->src_pitch + p * sweep->src_pixel) * sizeof(float);
  const size_t height = ls_size_min(BLOCK, round_up(sweep->dst_channels, LANES));
  const size_t row_floats = sweep->cols.taps * sweep->channels * height;
  sweep->group = ls_size_min(sweep->rows.taps, ls_size_max(1, GROUP_FLOATS / row_floats));
  return LS_OK;
}

static void sweep_fini(ls_conv_sweep *sweep)
{
  for (int i = 0; i < 2; i++) {
    ls_gemm_free(sweep->gemm[i]);
    free(sweep->a_bytes[i]);
  }
  free(sweep->b_bytes);
}

/* A block of output channels of row i, for the rows of taps [first_tap, end_tap): c += ... */
static void run_row(const ls_conv_sweep *sweep, size_t block, size_t i, size_t first_tap, size_t end_tap,
                    const float *const operands[2], size_t src_rows, float *c)
{
  const ptrdiff_t src_row = sweep->rows.src_first + (ptrdiff_t)(i * sweep->rows.src_step);
  const ptrdiff_t end_inside = (ptrdiff_t)src_rows - src_row; /* taps from here on are below the image */
  if (end_inside <= 0) return;
  const size_t begin = src_row < 0 ? ls_size_max(first_tap, (size_t)-src_row) : first_tap;
  const size_t end = ls_size_min(end_tap, (size_t)end_inside);
  if (begin >= end) return;
  const size_t height = block_height(sweep->dst_channels, block);
  const bool last = block + BLOCK >= sweep->dst_channels;
  const float *a = operands[0] + block * sweep_taps(sweep) * sweep->channels +
                   begin * sweep->cols.taps * sweep->channels * height;
  const float *b = operands[1] + (size_t)(src_row + (ptrdiff_t)begin) * sweep->src_pitch + sweep->src_column;
  const ls_gemm_batch batch = {
      .a_bytes = sweep->a_bytes[last], .b_bytes = sweep->b_bytes, .count = (end - begin) * sweep->cols.taps};
  ls_gemm_run_batch(sweep->gemm[last], a, b, c, &batch);
}

static float *destination(const ls_conv_sweep *sweep, float *dst, size_t i)
{
  const size_t row = sweep->rows.dst_first + i * sweep->rows.dst_step;
  return dst + (row * sweep->dst_width + sweep->cols.dst_first) * sweep->dst_channels;
}

/* The last block when its height is padded: summed in scratch, then added to the destination. */
static void run_padded_block(const ls_conv_sweep *sweep, size_t block, const float *const operands[2],
                             size_t rows, size_t src_rows, float *dst, float *scratch)
{
  const size_t height = block_height(sweep->dst_channels, block);
  const size_t step = sweep->cols.dst_step * sweep->dst_channels;
  for (size_t i = 0; i < rows; i++) {
    memset(scratch, 0, sweep->cols.count * height * sizeof *scratch);
    run_row(sweep, block, i, 0, sweep->rows.taps, operands, src_rows, scratch);
    float *to = destination(sweep, dst, i) + block;
    for (size_t j = 0; j < sweep->cols.count; j++)
      for (size_t c = 0; c < sweep->dst_channels - block; c++) to[j * step + c] += scratch[j * height + c];
  }
}

/* dst += weights * source, for output rows [0, rows) of the sweep. */
static void sweep_run(const ls_conv_sweep *sweep, const float *packed, const float *src, size_t rows,
                      size_t src_rows, float *dst, float *scratch)
{
  if (sweep_is_empty(sweep)) return;
  const float *const operands[2] = {packed + sweep->weights, src};
  for (size_t block = 0; block < sweep->dst_channels; block += BLOCK) {
    if (block + block_height(sweep->dst_channels, block) > sweep->dst_channels) {
      run_padded_block(sweep, block, operands, rows, src_rows, dst, scratch);
      continue;
    }
    for (size_t tap = 0; tap < sweep->rows.taps; tap += sweep->group)
      for (size_t i = 0; i < rows; i++)
        run_row(sweep, block, i, tap, ls_size_min(tap + sweep->group, sweep->rows.taps), operands, src_rows,
                destination(sweep, dst, i) + block);
  }
}

static ls_status weights_plan(ls_conv_weights *weights, size_t columns, size_t rows)
{
  for (int last = 0; last < 2; last++) {
    if (!last && weights->filters <= BLOCK) continue;
    const size_t height = last ? block_height(weights->filters, last_first(weights->filters)) : BLOCK;
    const ls_gemm_shape shape = {.m = height,
                                 .n = weights->channels,
                                 .k = columns,
                                 .lda = weights->dy_pixel,
                                 .ldb = weights->stride * weights->channels,
                                 .ldc = height,
                                 .transpose_b = true,
                                 .accumulate = true};
    LS_PASS(ls_gemm_new(&weights->gemm[last], &shape));
  }
  LS_PASS(ls_alloc(&weights->a_bytes, rows, sizeof(uint64_t), "row offsets"));
  LS_PASS(ls_alloc(&weights->b_bytes, rows, sizeof(uint64_t), "row offsets"));
  for (size_t i = 0; i < rows; i++) {
    weights->a_bytes[i] = i * weights->dy_pitch * sizeof(float);
    weights->b_bytes[i] = i * weights->stride * weights->x_pitch * sizeof(float);
  }
  return LS_OK;
}

/* grads[block, tap, channel, filter] += dy * x^T for all taps, over output rows [0, rows). */
static void weights_run(const ls_conv_weights *weights, const float *x, size_t x_rows, const float *dy,
                        size_t rows, float *grads)
{
  for (size_t u = 0; u < weights->kernel; u++) {
    /* Output rows whose input row i * stride + u - top is inside. */
    const size_t first = u < weights->top ? ls_size_ceil_div(weights->top - u, weights->stride) : 0;
    if (first >= rows || first * weights->stride + u - weights->top >= x_rows) continue;
    const size_t x_row = first * weights->stride + u - weights->top;
    const size_t inside = ls_size_ceil_div(x_rows - x_row, weights->stride);
    const ls_gemm_batch batch = {
        .a_bytes = weights->a_bytes, .b_bytes = weights->b_bytes, .count = ls_size_min(rows - first, inside)};
    const float *x_first = x + x_row * weights->x_pitch + weights->x_column;
    const float *dy_first = dy + first * weights->dy_pitch + weights->dy_column;
    for (size_t block = 0; block < weights->filters; block += BLOCK) {
      const size_t height = block_height(weights->filters, block);
      const ls_gemm *gemm = weights->gemm[block + BLOCK >= weights->filters];
      float *to = grads + weights->channels *
                              (block * weights->kernel * weights->kernel + u * weights->kernel * height);
      for (size_t v = 0; v < weights->kernel; v++, to += weights->channels * height)
        ls_gemm_run_batch(gemm, dy_first + block, x_first + v * weights->channels, to, &batch);
    }
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

static void plan_forward(ls_conv *conv)
{
  const ls_conv_shape *shape = &conv->shape;
  const bool patches = conv->patches;
  const size_t channels = patches ? taps_of(conv) * shape->in.c : shape->in.c;
  ls_conv_sweep *sweep = &conv->forward;
  *sweep = (ls_conv_sweep){
      .rows = forward_axis(shape->out.h, shape->kernel, shape->stride, shape->top),
      .cols = forward_axis(shape->out.w, shape->kernel, shape->stride, shape->left),
      .channels = channels,
      .src_pixel = channels,
      .src_pitch = patches ? shape->out.w * channels : conv->x.width * channels,
      .dst_channels = shape->out.c,
      .dst_width = shape->out.w,
  };
  if (!patches) return;
  sweep->rows = forward_axis(conv->patch_rows, 1, 1, 0);
  sweep->cols = forward_axis(shape->out.w, 1, 1, 0);
}

static void plan_backward(ls_conv *conv, size_t phase)
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
  if (sweep_is_empty(sweep)) return;
  sweep->src_column = (size_t)((ptrdiff_t)conv->dy.left + sweep->cols.src_first) * conv->dy.channels;
  conv->packed_count += sweep_packed(sweep);
}

static void plan_weights(ls_conv *conv)
{
  const ls_conv_shape *shape = &conv->shape;
  conv->weights = (ls_conv_weights){
      .kernel = conv->patches ? 1 : shape->kernel,
      .stride = conv->patches ? 1 : shape->stride,
      .top = conv->patches ? 0 : shape->top,
      .channels = conv->forward.channels,
      .x_pitch = conv->forward.src_pitch,
      .x_column = conv->forward.src_column,
      .filters = shape->out.c,
      .dy_pixel = conv->dy.channels,
      .dy_pitch = conv->dy.width * conv->dy.channels,
      .dy_column = conv->dy.left * conv->dy.channels,
  };
}

static void plan_scratch(ls_conv *conv)
{
  const ls_conv_shape *shape = &conv->shape;
  const size_t patches = conv->patches ? conv->patch_rows * conv->forward.src_pitch : 0;
  conv->dy_scratch = round_up(image_floats(&conv->x), LS_ALIGNMENT);
  conv->patch_scratch = conv->dy_scratch + round_up(image_floats(&conv->dy), LS_ALIGNMENT);
  conv->row_scratch = conv->patch_scratch + round_up(patches, LS_ALIGNMENT);
  conv->scratch_count = conv->row_scratch + BLOCK * ls_size_max(shape->in.w, shape->out.w);
}

ls_status ls_conv_init(ls_conv *conv, const ls_conv_shape *shape)
{
  conv->shape = *shape;
  conv->patches = shape->in.c <= PATCH_CHANNELS && shape->kernel > 1;
  const size_t patch_row = shape->out.w * taps_of(conv) * shape->in.c;
  conv->patch_rows = ls_size_min(shape->out.h, ls_size_max(1, PATCH_FLOATS / patch_row));
  plan_images(conv);
  plan_forward(conv);
  conv->grad_count = conv->packed_count = sweep_packed(&conv->forward);
  LS_PASS(sweep_plan(&conv->forward));
  const size_t phases = shape->stride * shape->stride;
  LS_PASS(ls_alloc(&conv->backward, phases, sizeof *conv->backward, "the phases of a convolution"));
  for (; conv->backward_count < phases; conv->backward_count++) {
    plan_backward(conv, conv->backward_count);
    LS_PASS(sweep_plan(&conv->backward[conv->backward_count]));
  }
  plan_weights(conv);
  LS_PASS(weights_plan(&conv->weights, shape->out.w, conv->patches ? conv->patch_rows : shape->out.h));
  plan_scratch(conv);
  return LS_OK;
}

void ls_conv_fini(ls_conv *conv)
{
  sweep_fini(&conv->forward);
  if (conv->backward)
    for (size_t i = 0; i < conv->shape.stride * conv->shape.stride; i++) sweep_fini(&conv->backward[i]);
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
  for (size_t phase = 0; phase < conv->backward_count; phase++)
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

/* patches[j][u, v, c] for the pixels j of output row i. */
static void gather_row(const ls_conv *conv, const float *x, size_t i, float *patches)
{
  const ls_conv_shape *shape = &conv->shape;
  const size_t run = shape->kernel * shape->in.c;
  const size_t patch = shape->kernel * run;
  const size_t step = shape->stride * shape->in.c;
  for (size_t u = 0; u < shape->kernel; u++, patches += run) {
    const size_t padded_row = i * shape->stride + u;
    const bool inside = padded_row >= shape->top && padded_row - shape->top < shape->in.h;
    if (!inside) {
      for (size_t j = 0; j < shape->out.w; j++) memset(patches + j * patch, 0, run * sizeof *patches);
      continue;
    }
    const float *row = x + (padded_row - shape->top) * conv->x.width * shape->in.c;
    for (size_t j = 0; j < shape->out.w; j++)
      for (size_t q = 0; q < run; q++) patches[j * patch + q] = row[j * step + q];
  }
}

/* Gather the patches of output rows [first, first + rows). */
static const float *gather(const ls_conv *conv, const float *x, size_t first, size_t rows, float *scratch)
{
  for (size_t i = 0; i < rows; i++)
    gather_row(conv, x, first + i, scratch + conv->patch_scratch + i * conv->forward.src_pitch);
  return scratch + conv->patch_scratch;
}

void ls_conv_forward(const ls_conv *conv, const float *packed, const float *bias, const float *x, float *y,
                     float *scratch)
{
  const ls_shape out = conv->shape.out;
  const float *image = image_load(&conv->x, x, scratch);
  ls_fill_rows(bias, out.h * out.w, out.c, y);
  float *row_scratch = scratch + conv->row_scratch;
  if (!conv->patches) {
    sweep_run(&conv->forward, packed, image, out.h, conv->shape.in.h, y, row_scratch);
    return;
  }
  for (size_t first = 0; first < out.h; first += conv->patch_rows) {
    const size_t rows = ls_size_min(conv->patch_rows, out.h - first);
    const float *patches = gather(conv, image, first, rows, scratch);
    sweep_run(&conv->forward, packed, patches, rows, rows, y + first * out.w * out.c, row_scratch);
  }
}

static void backward_weights(const ls_conv *conv, const float *x, const float *dy, float *grads,
                             float *scratch)
{
  const size_t out_rows = conv->shape.out.h;
  const float *image = image_load(&conv->x, x, scratch);
  if (!conv->patches) {
    weights_run(&conv->weights, image, conv->shape.in.h, dy, out_rows, grads);
    return;
  }
  for (size_t first = 0; first < out_rows; first += conv->patch_rows) {
    const size_t rows = ls_size_min(conv->patch_rows, out_rows - first);
    const float *patches = gather(conv, image, first, rows, scratch);
    weights_run(&conv->weights, patches, rows, dy + first * conv->weights.dy_pitch, rows, grads);
  }
}

void ls_conv_backward(const ls_conv *conv, const float *packed, const float *x, const float *dy, float *dx,
                      float *grads, float *scratch)
{
  const float *image = image_load(&conv->dy, dy, scratch + conv->dy_scratch);
  if (grads) backward_weights(conv, x, image, grads, scratch);
  if (!dx) return;
  memset(dx, 0, ls_shape_count(conv->shape.in) * sizeof *dx);
  for (size_t phase = 0; phase < conv->backward_count; phase++)
    sweep_run(&conv->backward[phase], packed, image, conv->backward[phase].rows.count, conv->shape.out.h, dx,
              scratch + conv->row_scratch);
}
