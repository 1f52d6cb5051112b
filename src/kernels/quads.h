/* SPDX-License-Identifier: BSD-3-Clause */
/* Max pooling of windows of 2x2 pixels that lie side by side: each is read and written in one go, a vector of
 * channels at a time.
 *
 * What is read and written beyond the last channel of a pixel belongs to the next pixel, which comes later.
 * Behind the last window up to lanes - 1 elements are read and written (ls_kernel_set), unless lanes divides
 * the channels. */
#ifndef LS_KERNELS_QUADS_H
#define LS_KERNELS_QUADS_H

#include <stddef.h>
#include <stdint.h>

/** One row of windows: y[windows, channels] is the largest of the pixels of `above` and `below` [2 * windows,
 * channels], the rows of pixels; of equal ones the first, and a NaN before any number. `argmax` says which
 * one it is: 0 and 1 above, 2 and 3 below. */
typedef void ls_quads_forward_function(const float *above, const float *below, size_t windows,
                                       size_t channels, float *y, uint16_t *argmax);

/** One row of pixels, dx[2 * windows, channels]: dy where argmax is `left`, or `left` + 1 in the right one of
 * a window's pixels, and 0 elsewhere. */
typedef void ls_quads_backward_function(const float *dy, const uint16_t *argmax, size_t windows,
                                        size_t channels, int32_t left, float *dx);

#endif
