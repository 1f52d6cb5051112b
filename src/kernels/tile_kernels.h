/* SPDX-License-Identifier: BSD-3-Clause */
/* The register tiles; a part of set_kernels.h.
 *
 * A tile is one vector high and up to 14 columns wide, or two vectors high and up to 6 wide, so that 12 sums
 * are in flight: enough to keep two multiply-add units busy through their latency. Each is one instance of
 * `tile`, inlined with its size as constants. The sums are named variables made by macros, because both
 * compilers keep an array of vectors in memory when the loops over it are unrolled late. */
#include <stdbool.h>
#include <string.h>

#include "base/size.h"

enum { SINGLE_COLUMNS = 14, PAIR_COLUMNS = 6 };

/* A tile's position in the product. */
typedef struct operands {
  const float *start, *a, *b;
  float *c;
  size_t lda, ldb, ldc, k;
  bool overwrite;
  const ls_gemm_batch *batch;
} operands;

static inline const float *bytes_after(const float *x, uint64_t bytes)
{
  return x + bytes / sizeof *x;
}

#define FOR_COLUMNS(DO)                                                                                      \
  DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13)

/* Four columns share a pointer: one each would not fit the registers. */
#define COLUMN(j) ((j) < 4 ? b : (j) < 8 ? b_4 : (j) < 12 ? b_8 : b_12)[(j) % 4 * o->ldb]

/* Column j of the tile is upper_j above lower_j; columns and halves that the tile lacks are never used. */
#define DECLARE(j) vec upper_##j = {0}, lower_##j = {0};
#define LOAD(j)                                                                                              \
  if (j < columns && !o->overwrite) {                                                                        \
    const float *from = o->start ? o->start : o->c + j * o->ldc;                                             \
    upper_##j = VECTOR_AT(from);                                                                             \
    if (pair) lower_##j = VECTOR_AT(from + LANES);                                                           \
  }
#define STEP(j)                                                                                              \
  if (j < columns) {                                                                                         \
    const float x = transposed ? b[j] : COLUMN(j);                                                           \
    const vec right = SPLAT(x);                                                                              \
    upper_##j = MULTIPLY_ADD(a_upper, right, upper_##j);                                                     \
    if (pair) lower_##j = MULTIPLY_ADD(a_lower, right, lower_##j);                                           \
  }
