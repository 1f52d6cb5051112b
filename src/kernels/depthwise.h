/* SPDX-License-Identifier: BSD-3-Clause */
/* Convolution of each channel by itself, in vectors of channels: a multiply-add takes a weight and an input
 * of each of them, with pixels in registers.
 *
 * Channels are a multiple of LS_DEPTHWISE_LANES. Weights lie in blocks of LS_DEPTHWISE_BLOCK channels,
 * [block][tap][channel of the block]; the last block may have LS_DEPTHWISE_LANES. Each channel's sums have
 * one order, whatever the width of the vectors. Compiled once for each kernel set (dispatch.h). Private to
 * the convolution. */
#ifndef LS_KERNELS_DEPTHWISE_H
#define LS_KERNELS_DEPTHWISE_H

#include <stddef.h>

enum { LS_DEPTHWISE_LANES = 8, LS_DEPTHWISE_BLOCK = 16 };

/** Neighbouring outputs of a row, whose windows have the same taps inside the image. */
typedef struct ls_depthwise_run {
  size_t channels;
  size_t columns;          /* outputs */
  size_t taps;             /* of the whole kernel */
  size_t first_tap;        /* first of those inside */
  size_t rows, row_taps;   /* rows of taps inside, and taps from one to the next */
  size_t cols;             /* taps inside of each row */
  size_t src_step;         /* floats from output to output in the source */
  size_t src_row, src_col; /* floats from tap to tap there */
  size_t dst_step;         /* floats from output to output where they are */
} ls_depthwise_run;

/** dst[columns][channels] = bias + sum over the taps of weights * src. bias [channels] or NULL. */
typedef void ls_depthwise_forward_function(const ls_depthwise_run *run, const float *weights,
                                           const float *bias, const float *src, float *dst);

/** grads[tap][channel] += sum over the columns of dy * src; grads are laid out as the weights, dy as dst. */
typedef void ls_depthwise_weights_function(const ls_depthwise_run *run, const float *src, const float *dy,
                                           float *grads);

#endif
