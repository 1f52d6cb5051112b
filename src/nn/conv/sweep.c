/* SPDX-License-Identifier: BSD-3-Clause */
/* Sweeps as batch-reduce products over taps.
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
#include "nn/conv/sweep.h"

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

static size_t taps_of(const ls_conv_sweep *sweep)
{
  return sweep->rows.taps * sweep->cols.taps;
}

/* The last block is higher than the channels that are left for it. */
static bool is_padded(const ls_conv_sweep *sweep)
{
  return sweep->dst_channels % LS_CONV_LANES != 0;
}

/* A single padded block may write its surplus into the next pixels, which are written
 * after it, where rows follow each other without a gap. Only the last row needs care. */
static bool spills(const ls_conv_sweep *sweep)
{
  const size_t surplus = ls_conv_block_height(sweep->dst_channels, 0) - sweep->dst_channels;
  return is_padded(sweep) && sweep->dst_channels < LS_CONV_BLOCK && sweep->rows.dst_step == 1 &&
         sweep->cols.dst_step == 1 && sweep->cols.count == sweep->dst_width &&
         surplus <= sweep->dst_width * sweep->dst_channels;
}

size_t ls_conv_sweep_packed(const ls_conv_sweep *sweep)
{
  return ls_size_ceil_div(sweep->dst_channels, LS_CONV_LANES) * LS_CONV_LANES * taps_of(sweep) *
         sweep->channels;
}

size_t ls_conv_sweep_scratch(const ls_conv_sweep *sweep)
{
  return is_padded(sweep) ? LS_CONV_BLOCK * sweep->cols.count : 0;
}

bool ls_conv_sweep_is_empty(const ls_conv_sweep *sweep)
{
  return sweep->rows.count == 0 || sweep->cols.count == 0 || taps_of(sweep) == 0;
}

/* Kernel and offsets for the full blocks or the last one. */
static ls_status plan_block(ls_conv_sweep *sweep, bool last)
{
  ls_conv_block *block = &sweep->blocks[last];
  const size_t first = last ? ls_conv_last_block(sweep->dst_channels) : 0;
  const size_t height = last ? ls_conv_block_height(sweep->dst_channels, first) : LS_CONV_BLOCK;
  const bool in_scratch = last && is_padded(sweep) && !spills(sweep);
  const bool merged = ls_conv_merges(height, sweep->channels) && sweep->src_pixel == sweep->channels &&
                      sweep->cols.tap_step == 1;
  block->tap_products = merged ? 1 : sweep->cols.taps;
  const size_t taps = sweep->cols.taps / block->tap_products; /* of one product */
  const ls_gemm_shape shape = {.m = height,
                               .n = sweep->cols.count,
                               .k = taps * sweep->channels,
                               .lda = height,
                               .ldb = sweep->cols.src_step * sweep->src_pixel,
                               .ldc = in_scratch ? height : sweep->cols.dst_step * sweep->dst_channels};
  LS_PASS(ls_gemm_new(&block->gemm, &shape));
  const size_t count = sweep->rows.taps * block->tap_products;
  LS_PASS(ls_alloc(&block->a_bytes, count, sizeof(uint64_t), "offsets of taps"));
  LS_PASS(ls_alloc(&block->b_bytes, count, sizeof(uint64_t), "offsets of taps"));
  for (size_t t = 0; t < count; t++) {
    const size_t row = t / block->tap_products;
    const size_t column = t % block->tap_products;
    block->a_bytes[t] = t * taps * sweep->channels * height * sizeof(float);
    block->b_bytes[t] =
        (row * sweep->rows.tap_step * sweep->src_pitch + column * sweep->cols.tap_step * sweep->src_pixel) *
        sizeof(float);
  }
  return LS_OK;
}

ls_status ls_conv_sweep_plan(ls_conv_sweep *sweep)
{
  if (ls_conv_sweep_is_empty(sweep)) return LS_OK;
  LS_PASS(plan_block(sweep, true));
  if (sweep->dst_channels > LS_CONV_BLOCK) LS_PASS(plan_block(sweep, false));
  const size_t height = ls_conv_block_height(sweep->dst_channels, 0);
  const size_t row_floats = sweep->cols.taps * sweep->channels * height;
  sweep->group = ls_size_min(sweep->rows.taps, ls_size_max(1, GROUP_FLOATS / row_floats));
  return LS_OK;
}

