/* SPDX-License-Identifier: BSD-3-Clause */
/* Small matrix products, planned before training and run without checks. All matrices are column-major: a
 * row-major micro-batch [pixels, channels] is a channels x pixels matrix.
 *
 * Products with few rows run on our own register tiles (tile_kernels.h); the rest on libxsmm's JIT kernels
 * (xsmm.c), or on CBLAS where libxsmm is missing (cblas.c). The tiles also do products that the
 * library cannot run for lack of executable memory or of instructions. They sum in the order of the batch and
 * of k, as libxsmm does with AVX2: there both give the same bits. With AVX-512 it splits some sums in two. */
#ifndef LS_KERNELS_GEMM_GEMM_H
#define LS_KERNELS_GEMM_GEMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "kernels/tile.h"

/** A planned product; opaque, immutable, shared by all threads. */
typedef struct ls_gemm ls_gemm;

/** Plan a product. Local. Errors: LS_E_MEMORY; LS_E_USAGE if the library is unsuitable as it is. */
ls_status ls_gemm_new(ls_gemm **out, const ls_gemm_shape *shape) LS_CHECKED;
void ls_gemm_free(ls_gemm *gemm);

/** C += sum of A_t * B_t, or C = start + sum of A_t * B_t. No allocation, no lock; the result depends only on
 * the inputs.
 *
 * @param[in] start  [m] the value that every column of C starts from; NULL: from what it holds
 * @param[in] batch  NULL: a single pair of matrices at a and b
 */
void ls_gemm_run(const ls_gemm *gemm, const float *start, const float *a, const float *b, float *c,
                 const ls_gemm_batch *batch);

/** Every column of C = start[m]: the product of an empty batch. */
void ls_gemm_fill(const ls_gemm *gemm, const float *start, float *c);

/** Name and version of the back end ("libxsmm 1.17 (hsw)", "cblas: OpenBLAS ..."), or "register tiles" with
 * the reason where it cannot run; borrowed, valid until the calling thread asks again. Local. */
const char *ls_gemm_backend(void);

/** Why the back end cannot run here and slower kernels of our own do; NULL where it can. Borrowed.
 * Local. */
const char *ls_gemm_fallback_reason(void);

#endif
