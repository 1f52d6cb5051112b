/* SPDX-License-Identifier: BSD-3-Clause */
/* The tiles of depthwise_kernels.h, a text for one width of vectors: BLOCK and what goes with it. */

/* ---- forward ---- */

/* `outputs` is a constant. */
ALWAYS_INLINE void WIDTH(output_tile)(const ls_depthwise_run *run, const float *weights, const float *bias,
                                      const float *src, float *dst, size_t outputs)
{
  BLOCK start = {0};
  if (bias) start = BLOCK_AT(bias);
  FOR_OUTPUTS(OUTPUT_START)
  for (size_t u = 0; u < run->rows; u++) {
    const float *x = src + u * run->src_row, *x_4 = x + 4 * run->src_step;
    const float *tap = weights + u * run->tap_row;
    for (size_t v = 0; v < run->cols; v++) {
      const BLOCK w = BLOCK_AT(tap);
      FOR_OUTPUTS(OUTPUT_STEP)
      x += run->src_col, x_4 += run->src_col;
      tap += run->lanes;
    }
  }
  FOR_OUTPUTS(OUTPUT_STORE)
}

#define OUTPUT_TILE(count)                                                                                   \
  static void WIDTH(output_tile_##count)(const ls_depthwise_run *run, const float *weights,                  \
                                         const float *bias, const float *src, float *dst)                    \
  {                                                                                                          \
    WIDTH(output_tile)(run, weights, bias, src, dst, count);                                                 \
  }

/* clang-format off */
OUTPUT_TILE(1) OUTPUT_TILE(2) OUTPUT_TILE(3) OUTPUT_TILE(4)
OUTPUT_TILE(5) OUTPUT_TILE(6) OUTPUT_TILE(7) OUTPUT_TILE(8)
/* clang-format on */
#undef OUTPUT_TILE

    /* [outputs - 1] */
    static output_function *const
    WIDTH(output_tiles)[TILE_OUTPUTS] = {WIDTH(output_tile_1), WIDTH(output_tile_2), WIDTH(output_tile_3),
                                         WIDTH(output_tile_4), WIDTH(output_tile_5), WIDTH(output_tile_6),
                                         WIDTH(output_tile_7), WIDTH(output_tile_8)};

/* ---- gradient of the weights ---- */

/* Rows of taps, 12 taps in all at most; `rows` and `cols` are constants. */
ALWAYS_INLINE void WIDTH(tap_tile)(const ls_depthwise_run *run, const float *x_0, const float *dy,
                                   float *grads, size_t rows, size_t cols)
{
  const float *x_1 = rows > 1 ? x_0 + run->src_row : x_0, *x_2 = rows > 2 ? x_1 + run->src_row : x_1;
  FOR_ROWS_OF_TAPS(TAP_START)
  for (size_t j = 0; j < run->columns; j++) {
    const BLOCK g = BLOCK_AT(dy);
    FOR_ROWS_OF_TAPS(TAP_STEP)
    x_0 += run->src_step, x_1 += run->src_step, x_2 += run->src_step;
    dy += run->dst_step;
  }
  FOR_ROWS_OF_TAPS(TAP_STORE)
}

#define TAP_TILE(rows, cols)                                                                                 \
  static void WIDTH(tap_tile_##rows##_##cols)(const ls_depthwise_run *run, const float *src,                 \
                                              const float *dy, float *grads)                                 \
  {                                                                                                          \
    WIDTH(tap_tile)(run, src, dy, grads, rows, cols);                                                        \
  }
#define TAP_NAME(rows, cols) WIDTH(tap_tile_##rows##_##cols)

/* clang-format off */
TAP_TILE(1, 1) TAP_TILE(1, 2) TAP_TILE(1, 3) TAP_TILE(1, 4) TAP_TILE(1, 5) TAP_TILE(1, 6) TAP_TILE(1, 7)
TAP_TILE(1, 8)
TAP_TILE(2, 1) TAP_TILE(2, 2) TAP_TILE(2, 3) TAP_TILE(2, 4) TAP_TILE(2, 5) TAP_TILE(2, 6)
TAP_TILE(3, 1) TAP_TILE(3, 2) TAP_TILE(3, 3) TAP_TILE(3, 4)
    /* clang-format on */

    /* [rows - 1][cols - 1]; NULL: more taps than registers */
    static tap_function *const WIDTH(tap_tiles)[TILE_ROWS][TILE_COLS] = {
        {TAP_NAME(1, 1), TAP_NAME(1, 2), TAP_NAME(1, 3), TAP_NAME(1, 4), TAP_NAME(1, 5), TAP_NAME(1, 6),
         TAP_NAME(1, 7), TAP_NAME(1, 8)},
        {TAP_NAME(2, 1), TAP_NAME(2, 2), TAP_NAME(2, 3), TAP_NAME(2, 4), TAP_NAME(2, 5), TAP_NAME(2, 6)},
        {TAP_NAME(3, 1), TAP_NAME(3, 2), TAP_NAME(3, 3), TAP_NAME(3, 4)}};
#undef TAP_TILE
#undef TAP_NAME
