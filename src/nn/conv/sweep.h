/* SPDX-License-Identifier: BSD-3-Clause */
/* A sweep over an image: what a convolution's forward pass is, and its gradient with respect to the input.
 * Private to the convolution. */
#ifndef LS_NN_CONV_SWEEP_H
#define LS_NN_CONV_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "nn/conv/image.h"
#include "kernels/gemm/gemm.h"

enum {
  LS_CONV_BLOCK = 32, /* output channels of one product: the register tile of AVX2 */
  LS_CONV_LANES = 8   /* the last block is padded to a multiple of this */
};

/** Kernels of a sweep for one height of a block of dst_channels. */
typedef struct ls_conv_block {
  ls_gemm *gemm;
  size_t tap_products;         /* products per row of taps: one per tap, or 1 where they are merged */
  uint64_t *a_bytes, *b_bytes; /* offsets of the products; owned */
} ls_conv_block;

/** dst[rows, cols, dst_channels] = bias + sum over taps of weights * source. */
typedef struct ls_conv_sweep {
  ls_conv_axis rows, cols;
  size_t channels;             /* of the source that are multiplied */
  size_t src_pixel, src_pitch; /* floats from pixel to pixel and from row to row */
  size_t src_column;           /* floats from the start of a row to the first column that is read */
  size_t dst_channels;
  size_t dst_width;        /* columns of the destination */
  size_t group;            /* rows of taps whose weights stay in the first-level cache together */
  size_t weights;          /* offset of its packed weights */
  ls_conv_block blocks[2]; /* [full or last] */
} ls_conv_sweep;

/** What a sweep works on. */
typedef struct ls_conv_sweep_data {
  const float *packed; /* weights[block, row of taps, tap, source channel, channel of the block] */
  const float *bias;   /* [dst_channels]; NULL for none */
  const float *src;    /* the padded image */
  size_t src_rows;
  float *dst;
  float *scratch; /* ls_conv_sweep_scratch() floats */
} ls_conv_sweep_data;

/** Plan the kernels; the members before `group` and `weights` are set. On error ls_conv_sweep_fini() is still
 * due. Local. Errors: LS_E_MEMORY, LS_E_USAGE. */
ls_status ls_conv_sweep_plan(ls_conv_sweep *sweep) LS_CHECKED;
void ls_conv_sweep_fini(ls_conv_sweep *sweep);

/** No positions, or no taps. */
bool ls_conv_sweep_is_empty(const ls_conv_sweep *sweep);

size_t ls_conv_sweep_packed(const ls_conv_sweep *sweep);  /* floats of its packed weights */
size_t ls_conv_sweep_scratch(const ls_conv_sweep *sweep); /* floats */

/** dst = bias + weights * source; a sweep without taps clears its positions. */
void ls_conv_sweep_run(const ls_conv_sweep *sweep, const ls_conv_sweep_data *data);

/** First channel of the last block of `channels`, and the padded height of the block that starts at `first`.
 */
size_t ls_conv_last_block(size_t channels);
size_t ls_conv_block_height(size_t channels, size_t first);

/** Merge the taps of a row into one product? */
bool ls_conv_merges(size_t height, size_t channels);

#endif