#define STORE(j)                                                                                             \
  if (j < columns) {                                                                                         \
    STORE_AT(o->c + j * o->ldc, upper_##j);                                                                  \
    if (pair) STORE_AT(o->c + j * o->ldc + LANES, lower_##j);                                                \
  }

/* One tile; `pair`, `columns` and `transposed` are constants. */
ALWAYS_INLINE void tile(const operands *o, bool pair, size_t columns, bool transposed)
{
  FOR_COLUMNS(DECLARE)
  FOR_COLUMNS(LOAD)
  for (size_t t = 0; t < o->batch->count; t++) {
    const float *a = bytes_after(o->a, o->batch->a_bytes[t]);
    const float *b = bytes_after(o->b, o->batch->b_bytes[t]);
    const float *b_4 = b + 4 * o->ldb, *b_8 = b_4 + 4 * o->ldb, *b_12 = b_8 + 4 * o->ldb;
    for (size_t p = 0; p < o->k; p++, b_4++, b_8++, b_12++) {
      const vec a_upper = VECTOR_AT(a);
      const vec a_lower = VECTOR_AT(pair ? a + LANES : a);
      FOR_COLUMNS(STEP)
      a += o->lda;
      b += transposed ? o->ldb : 1;
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
SINGLE(7) SINGLE(8) SINGLE(9) SINGLE(10) SINGLE(11) SINGLE(12) SINGLE(13) SINGLE(14)
PAIR(1) PAIR(2) PAIR(3) PAIR(4) PAIR(5) PAIR(6)
    /* clang-format on */

    /* [transpose][columns - 1] */
    static tile_function *const single_tiles[2][SINGLE_COLUMNS] = {
        {single_1, single_2, single_3, single_4, single_5, single_6, single_7, single_8, single_9, single_10,
         single_11, single_12, single_13, single_14},
        {single_transposed_1, single_transposed_2, single_transposed_3, single_transposed_4,
         single_transposed_5, single_transposed_6, single_transposed_7, single_transposed_8,
         single_transposed_9, single_transposed_10, single_transposed_11, single_transposed_12,
         single_transposed_13, single_transposed_14},
};
static tile_function *const pair_tiles[2][PAIR_COLUMNS] = {
    {pair_1, pair_2, pair_3, pair_4, pair_5, pair_6},
    {pair_transposed_1, pair_transposed_2, pair_transposed_3, pair_transposed_4, pair_transposed_5,
     pair_transposed_6},
};

/* All columns of one stripe of rows, cut into tiles of nearly equal width. */
static void run_stripe(const ls_gemm_shape *shape, bool pair, operands o)
{
  const size_t widest = pair ? PAIR_COLUMNS : SINGLE_COLUMNS;
  tile_function *const *tiles = pair ? pair_tiles[shape->transpose_b] : single_tiles[shape->transpose_b];
  const size_t count = ls_size_ceil_div(shape->n, widest);
  const size_t width = shape->n / count;
  const size_t wide = shape->n % count; /* tiles of one more column */
  for (size_t i = 0; i < count; i++) {
    const size_t columns = width + (i < wide);
    tiles[columns - 1](&o);
    o.b += shape->transpose_b ? columns : columns * shape->ldb;
    o.c += columns * shape->ldc;
  }
}

/* One column of C from row `first` on, fewer rows than a vector or two hold: their sums in the tiles' order.
 */
static void run_rest_column(const ls_gemm_shape *shape, const ls_tile_data *data, size_t first, size_t j)
{
  const size_t rows = shape->m - first;
  float *c = data->c + j * shape->ldc + first;
  const float *from = data->start ? data->start + first : c;
  float sums[LS_TILE_ROWS] = {0};
  if (!shape->overwrite) memcpy(sums, from, rows * sizeof *sums);
  for (size_t t = 0; t < data->batch->count; t++) {
    const float *a = bytes_after(data->a, data->batch->a_bytes[t]) + first;
    const float *b = bytes_after(data->b, data->batch->b_bytes[t]);
    b += shape->transpose_b ? j : j * shape->ldb;
    for (size_t p = 0; p < shape->k; p++, a += shape->lda, b += shape->transpose_b ? shape->ldb : 1)
      for (size_t i = 0; i < rows; i++) sums[i] = MULTIPLY_ADD_ONE(a[i], *b, sums[i]);
  }
  memcpy(c, sums, rows * sizeof *c);
}

static void run_product(const ls_gemm_shape *shape, const ls_tile_data *data)
{
  const size_t whole = shape->m / LS_TILE_ROWS * LS_TILE_ROWS;
  if (whole < shape->m)
    for (size_t j = 0; j < shape->n; j++) run_rest_column(shape, data, whole, j);
  if (whole == 0) return;
  /* From the last stripe to the first: where columns of C overlap, the last stripe reaches into the next
   * column, whose first stripe comes later. */
  const size_t height = 2 * LANES;
  for (size_t row = (whole - 1) / height * height;; row -= height) {
    const operands o = {.start = data->start ? data->start + row : NULL,
                        .a = data->a + row,
                        .b = data->b,
                        .c = data->c + row,
                        .lda = shape->lda,
                        .ldb = shape->ldb,
                        .ldc = shape->ldc,
                        .k = shape->k,
                        .overwrite = shape->overwrite,
                        .batch = data->batch};
    run_stripe(shape, row + LANES < whole, o);
    if (row == 0) return;
  }
}
