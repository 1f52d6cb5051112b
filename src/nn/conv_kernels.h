/* SPDX-License-Identifier: BSD-3-Clause */
/* The loops of the convolution, on top of batch-reduce matrix products. Private to conv.c.
 *
 * With channels innermost, one row of output pixels is a matrix [filters x pixels], and it is the sum over
 * the taps (u, v) of the kernel of W_uv [filters x channels] times a row of input pixels shifted by v: one
 * batch-reduce product that reads the image where it lies. The gradient with respect to the input is the same
 * operation on dy, once per phase of the stride; the gradient of the weights reduces over rows instead of
 * taps. Rows of taps that fall into the padding above and below are left out; to the left and right the image
 * is copied into a padded one. Where there are few channels or filters the taps of a row are merged: they lie
 * side by side in memory, so they are one longer column, overlapping the next pixel's. Images of very few
 * channels go another way (planar.h).
 */
#ifndef LS_NN_CONV_KERNELS_H
#define LS_NN_CONV_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "nn/conv_image.h"
#include "nn/conv_planar.h"
#include "nn/conv_shape.h"
#include "nn/conv_sweep.h"
#include "nn/gemm.h"
#include "nn/kernel_pass.h"
#include "nn/shape.h"

/** dW += sum over rows of dy * x^T, for each tap. */
typedef struct ls_conv_weights {
  ls_gemm *gemm[2];            /* [full or last block of filters] */
  size_t tap_products[2];      /* products per row of taps, as in ls_conv_block */
  size_t band;                 /* output rows that stay in the first-level cache together */
  uint64_t *a_bytes, *b_bytes; /* offsets of the rows; owned */
} ls_conv_weights;

/** The plan; zero-initialize it. */
typedef struct ls_conv {
  ls_conv_shape shape;
  ls_conv_planar planar; /* in use: instead of `forward` and `weights` */
  ls_conv_image x, dy;
  ls_conv_sweep forward;
  ls_conv_sweep *backward; /* one per phase of the stride; owned */
  ls_conv_weights weights;
  size_t packed_count;            /* floats */
  size_t grad_count;              /* floats, without the bias */
  size_t scratch_count;           /* floats */
  size_t dy_scratch, row_scratch; /* offsets of the parts of scratch after x's */
} ls_conv;

/** On error ls_conv_fini() is still due. Local. Errors: LS_E_MEMORY, LS_E_BUG. */
ls_status ls_conv_init(ls_conv *conv, const ls_conv_shape *shape) LS_CHECKED;
void ls_conv_fini(ls_conv *conv);

/** Pack weights[filters, channels, kernel, kernel]. */
void ls_conv_pack(const ls_conv *conv, const float *weights, float *packed);

/** Turn a gradient into the layout of the weights. */
void ls_conv_unpack(const ls_conv *conv, const float *grads, float *weight_grads);

/** y[n, out] = conv(x[n, in]) + bias. */
void ls_conv_forward(const ls_conv *conv, const ls_kernel_pass *pass, const float *x, float *y);

/** The gradient with respect to the weights is added to `grads`, that with respect to x written to dx; either
 * may be NULL. */
void ls_conv_backward(const ls_conv *conv, const ls_kernel_pass *pass, const float *x, const float *dy,
                      float *dx, float *grads);

#endif
