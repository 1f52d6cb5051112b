/* SPDX-License-Identifier: BSD-3-Clause */
/* Small matrix products, planned before training and run without checks: libxsmm's JIT kernels
 * (gemm_xsmm.c), or CBLAS where libxsmm is missing (gemm_cblas.c). All matrices are column-major. */
#ifndef LS_NN_GEMM_H
#define LS_NN_GEMM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/** C (+)= sum over t < batch of A_t * B_t: a batch-reduce GEMM. */
typedef struct ls_gemm_shape {
  size_t m, n, k;            /* A_t is m x k, B_t is k x n (n x k when transpose_b), C is m x n; all >= 1 */
  size_t lda, ldb, ldc;      /* leading dimensions: lda >= m, ldb >= k (n when transpose_b), ldc >= m */
  size_t stride_a, stride_b; /* elements from A_t to A_t+1 and from B_t to B_t+1; any when the batch is 1 */
  bool transpose_b;          /* B_t is stored as its transpose, n x k */
  bool accumulate;           /* add to C instead of overwriting it */
} ls_gemm_shape;

/** A planned product; opaque, immutable, shared by all threads. */
typedef struct ls_gemm ls_gemm;

/** Plan a product. Local. Errors: LS_E_MEMORY; LS_E_BUG if the back end refuses the shape. */
ls_status ls_gemm_new(ls_gemm **out, const ls_gemm_shape *shape) LS_CHECKED;
void ls_gemm_free(ls_gemm *gemm);

/** Run it on `batch` >= 1 pairs of matrices. No allocation, no lock; the result depends only on the inputs. */
void ls_gemm_run(const ls_gemm *gemm, const float *a, const float *b, float *c, size_t batch);

/** Name and version of the back end ("libxsmm 1.17 (hsw)", "cblas: OpenBLAS ..."), borrowed. */
const char *ls_gemm_backend(void);

#endif
