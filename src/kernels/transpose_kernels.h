/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernels of transpose.h; a part of set_kernels.h. */

enum { TILE = 8 }; /* rows and columns of a tile */

/* Transpose eight rows r and columns c; each step exchanges blocks of twice the size. */
#define LOW_ONES(a, b) SHUFFLE_EIGHT(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define HIGH_ONES(a, b) SHUFFLE_EIGHT(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define LOW_TWOS(a, b) SHUFFLE_EIGHT(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define HIGH_TWOS(a, b) SHUFFLE_EIGHT(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#define LOW_FOURS(a, b) SHUFFLE_EIGHT(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define HIGH_FOURS(a, b) SHUFFLE_EIGHT(a, b, 4, 5, 6, 7, 12, 13, 14, 15)

/* to[c][r] = from[r][c] for the first `columns` columns, in their order. A row of `to` is written whole. */
ALWAYS_INLINE void transpose_eight(const float *from, size_t from_step, float *to, size_t to_step,
                                   size_t columns)
{
  const eight a0 = EIGHT_AT(from), a1 = EIGHT_AT(from + from_step);
  const eight a2 = EIGHT_AT(from + 2 * from_step), a3 = EIGHT_AT(from + 3 * from_step);
  const eight a4 = EIGHT_AT(from + 4 * from_step), a5 = EIGHT_AT(from + 5 * from_step);
  const eight a6 = EIGHT_AT(from + 6 * from_step), a7 = EIGHT_AT(from + 7 * from_step);
  const eight b0 = LOW_ONES(a0, a1), b1 = HIGH_ONES(a0, a1), b2 = LOW_ONES(a2, a3), b3 = HIGH_ONES(a2, a3);
  const eight b4 = LOW_ONES(a4, a5), b5 = HIGH_ONES(a4, a5), b6 = LOW_ONES(a6, a7), b7 = HIGH_ONES(a6, a7);
  const eight c0 = LOW_TWOS(b0, b2), c1 = HIGH_TWOS(b0, b2), c2 = LOW_TWOS(b1, b3), c3 = HIGH_TWOS(b1, b3);
  const eight c4 = LOW_TWOS(b4, b6), c5 = HIGH_TWOS(b4, b6), c6 = LOW_TWOS(b5, b7), c7 = HIGH_TWOS(b5, b7);
  STORE_EIGHT(to, LOW_FOURS(c0, c4));
  if (columns > 1) STORE_EIGHT(to + to_step, LOW_FOURS(c1, c5));
  if (columns > 2) STORE_EIGHT(to + 2 * to_step, LOW_FOURS(c2, c6));
  if (columns > 3) STORE_EIGHT(to + 3 * to_step, LOW_FOURS(c3, c7));
  if (columns > 4) STORE_EIGHT(to + 4 * to_step, HIGH_FOURS(c0, c4));
  if (columns > 5) STORE_EIGHT(to + 5 * to_step, HIGH_FOURS(c1, c5));
  if (columns > 6) STORE_EIGHT(to + 6 * to_step, HIGH_FOURS(c2, c6));
  if (columns > 7) STORE_EIGHT(to + 7 * to_step, HIGH_FOURS(c3, c7));
}

/* In tiles, and then what is left. */
static void transpose(const float *x, size_t x_pitch, size_t rows, size_t columns, float *y, size_t y_pitch)
{
  const size_t tiled_rows = rows / TILE * TILE;
  const size_t tiled_columns = columns / TILE * TILE;
  for (size_t j = 0; j < tiled_columns; j += TILE)
    for (size_t i = 0; i < tiled_rows; i += TILE)
      transpose_eight(x + i * x_pitch + j, x_pitch, y + j * y_pitch + i, y_pitch, TILE);
  for (size_t i = 0; i < rows; i++)
    for (size_t j = i < tiled_rows ? tiled_columns : 0; j < columns; j++)
      y[j * y_pitch + i] = x[i * x_pitch + j];
}
