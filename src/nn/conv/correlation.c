/* SPDX-License-Identifier: BSD-3-Clause */
/* Correlations as batch-reduce products over taps.
 *
 * An example: the image of image.c's example (5x5 pixels, 8 channels, copied with 7 columns), 64 filters of
 * 3x3, padding 1. src_pixel is 8, src_pitch 56. Filters go in two blocks of 32. Output row 2 of a block is
 * one matrix [32 filters x 5 pixels], the sum of 9 products of weights [32 x 8] with pixels [8 x 5]: that of
 * tap (u, v) reads 5 pixels from float (2 - 1 + u) * 56 + v * 8 on, so all of them read floats 56 to 223,
 * rows 1 to 3 of the copy, and its weights are the 256 floats from (3 u + v) * 256 on of the block's 2304.
 * With 8 or 16 filters or up to 4 channels the three taps of a row are merged: 3 products of [24 x 5] pixels,
 * whose columns overlap, since column j + 1 begins 8 floats after column j.
 *
 * Output row 0 would begin in source row -1: its taps u = 0 are left out, and 6 products are summed, from
 * float 0 on. Output row 4 leaves out u = 2. */
#include "nn/conv/correlation.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"

enum {
  GROUP_FLOATS = 6144, /* weights in use at a time: three quarters of a first-level cache */
  MERGED_ROWS = 16,    /* blocks up to this height, and images of few channels, merge the taps of a row */
  MERGED_CHANNELS = 4
};

static const float zeros[LS_CONV_BLOCK];

size_t ls_conv_last_block(size_t channels)
{
  return (ls_size_ceil_div(channels, LS_CONV_BLOCK) - 1) * LS_CONV_BLOCK;
}

size_t ls_conv_block_height(size_t channels, size_t first)
{
  if (first + LS_CONV_BLOCK < channels) return LS_CONV_BLOCK;
  return ls_size_ceil_div(channels - first, LS_CONV_LANES) * LS_CONV_LANES;
}

bool ls_conv_merges(size_t height, size_t channels)
{
  return height <= MERGED_ROWS || channels <= MERGED_CHANNELS;
}

static size_t taps_of(const ls_conv_correlation *self)
{
  return self->rows.taps * self->cols.taps;
}

/* The last block is higher than the channels that are left for it. */
static bool is_padded(const ls_conv_correlation *self)
{
  return self->dst_channels % LS_CONV_LANES != 0;
}

/* A single padded block may write its surplus into the next pixels, which are written
 * after it, where rows follow each other without a gap. Only the last row needs care. */
static bool spills(const ls_conv_correlation *self)
{
  const size_t surplus = ls_conv_block_height(self->dst_channels, 0) - self->dst_channels;
  return is_padded(self) && self->dst_channels < LS_CONV_BLOCK && self->rows.dst_step == 1 &&
         self->cols.dst_step == 1 && self->cols.count == self->dst_width &&
         surplus <= self->dst_width * self->dst_channels;
}

size_t ls_conv_correlation_packed(const ls_conv_correlation *self)
{
  return ls_size_ceil_div(self->dst_channels, LS_CONV_LANES) * LS_CONV_LANES * taps_of(self) * self->channels;
}

size_t ls_conv_correlation_scratch(const ls_conv_correlation *self)
{
  return is_padded(self) ? LS_CONV_BLOCK * self->cols.count : 0;
}

bool ls_conv_correlation_is_empty(const ls_conv_correlation *self)
{
  return self->rows.count == 0 || self->cols.count == 0 || taps_of(self) == 0;
}

/* Kernel and offsets for the full blocks or the last one. */
static ls_status plan_block(ls_conv_correlation *self, bool last)
{
  ls_conv_block *block = &self->blocks[last];
  const size_t first = last ? ls_conv_last_block(self->dst_channels) : 0;
  const size_t height = last ? ls_conv_block_height(self->dst_channels, first) : LS_CONV_BLOCK;
  const bool in_scratch = last && is_padded(self) && !spills(self);
  const bool merged =
      ls_conv_merges(height, self->channels) && self->src_pixel == self->channels && self->cols.tap_step == 1;
  block->tap_products = merged ? 1 : self->cols.taps;
  const size_t taps = self->cols.taps / block->tap_products; /* of one product */
  const ls_gemm_shape shape = {.m = height,
                               .n = self->cols.count,
                               .k = taps * self->channels,
                               .lda = height,
                               .ldb = self->cols.src_step * self->src_pixel,
                               .ldc = in_scratch ? height : self->cols.dst_step * self->dst_channels};
  LS_PASS(ls_gemm_new(&block->gemm, &shape));
  const size_t count = self->rows.taps * block->tap_products;
  LS_PASS(ls_alloc(&block->a_bytes, count, sizeof(uint64_t), "offsets of taps"));
  LS_PASS(ls_alloc(&block->b_bytes, count, sizeof(uint64_t), "offsets of taps"));
  for (size_t t = 0; t < count; t++) {
    const size_t row = t / block->tap_products;
    const size_t column = t % block->tap_products;
    block->a_bytes[t] = t * taps * self->channels * height * sizeof(float);
    block->b_bytes[t] =
        (row * self->rows.tap_step * self->src_pitch + column * self->cols.tap_step * self->src_pixel) *
        sizeof(float);
  }
  return LS_OK;
}

