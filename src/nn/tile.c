/* SPDX-License-Identifier: BSD-3-Clause */
/* Register tiles in C with the vector extension of gcc and clang: 8 rows by up to 12 columns, or 16 by up to
 * 6, so that 12 sums are in flight: enough to keep two multiply-add units busy through their latency.
 *
 * Each tile is one instance of `tile`, inlined with its size as constants. The sums are named variables made
 * by macros, because both compilers keep an array of vectors in memory when the loops over it are unrolled
 * late. */
#include "nn/tile.h"

#include "base/size.h"

#ifdef __FMA__
#include <immintrin.h>
#endif

enum { SINGLE_COLUMNS = 12, PAIR_COLUMNS = 6 };

typedef float vec __attribute__((vector_size(32)));
typedef float unaligned __attribute__((vector_size(32), aligned(4), may_alias));

typedef struct operands {
  const float *start, *a, *b; /* start: NULL to add to C */
  float *c;
  size_t lda, ldb, ldc, k;
  const ls_gemm_batch *batch;
} operands;

#define INLINE static inline __attribute__((always_inline))

INLINE vec load(const float *x)
{
  return *(const unaligned *)x;
}

INLINE void store(float *x, vec v)
{
  *(unaligned *)x = v;
}

INLINE vec splat(float x)
{
  return (vec){x, x, x, x, x, x, x, x};
}

INLINE vec multiply_add(vec a, vec b, vec c)
{
#ifdef __FMA__
  return _mm256_fmadd_ps(a, b, c);
#else
  return a * b + c;
#endif
}

INLINE const float *bytes_after(const float *x, uint64_t bytes)
{
  return x + bytes / sizeof *x;
}

#define FOR_COLUMNS(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)

/* Column j of the tile is upper_j above lower_j; columns and halves that the tile lacks are never used. */
#define DECLARE(j) vec upper_##j = {0}, lower_##j = {0};
#define LOAD(j)                                                                                              \
  if (j < columns) {                                                                                         \
    const float *from = o->start ? o->start : o->c + j * o->ldc;                                             \
    upper_##j = load(from);                                                                                  \
    if (pair) lower_##j = load(from + LS_TILE_LANES);                                                        \
  }
#define STEP(j)                                                                                              \
  if (j < columns) {                                                                                         \
    const vec right = splat(transpose ? b[j] : b[j * o->ldb]);                                               \
    upper_##j = multiply_add(a_upper, right, upper_##j);                                                     \
    if (pair) lower_##j = multiply_add(a_lower, right, lower_##j);                                           \
  }
#define STORE(j)                                                                                             \
  if (j < columns) {                                                                                         \
    store(o->c + j * o->ldc, upper_##j);                                                                     \
    if (pair) store(o->c + j * o->ldc + LS_TILE_LANES, lower_##j);                                           \
  }

/* One tile; `pair`, `columns` and `transpose` are constants. */
INLINE void tile(const operands *o, bool pair, size_t columns, bool transpose)
{
  FOR_COLUMNS(DECLARE)
  FOR_COLUMNS(LOAD)
  for (size_t t = 0; t < o->batch->count; t++) {
    const float *a = bytes_after(o->a, o->batch->a_bytes[t]);
    const float *b = bytes_after(o->b, o->batch->b_bytes[t]);
    for (size_t p = 0; p < o->k; p++) {
      const vec a_upper = load(a);
      const vec a_lower = pair ? load(a + LS_TILE_LANES) : a_upper;
      FOR_COLUMNS(STEP)
      a += o->lda;
      b += transpose ? o->ldb : 1;
    }
  }
  FOR_COLUMNS(STORE)
}

typedef void tile_function(const operands *o);

#define SINGLE(columns)                                                                                      \
  static void single_##columns(const operands *o)                                                            \
  {                                                                                                          \
    tile(o, false, columns, false);                                                                          \
  }                                                                                                          \
  static void single_transposed_##columns(const operands *o)                                                 \
  {                                                                                                          \
    tile(o, false, columns, true);                                                                           \
  }
#define PAIR(columns)                                                                                        \
  static void pair_##columns(const operands *o)                                                              \
  {                                                                                                          \
    tile(o, true, columns, false);                                                                           \
  }                                                                                                          \
  static void pair_transposed_##columns(const operands *o)                                                   \
  {                                                                                                          \
    tile(o, true, columns, true);                                                                            \
  }

/* clang-format off */
SINGLE(1) SINGLE(2) SINGLE(3) SINGLE(4) SINGLE(5) SINGLE(6)
SINGLE(7) SINGLE(8) SINGLE(9) SINGLE(10) SINGLE(11) SINGLE(12)
PAIR(1) PAIR(2) PAIR(3) PAIR(4) PAIR(5) PAIR(6)
    /* clang-format on */

    /* [transpose][columns - 1] */
    static tile_function *const single_tiles[2][SINGLE_COLUMNS] = {
        {single_1, single_2, single_3, single_4, single_5, single_6, single_7, single_8, single_9, single_10,
         single_11, single_12},
        {single_transposed_1, single_transposed_2, single_transposed_3, single_transposed_4,
         single_transposed_5, single_transposed_6, single_transposed_7, single_transposed_8,
         single_transposed_9, single_transposed_10, single_transposed_11, single_transposed_12},
};
static tile_function *const pair_tiles[2][PAIR_COLUMNS] = {
    {pair_1, pair_2, pair_3, pair_4, pair_5, pair_6},
    {pair_transposed_1, pair_transposed_2, pair_transposed_3, pair_transposed_4, pair_transposed_5,
     pair_transposed_6},
};

static ls_tile_cut cut(size_t n, size_t widest)
{
  const size_t count = ls_size_ceil_div(n, widest);
  return (ls_tile_cut){.count = count, .width = n / count, .wide = n % count};
}

ls_tile_plan ls_tile_plan_of(const ls_gemm_shape *shape)
{
  return (ls_tile_plan){
      .shape = *shape, .single = cut(shape->n, SINGLE_COLUMNS), .pair = cut(shape->n, PAIR_COLUMNS)};
}

/* All columns of one stripe of rows. */
static void run_stripe(const ls_gemm_shape *shape, tile_function *const tiles[], const ls_tile_cut *columns,
                       operands o)
{
  for (size_t i = 0; i < columns->count; i++) {
    const size_t width = columns->width + (i < columns->wide);
    tiles[width - 1](&o);
    o.b += shape->transpose_b ? width : width * shape->ldb;
    o.c += width * shape->ldc;
  }
}

void ls_tile_run(const ls_tile_plan *plan, const float *start, const float *a, const float *b, float *c,
                 const ls_gemm_batch *batch)
{
  const ls_gemm_shape *shape = &plan->shape;
  operands o = {.start = start,
                .a = a,
                .b = b,
                .c = c,
                .lda = shape->lda,
                .ldb = shape->ldb,
                .ldc = shape->ldc,
                .k = shape->k,
                .batch = batch};
  for (size_t row = 0; row < shape->m; row += 2 * LS_TILE_LANES) {
    if (row + LS_TILE_LANES < shape->m)
      run_stripe(shape, pair_tiles[shape->transpose_b], &plan->pair, o);
    else
      run_stripe(shape, single_tiles[shape->transpose_b], &plan->single, o);
    if (start) o.start += 2 * LS_TILE_LANES;
    o.a += 2 * LS_TILE_LANES;
    o.c += 2 * LS_TILE_LANES;
  }
}
