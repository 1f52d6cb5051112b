/* SPDX-License-Identifier: BSD-3-Clause */
/* Matrix products in register tiles, for products with few rows. Private to gemm.c.
 *
 * The tiles are written in C with the vector extension of gcc and clang, once (tile_kernels.h), and compiled
 * for the processor that the program is built for (tile.c) and, in a build for any x86-64, for AVX2
 * (tile_avx2.c); the plan takes what the processor at hand can run. */
#ifndef LS_NN_TILE_H
#define LS_NN_TILE_H

#include "nn/gemm.h"

enum { LS_TILE_ROWS = 8 }; /* m is a multiple of this */

#if defined(__x86_64__) && !(defined(__AVX2__) && defined(__FMA__))
#define LS_TILE_AVX2
#endif

/** Operands of a product, as in ls_gemm_run(). */
typedef struct ls_tile_data {
  const float *start; /* NULL: C += */
  const float *a, *b;
  float *c;
  const ls_gemm_batch *batch;
} ls_tile_data;

/** C = start + sum of A_t * B_t. m is a multiple of LS_TILE_ROWS; columns of B may overlap; columns of C too,
 * if no more than LS_TILE_ROWS - 1 rows of each lie in the next. */
typedef void ls_tile_function(const ls_gemm_shape *shape, const ls_tile_data *data);

ls_tile_function ls_tile_run_built;
#ifdef LS_TILE_AVX2
ls_tile_function ls_tile_run_avx2;
#endif

/** The fastest that this processor can run. */
ls_tile_function *ls_tile_choose(void);

#endif
