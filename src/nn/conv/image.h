/* SPDX-License-Identifier: BSD-3-Clause */
/* Images padded for convolution. Private to the convolution. */
#ifndef LS_NN_CONV_IMAGE_H
#define LS_NN_CONV_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "nn/shape.h"

/** An image as the products read it: rows padded with zero columns, pixels with zero channels. */
typedef struct ls_conv_image {
  ls_shape shape;     /* as it is given */
  size_t left, width; /* zero columns before the first, columns in all */
  size_t channels;    /* shape.c, or more */
  bool copied;        /* false: nothing to pad, read in place */
} ls_conv_image;

/** One dimension of a sweep: output position i reads source positions src_first + i * src_step + [0, taps).
 */
typedef struct ls_conv_axis {
  size_t count;               /* output positions */
  size_t dst_first, dst_step; /* where they are in the destination */
  ptrdiff_t src_first;        /* may be negative: in the padding */
  size_t src_step, taps;
} ls_conv_axis;

/** Output positions of a convolution. */
ls_conv_axis ls_conv_forward_axis(size_t out, size_t kernel, size_t stride, size_t pad);

/** Positions of the input that are in `phase` modulo the stride, counted in the padded input: only every
 * stride-th tap touches them. */
ls_conv_axis ls_conv_backward_axis(size_t in, size_t kernel, size_t stride, size_t pad, size_t phase);

/** Widen an image, whose shape and channels are set, so that a sweep along `axis` reads no column outside. */
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
