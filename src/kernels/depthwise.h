/* SPDX-License-Identifier: BSD-3-Clause */
/* Convolution of each channel by itself, in vectors of channels: a multiply-add takes a weight and an input
 * of each of them, and the sums of neighbouring pixels are in flight.
 *
 * A kernel works on a slice of channels: a cache line of them, or half of one. Of all pixels it takes these
 * together, so that the rows under a window stay in the first-level cache. Each channel's sums have one
 * order, whatever the width of the vectors. Compiled once for each kernel set (dispatch.h). Private to the
 * convolution. */
#ifndef LS_KERNELS_DEPTHWISE_H
#define LS_KERNELS_DEPTHWISE_H

#include <stddef.h>

enum { LS_DEPTHWISE_SLICE = 16, LS_DEPTHWISE_LANES = 8 /* of the last slice at least */ };

/** Neighbouring outputs of a row, whose windows have the same taps inside the image. */
typedef struct ls_depthwise_run {
  size_t lanes;            /* channels: LS_DEPTHWISE_SLICE or LS_DEPTHWISE_LANES */
  size_t columns;          /* outputs */
  size_t rows, cols;       /* taps that are inside */
  size_t tap_row;          /* floats from row to row of the weights, which are [rows][cols][lanes] */
  size_t src_step;         /* floats from output to output in the source */
  size_t src_row, src_col; /* floats from tap to tap there */
  size_t dst_step;         /* floats from output to output where they are */
} ls_depthwise_run;

/** dst[columns][lanes] = bias + sum over the taps of weights * src. bias [lanes] or NULL. */
typedef void ls_depthwise_forward_function(const ls_depthwise_run *run, const float *weights,
                                           const float *bias, const float *src, float *dst);

/** grads[tap][lane] += sum over the columns of dy * src; grads are laid out as the weights, dy as dst. */
typedef void ls_depthwise_weights_function(const ls_depthwise_run *run, const float *src, const float *dy,
                                           float *grads);

#endif
