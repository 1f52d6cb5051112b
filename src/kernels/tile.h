/* SPDX-License-Identifier: BSD-3-Clause */
/* Matrix products in register tiles, for products with few rows and those that the library cannot do, and how
 * products are described: gemm/gemm.h chooses what runs them. */
#ifndef LS_KERNELS_TILE_H
#define LS_KERNELS_TILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** C += sum over t < count of A_t * B_t: a batch-reduce GEMM. */
typedef struct ls_gemm_shape {
  size_t m, n, k;       /* A_t is m x k, B_t is k x n (n x k when transpose_b), C is m x n; all >= 1 */
  size_t lda, ldb, ldc; /* leading dimensions: lda >= m, ldb >= k (n when transpose_b), ldc >= m. If m is a
                           multiple of 8, columns may overlap: of B with any ldb >= 1; of C with ldc > m - 8
                           and a `start`, and the later column stays */
  bool transpose_b;     /* B_t is stored as its transpose, n x k */
  bool overwrite;       /* C = sum, whatever it held; runs without `start` */
} ls_gemm_shape;

/** Where the matrices of a batch lie: A_t starts a_bytes[t] bytes after `a`, B_t b_bytes[t] after `b`.
 * Byte offsets, because that is what the kernels take; multiples of sizeof(float). */
typedef struct ls_gemm_batch {
  const uint64_t *a_bytes, *b_bytes; /* [count], borrowed */
  size_t count;                      /* >= 1 */
} ls_gemm_batch;

enum { LS_TILE_ROWS = 8 }; /* fast if m is a multiple of this */

/** Operands of a product, as in ls_gemm_run(). */
typedef struct ls_tile_data {
  const float *start; /* NULL: C += */
  const float *a, *b;
  float *c;
  const ls_gemm_batch *batch;
} ls_tile_data;

/** C = start + sum of A_t * B_t. Columns of B may overlap; columns of C too, if m is a multiple of
 * LS_TILE_ROWS and no more than LS_TILE_ROWS - 1 rows of each lie in the next. */
typedef void ls_tile_function(const ls_gemm_shape *shape, const ls_tile_data *data);

#endif
