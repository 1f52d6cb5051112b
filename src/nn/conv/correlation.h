/* SPDX-License-Identifier: BSD-3-Clause */
/* A correlation over an image: what a convolution's forward pass is, and its gradient with respect to the
 * input. Private to the convolution. */
#ifndef LS_NN_CONV_CORRELATION_H
#define LS_NN_CONV_CORRELATION_H

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

/** Kernels of a correlation for one height of a block of dst_channels. */
typedef struct ls_conv_block {
  ls_gemm *gemm;
  size_t tap_products;         /* products per row of taps: one per tap, or 1 where they are merged */
  uint64_t *a_bytes, *b_bytes; /* offsets of the products; owned */
} ls_conv_block;

/** dst[rows, cols, dst_channels] = bias + sum over taps of weights * source. */
typedef struct ls_conv_correlation {
  ls_conv_axis rows, cols;
  size_t channels;             /* of the source that are multiplied */
  size_t src_pixel, src_pitch; /* floats from pixel to pixel and from row to row */
  size_t src_column;           /* floats from the start of a row to the first column that is read */
  size_t dst_channels;
  size_t dst_width;        /* columns of the destination */
  size_t group;            /* rows of taps whose weights stay in the first-level cache together */
  size_t weights;          /* offset of its packed weights */
  ls_conv_block blocks[2]; /* [full or last] */
} ls_conv_correlation;

/** What a correlation works on. */
typedef struct ls_conv_correlation_data {
  const float *packed; /* weights[block, row of taps, tap, source channel, channel of the block] */
  const float *bias;   /* [dst_channels]; NULL for none */
  const float *src;    /* the padded image */
  size_t src_rows;
  float *dst;
  float *scratch; /* ls_conv_correlation_scratch() floats */
} ls_conv_correlation_data;

/** Plan the kernels; the members before `group` and `weights` are set. On error ls_conv_correlation_fini() is
 * still due. Local. Errors: LS_E_MEMORY, LS_E_USAGE. */
ls_status ls_conv_correlation_plan(ls_conv_correlation *self) LS_CHECKED;
void ls_conv_correlation_fini(ls_conv_correlation *self);

/** No positions, or no taps. */
bool ls_conv_correlation_is_empty(const ls_conv_correlation *self);

size_t ls_conv_correlation_packed(const ls_conv_correlation *self);  /* floats of its packed weights */
size_t ls_conv_correlation_scratch(const ls_conv_correlation *self); /* floats */

/** dst = bias + weights * source; a correlation without taps clears its positions. */
void ls_conv_correlation_run(const ls_conv_correlation *self, const ls_conv_correlation_data *data);

/** First channel of the last block of `channels`, and the padded height of the block that starts at `first`.
 */
size_t ls_conv_last_block(size_t channels);
size_t ls_conv_block_height(size_t channels, size_t first);

/** Merge the taps of a row into one product? */
bool ls_conv_merges(size_t height, size_t channels);

#endif
