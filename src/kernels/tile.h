/* SPDX-License-Identifier: BSD-3-Clause */
/* Matrix products in register tiles, for products with few rows and those that the library cannot do. Private
 * to the module. */
#ifndef LS_KERNELS_TILE_H
#define LS_KERNELS_TILE_H

#include "kernels/gemm/gemm.h"

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
