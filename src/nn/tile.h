/* SPDX-License-Identifier: BSD-3-Clause */
/* Matrix products in register tiles of 8 x 12 and 16 x 6, for products with few rows. Private to gemm.c. */
#ifndef LS_NN_TILE_H
#define LS_NN_TILE_H

#include "nn/gemm.h"

enum { LS_TILE_LANES = 8 };

/** How the columns of C are cut: `wide` tiles of width + 1 columns, then tiles of width columns. */
typedef struct ls_tile_cut {
  size_t count, width, wide;
} ls_tile_cut;

typedef struct ls_tile_plan {
  ls_gemm_shape shape;
  ls_tile_cut single, pair; /* for stripes of 8 and of 16 rows */
} ls_tile_plan;

/** shape->m is a multiple of LS_TILE_LANES; columns of B may overlap. */
ls_tile_plan ls_tile_plan_of(const ls_gemm_shape *shape);

/** As ls_gemm_run(), with a batch. */
void ls_tile_run(const ls_tile_plan *plan, const float *start, const float *a, const float *b, float *c,
                 const ls_gemm_batch *batch);

#endif
