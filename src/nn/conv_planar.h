/* SPDX-License-Identifier: BSD-3-Clause */
/* The plan of a convolution in planes (planar.h): forward, and the gradient of its weights. The gradient with
 * respect to the input, seldom wanted of a first layer, is that of the other convolutions. */
#ifndef LS_NN_CONV_PLANAR_H
#define LS_NN_CONV_PLANAR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "nn/conv_shape.h"
#include "nn/kernel_pass.h"
#include "nn/tile.h"

/** Zero-initialize it: then it is not in use. */
typedef struct ls_conv_planar {
  const ls_tile_kernels *kernels;                 /* NULL: not in use */
  size_t *taps;                                   /* [tap_count] offsets; owned */
  size_t tap_count;                               /* channels * kernel * kernel */
  size_t pitch, rows;                             /* of a padded plane */
  size_t dy_pixels;                               /* floats of a plane of dy */
  size_t dy_scratch, tile_scratch, scratch_count; /* floats: offsets of the parts after the planes; in all */
} ls_conv_planar;

/** Is it the better way for this shape? */
bool ls_conv_planar_fits(const ls_conv_shape *shape);

/** On error ls_conv_planar_fini() is still due. Local. Errors: LS_E_MEMORY. */
ls_status ls_conv_planar_init(ls_conv_planar *planar, const ls_conv_shape *shape) LS_CHECKED;
void ls_conv_planar_fini(ls_conv_planar *planar);

/** Pack weights[filters, channels, kernel, kernel] to as many floats. */
void ls_conv_planar_pack(const ls_conv_planar *planar, const ls_conv_shape *shape, const float *weights,
                         float *packed);

/** y[n, out] = conv(x[n, in]) + bias. */
void ls_conv_planar_forward(const ls_conv_planar *planar, const ls_conv_shape *shape,
                            const ls_kernel_pass *pass, const float *x, float *y);

/** Add the gradient of the weights, in their layout, to grads. */
void ls_conv_planar_backward_weights(const ls_conv_planar *planar, const ls_conv_shape *shape,
                                     const ls_kernel_pass *pass, const float *x, const float *dy,
                                     float *grads);

#endif
