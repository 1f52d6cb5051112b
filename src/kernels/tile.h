/* SPDX-License-Identifier: BSD-3-Clause */
/* Matrix products in register tiles, for products with few rows and those that the library cannot do, and the
 * kernels of planar.h. Private to the module.
 *
 * The tiles are written in C with the vector extension of gcc and clang, once (tile_kernels.h), and compiled
 * for the processor that the program is built for (tile.c) and, in a build for any x86-64, for AVX2
 * (tile_avx2.c); the plan takes what the processor at hand can run. */
#ifndef LS_KERNELS_TILE_H
#define LS_KERNELS_TILE_H

#include "kernels/gemm.h"
#include "kernels/planar.h"
#include "kernels/winograd.h"

enum { LS_TILE_ROWS = 8 }; /* fast if m is a multiple of this */

#if defined(__x86_64__) && !(defined(__AVX2__) && defined(__FMA__))
#define LS_TILE_AVX2
#endif

/** Lanes of two vectors of eight, 0 to 7 of `a` and 8 to 15 of `b`. gcc knows clang's word for it from 12 on.
 */
#if defined(__clang__) || __GNUC__ >= 12
#define LS_SHUFFLE_EIGHT(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
typedef int ls_lanes_of_eight __attribute__((vector_size(32)));
#define LS_SHUFFLE_EIGHT(a, b, ...) __builtin_shuffle(a, b, (ls_lanes_of_eight){__VA_ARGS__})
#endif

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

/** Kernels that are compiled for one processor. */
typedef struct ls_tile_kernels {
  ls_tile_function *product;
  ls_planar_forward_function *planar_forward;
  ls_planar_split_function *planar_split;
  ls_planar_weights_function *planar_weights;
  ls_winograd_input_function *winograd_input;
  ls_winograd_output_function *winograd_output;
  ls_winograd_spread_function *winograd_spread;
  ls_winograd_weights_function *winograd_weights;
  ls_winograd_gradient_function *winograd_gradient;
} ls_tile_kernels;

extern const ls_tile_kernels ls_tile_built;
#ifdef LS_TILE_AVX2
extern const ls_tile_kernels ls_tile_avx2;
#endif

/** The fastest that this processor can run. */
const ls_tile_kernels *ls_tile_choose(void);

#endif
