/* SPDX-License-Identifier: BSD-3-Clause */
/* y = W x + b for many columns at a time, for dense layers and for convolutions whose windows do not overlap
 * in memory. For the layers that are built on it, and sgemm.c.
 *
 * Matrices are cut into panels so that the slice of weights in use stays in the first-level cache while all
 * columns pass by it. The number of columns may change from pass to pass: kernels are planned for the largest
 * number and for the powers of two below, and a pass combines them. */
#ifndef LS_KERNELS_AFFINE_H
#define LS_KERNELS_AFFINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "kernels/dispatch.h"
#include "kernels/gemm/gemm.h"
#include "kernels/kernel_pass.h"

enum {
  LS_AFFINE_MAX_SIZES = 24,
  LS_AFFINE_PANEL = 32 /* rows of a panel: four vectors of AVX2, as many as its register tile has */
};

/** Planned y[m x n] += A[m x k] B[k x n], where A is packed in panels; zero-initialize it. */
typedef struct ls_product {
  size_t m, k;
  size_t size_count;
  size_t sizes[LS_AFFINE_MAX_SIZES];        /* numbers of columns with kernels, falling down to 1 */
  ls_gemm *gemm[2][2][LS_AFFINE_MAX_SIZES]; /* [full or last panel][full or last slice of k][size] */
} ls_product;

/** The plan; zero-initialize it. */
typedef struct ls_affine {
  const ls_kernel_set *kernels;
  size_t in, out;     /* features */
  size_t taps;        /* inputs are [taps, in / taps], weights [out, in / taps, taps] */
  ls_product forward; /* y = W x */
  bool input_is_data; /* no gradient with respect to the inputs will be asked for */
  ls_product data;    /* dx = W^T dy */
  size_t strip;       /* outputs whose gradients are made together */
  ls_gemm *weights[2][2][LS_AFFINE_MAX_SIZES]; /* dW += x dy^T: [full or last panel of `in`][full or last
                                                  strip of `out`][size] */
  size_t packed_count;                         /* floats of the packed weights, both directions */
  size_t scratch_count;                        /* floats */
} ls_affine;

/** Plan for at most `columns` columns; in, out, taps and input_is_data are set, taps divides in, and is 1
 * where inputs and weights have the same order. On error the caller still calls ls_affine_fini(). Local.
 * Errors: LS_E_MEMORY, LS_E_USAGE. */
ls_status ls_affine_plan(ls_affine *affine, size_t columns) LS_CHECKED;
void ls_affine_fini(ls_affine *affine);

/** Pack weights[out, in / taps, taps]: those of the LS_AFFINE_PANEL outputs from `first` on, or all. */
void ls_affine_pack_panel(const ls_affine *affine, const float *weights, float *packed, size_t first);
void ls_affine_pack(const ls_affine *affine, const float *weights, float *packed);

/** y[n][out] = W x + bias. */
void ls_affine_forward(const ls_affine *affine, const ls_kernel_pass *pass, const float *x, float *y);

/** dx[n][in] = W^T dy. */
void ls_affine_backward_data(const ls_affine *affine, const ls_kernel_pass *pass, const float *dy, float *dx);

/** dw[out, taps, in / taps] = sum over the columns of dy x^T, from the last outputs to the first; added to it
 * if the pass accumulates.
 *
 * Unless it is NULL, pass->done is called after each strip but that of the
 * first outputs; dw lies at pass->grad_offset then.
 */
void ls_affine_backward_weights(const ls_affine *affine, const ls_kernel_pass *pass, const float *x,
                                const float *dy, float *dw);

/** Turn dw into the layout of the weights: the LS_AFFINE_PANEL outputs from `first` on. */
void ls_affine_unpack_panel(const ls_affine *affine, const float *dw, float *weight_grads, size_t first);

/** sum[c] += sum over the rows of x[rows][channels]. */
void ls_add_rows(const float *restrict x, size_t rows, size_t channels, float *restrict sum);

#endif