void ls_conv_sweep_fini(ls_conv_sweep *sweep)
{
  for (int i = 0; i < 2; i++) {
    ls_gemm_free(sweep->blocks[i].gemm);
    free(sweep->blocks[i].a_bytes);
    free(sweep->blocks[i].b_bytes);
  }
}

/* One row of output positions and some of its rows of taps. */
typedef struct row_taps {
  size_t row, begin, end;
} row_taps;

/* The block of output channels from `first` on: c = start + ..., or c += ... if start is NULL. */
static void run_row(const ls_conv_sweep *sweep, const ls_conv_sweep_data *data, size_t first, row_taps taps,
                    const float *start, float *c)
{
  const ls_conv_block *block = &sweep->blocks[first + LS_CONV_BLOCK >= sweep->dst_channels];
  const size_t height = ls_conv_block_height(sweep->dst_channels, first);
  const ls_conv_inside inside = ls_conv_taps_inside(&sweep->rows, taps.row, data->src_rows);
  const size_t begin = ls_size_max(taps.begin, inside.begin), end = ls_size_min(taps.end, inside.end);
  if (begin >= end) {
    if (start) ls_gemm_fill(block->gemm, start, c);
    return;
  }
  const float *a = data->packed + sweep->weights +
                   (first * sweep->rows.taps + begin * height) * sweep->cols.taps * sweep->channels;
  const ptrdiff_t src_row =
      sweep->rows.src_first + (ptrdiff_t)(taps.row * sweep->rows.src_step + begin * sweep->rows.tap_step);
  const float *b = data->src + (size_t)src_row * sweep->src_pitch + sweep->src_column;
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
static void run_padded_block(const ls_conv_sweep *sweep, const ls_conv_sweep_data *data, size_t first)
{
  const size_t height = ls_conv_block_height(sweep->dst_channels, first);
  const size_t step = sweep->cols.dst_step * sweep->dst_channels;
  for (size_t i = 0; i < sweep->rows.count; i++) {
    run_row(sweep, data, first, (row_taps){i, 0, sweep->rows.taps}, zeros, data->scratch);
    float *to = destination(sweep, data->dst, i) + first;
    for (size_t j = 0; j < sweep->cols.count; j++)
      for (size_t c = 0; c < sweep->dst_channels - first; c++)
        to[j * step + c] = data->scratch[j * height + c] + (data->bias ? data->bias[first + c] : 0);
  }
}

/* The only block, when it spills into the next pixel: rows in order, and the last one by way of scratch. */
static void run_spilling_block(const ls_conv_sweep *sweep, const ls_conv_sweep_data *data)
{
  float start[LS_CONV_BLOCK] = {0};
  if (data->bias) memcpy(start, data->bias, sweep->dst_channels * sizeof *start);
  const size_t last = sweep->rows.count - 1;
  for (size_t i = 0; i < last; i++)
    run_row(sweep, data, 0, (row_taps){i, 0, sweep->rows.taps}, start, destination(sweep, data->dst, i));
  run_row(sweep, data, 0, (row_taps){last, 0, sweep->rows.taps}, start, data->scratch);
  memcpy(destination(sweep, data->dst, last), data->scratch,
         sweep->cols.count * sweep->dst_channels * sizeof *start);
}

static void run_block(const ls_conv_sweep *sweep, const ls_conv_sweep_data *data, size_t first)
{
  const float *bias = data->bias ? data->bias + first : zeros;
  for (size_t tap = 0; tap < sweep->rows.taps; tap += sweep->group) {
    const size_t end = ls_size_min(tap + sweep->group, sweep->rows.taps);
    for (size_t i = 0; i < sweep->rows.count; i++)
      run_row(sweep, data, first, (row_taps){i, tap, end}, tap == 0 ? bias : NULL,
              destination(sweep, data->dst, i) + first);
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

void ls_conv_sweep_run(const ls_conv_sweep *sweep, const ls_conv_sweep_data *data)
{
  if (ls_conv_sweep_is_empty(sweep)) {
    clear(sweep, data->dst);
    return;
  }
  if (spills(sweep)) {
    run_spilling_block(sweep, data);
    return;
  }
  const size_t last = ls_conv_last_block(sweep->dst_channels);
  for (size_t first = 0; first < last; first += LS_CONV_BLOCK) run_block(sweep, data, first);
  if (is_padded(sweep))
    run_padded_block(sweep, data, last);
  else
    run_block(sweep, data, last);
}