ls_status ls_conv_correlation_plan(ls_conv_correlation *self)
{
  if (ls_conv_correlation_is_empty(self)) return LS_OK;
  LS_PASS(plan_block(self, true));
  if (self->dst_channels > LS_CONV_BLOCK) LS_PASS(plan_block(self, false));
  const size_t height = ls_conv_block_height(self->dst_channels, 0);
  const size_t row_floats = self->cols.taps * self->channels * height;
  self->group = ls_size_min(self->rows.taps, ls_size_max(1, GROUP_FLOATS / row_floats));
  return LS_OK;
}

void ls_conv_correlation_fini(ls_conv_correlation *self)
{
  for (int i = 0; i < 2; i++) {
    ls_gemm_free(self->blocks[i].gemm);
    free(self->blocks[i].a_bytes);
    free(self->blocks[i].b_bytes);
  }
}

/* One row of output positions and some of its rows of taps. */
typedef struct row_taps {
  size_t row, begin, end;
} row_taps;

/* The block of output channels from `first` on: c = start + ..., or c += ... if start is NULL. */
static void run_row(const ls_conv_correlation *self, const ls_conv_correlation_data *data, size_t first,
                    row_taps taps, const float *start, float *c)
{
  const ls_conv_block *block = &self->blocks[first + LS_CONV_BLOCK >= self->dst_channels];
  const size_t height = ls_conv_block_height(self->dst_channels, first);
  const ls_conv_inside inside = ls_conv_taps_inside(&self->rows, taps.row, data->src_rows);
  const size_t begin = ls_size_max(taps.begin, inside.begin), end = ls_size_min(taps.end, inside.end);
  if (begin >= end) {
    if (start) ls_gemm_fill(block->gemm, start, c);
    return;
  }
  const float *a = data->packed + self->weights +
                   (first * self->rows.taps + begin * height) * self->cols.taps * self->channels;
  const ptrdiff_t src_row =
      self->rows.src_first + (ptrdiff_t)(taps.row * self->rows.src_step + begin * self->rows.tap_step);
  const float *b = data->src + (size_t)src_row * self->src_pitch + self->src_column;
  const ls_gemm_batch batch = {
      .a_bytes = block->a_bytes, .b_bytes = block->b_bytes, .count = (end - begin) * block->tap_products};
  ls_gemm_run(block->gemm, start, a, b, c, &batch);
}

static float *destination(const ls_conv_correlation *self, float *dst, size_t i)
{
  const size_t row = self->rows.dst_first + i * self->rows.dst_step;
  return dst + (row * self->dst_width + self->cols.dst_first) * self->dst_channels;
}

/* The last block when its height is padded: each row is made in scratch, then copied. */
static void run_padded_block(const ls_conv_correlation *self, const ls_conv_correlation_data *data,
                             size_t first)
{
  const size_t height = ls_conv_block_height(self->dst_channels, first);
  const size_t step = self->cols.dst_step * self->dst_channels;
  for (size_t i = 0; i < self->rows.count; i++) {
    run_row(self, data, first, (row_taps){i, 0, self->rows.taps}, zeros, data->scratch);
    float *to = destination(self, data->dst, i) + first;
    for (size_t j = 0; j < self->cols.count; j++)
      for (size_t c = 0; c < self->dst_channels - first; c++)
        to[j * step + c] = data->scratch[j * height + c] + (data->bias ? data->bias[first + c] : 0);
  }
}

/* The only block, when it spills into the next pixel: rows in order, and the last one by way of scratch. */
static void run_spilling_block(const ls_conv_correlation *self, const ls_conv_correlation_data *data)
{
  float start[LS_CONV_BLOCK] = {0};
  if (data->bias) memcpy(start, data->bias, self->dst_channels * sizeof *start);
  const size_t last = self->rows.count - 1;
  for (size_t i = 0; i < last; i++)
    run_row(self, data, 0, (row_taps){i, 0, self->rows.taps}, start, destination(self, data->dst, i));
  run_row(self, data, 0, (row_taps){last, 0, self->rows.taps}, start, data->scratch);
  memcpy(destination(self, data->dst, last), data->scratch,
         self->cols.count * self->dst_channels * sizeof *start);
}

static void run_block(const ls_conv_correlation *self, const ls_conv_correlation_data *data, size_t first)
{
  const float *bias = data->bias ? data->bias + first : zeros;
  for (size_t tap = 0; tap < self->rows.taps; tap += self->group) {
    const size_t end = ls_size_min(tap + self->group, self->rows.taps);
    for (size_t i = 0; i < self->rows.count; i++)
      run_row(self, data, first, (row_taps){i, tap, end}, tap == 0 ? bias : NULL,
              destination(self, data->dst, i) + first);
  }
}

/* A correlation without taps (a stride larger than the kernel leaves pixels untouched): zeros. */
static void clear(const ls_conv_correlation *self, float *dst)
{
  for (size_t i = 0; i < self->rows.count; i++)
    for (size_t j = 0; j < self->cols.count; j++)
      memset(destination(self, dst, i) + j * self->cols.dst_step * self->dst_channels, 0,
             self->dst_channels * sizeof *dst);
}

void ls_conv_correlation_run(const ls_conv_correlation *self, const ls_conv_correlation_data *data)
{
  if (ls_conv_correlation_is_empty(self)) {
    clear(self, data->dst);
    return;
  }
  if (spills(self)) {
    run_spilling_block(self, data);
    return;
  }
  const size_t last = ls_conv_last_block(self->dst_channels);
  for (size_t first = 0; first < last; first += LS_CONV_BLOCK) run_block(self, data, first);
  if (is_padded(self))
    run_padded_block(self, data, last);
  else
    run_block(self, data, last);
}
