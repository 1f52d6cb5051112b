/* SPDX-License-Identifier: BSD-3-Clause */
/* Images padded for convolution. Private to the convolution. */
#ifndef LS_NN_CONV_IMAGE_H
#define LS_NN_CONV_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "nn/conv/way.h"

/** An image as the products read it: rows padded with zero columns, pixels with zero channels. */
typedef struct ls_conv_image {
  ls_shape shape;     /* as it is given */
  size_t left, width; /* zero columns before the first, columns in all */
  size_t channels;    /* shape.c, or more */
  bool copied;        /* false: nothing to pad, read in place */
} ls_conv_image;

/** One dimension of a correlation: output position i reads the source positions src_first + i * src_step +
 * t * tap_step, for 0 <= t < taps. */
typedef struct ls_conv_axis {
  size_t count;               /* output positions */
  size_t dst_first, dst_step; /* where they are in the destination */
  ptrdiff_t src_first;        /* may be negative: in the padding */
  size_t src_step;
  size_t taps, tap_step;
  size_t kernel_last, kernel_step; /* going backward, tap t is the kernel's kernel_last - t * kernel_step */
} ls_conv_axis;

/** Output positions of a convolution. */
ls_conv_axis ls_conv_forward_axis(const ls_window *window, size_t out);

/** Correlations that make the gradient with respect to the input, one per phase of the strides; none where
 * nobody wants it. */
size_t ls_conv_phases(const ls_conv_shape *shape);

/** Positions of the input that are in a phase modulo the stride, counted in the padded input: the taps that
 * touch them. Those of a phase of a dimension, of `in` positions, and of both. */
ls_conv_axis ls_conv_backward_axis(const ls_window *window, size_t in, size_t phase);
void ls_conv_backward_axes(const ls_conv_shape *shape, size_t phase, ls_conv_axis *rows, ls_conv_axis *cols);

/** Taps of position i that are inside a source of `size` positions: [begin, end), none if they are equal. */
typedef struct ls_conv_inside {
  size_t begin, end;
} ls_conv_inside;

ls_conv_inside ls_conv_taps_inside(const ls_conv_axis *axis, size_t i, size_t size);

/** Widen an image, whose shape and channels are set, so that a correlation along `axis` reads no column
 * outside. */
void ls_conv_image_cover(ls_conv_image *image, const ls_conv_axis *axis);

/** To be called after all ls_conv_image_cover(). */
void ls_conv_image_fix(ls_conv_image *image);

/** Floats of the padded copy; 0 if there is none. */
size_t ls_conv_image_floats(const ls_conv_image *image);

/** Zero the padding of the copy; it stays zero through any number of loads. */
void ls_conv_image_clear(const ls_conv_image *image, float *copy);

/** The padded image of x[h, w, c]: `copy`, filled, or x itself where there is nothing to pad. */
const float *ls_conv_image_load(const ls_conv_image *image, const float *x, float *copy);

#endif
