/* SPDX-License-Identifier: BSD-3-Clause */
/* The tiles of depthwise_kernels.h, a text for one width of vectors: BLOCK and what goes with it. */

/* ---- forward ---- */

/* `outputs` is a constant. */
ALWAYS_INLINE void WITH_WIDTH(output_tile)(const ls_depthwise_run *run, const depthwise_place *o,
                                           size_t outputs)
{
  BLOCK start = {0};
  if (o->bias) start = BLOCK_AT(o->bias);
  FOR_OUTPUTS(OUTPUT_START)
  for (size_t u = 0; u < run->rows; u++) {
    const float *x = o->src + u * run->src_row, *x_4 = x + 4 * run->src_step;
    const float *weights = o->weights + u * run->row_taps * o->lanes;
    for (size_t v = 0; v < run->cols; v++) {
      const BLOCK w = BLOCK_AT(weights);
      FOR_OUTPUTS(OUTPUT_STEP)
      x += run->src_col, x_4 += run->src_col;
      weights += o->lanes;
    }
  }
  FOR_OUTPUTS(OUTPUT_STORE)
}

#define OUTPUT_TILE(count)                                                                                   \
  static void WITH_WIDTH(output_tile_##count)(const ls_depthwise_run *run, const depthwise_place *o)         \
  {                                                                                                          \
    WITH_WIDTH(output_tile)(run, o, count);                                                                  \
  }

/* clang-format off */
OUTPUT_TILE(1) OUTPUT_TILE(2) OUTPUT_TILE(3) OUTPUT_TILE(4)
OUTPUT_TILE(5) OUTPUT_TILE(6) OUTPUT_TILE(7) OUTPUT_TILE(8)
    /* clang-format on */

    /* [outputs - 1] */
    static void (*const WITH_WIDTH(outputs)[DEPTHWISE_OUTPUTS])(const ls_depthwise_run *run,
                                                                const depthwise_place *o) = {
        WITH_WIDTH(output_tile_1), WITH_WIDTH(output_tile_2), WITH_WIDTH(output_tile_3),
        WITH_WIDTH(output_tile_4), WITH_WIDTH(output_tile_5), WITH_WIDTH(output_tile_6),
        WITH_WIDTH(output_tile_7), WITH_WIDTH(output_tile_8)};
#undef OUTPUT_TILE

/* ---- gradient of the weights ---- */

/* Up to 3 rows of up to 8 taps, 12 taps in all; `rows` and `cols` are constants. */
ALWAYS_INLINE void WITH_WIDTH(tap_tile)(const ls_depthwise_run *run, const float *x_0, const float *dy,
                                        float *grads, size_t lanes, size_t rows, size_t cols)
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
  static void WITH_WIDTH(tap_tile_##rows##_##cols)(const ls_depthwise_run *run, const float *x,              \
                                                   const float *dy, float *grads, size_t lanes)              \
  {                                                                                                          \
    WITH_WIDTH(tap_tile)(run, x, dy, grads, lanes, rows, cols);                                              \
  }

/* clang-format off */
TAP_TILE(1, 1) TAP_TILE(1, 2) TAP_TILE(1, 3) TAP_TILE(1, 4) TAP_TILE(1, 5) TAP_TILE(1, 6) TAP_TILE(1, 7) TAP_TILE(1, 8)
TAP_TILE(2, 1) TAP_TILE(2, 2) TAP_TILE(2, 3) TAP_TILE(2, 4) TAP_TILE(2, 5) TAP_TILE(2, 6)
TAP_TILE(3, 1) TAP_TILE(3, 2) TAP_TILE(3, 3) TAP_TILE(3, 4)
/* clang-format on */
#undef TAP_TILE

#define TAP_NAME(rows, cols) WITH_WIDTH(tap_tile_##rows##_##cols)
    /* [rows - 1][cols - 1]; NULL: too many taps for the registers */
    static void (*const WITH_WIDTH(tap_tiles)[3][DEPTHWISE_TAPS])(const ls_depthwise_run *run, const float *x,
                                                                  const float *dy, float *grads,
                                                                  size_t lanes) = {
        {TAP_NAME(1, 1), TAP_NAME(1, 2), TAP_NAME(1, 3), TAP_NAME(1, 4), TAP_NAME(1, 5), TAP_NAME(1, 6),
         TAP_NAME(1, 7), TAP_NAME(1, 8)},
        {TAP_NAME(2, 1), TAP_NAME(2, 2), TAP_NAME(2, 3), TAP_NAME(2, 4), TAP_NAME(2, 5), TAP_NAME(2, 6)},
        {TAP_NAME(3, 1), TAP_NAME(3, 2), TAP_NAME(3, 3), TAP_NAME(3, 4)}};
#undef TAP_NAME

/* A vector of channels at all taps that are inside, in tiles. */
static void WITH_WIDTH(weights_of)(const ls_depthwise_run *run, const float *src, const float *dy,
                                   float *grads, size_t lanes)
{
  for (size_t v = 0; v < run->cols; v += DEPTHWISE_TAPS) {
    const size_t cols = ls_size_min(DEPTHWISE_TAPS, run->cols - v);
    const size_t most = cols <= 4 ? 3 : cols <= 6 ? 2 : 1; /* rows of so many taps */
    for (size_t u = 0; u < run->rows; u += most) {
      const size_t rows = ls_size_min(most, run->rows - u);
      WITH_WIDTH(tap_tiles)
      [rows - 1][cols - 1](run, src + u * run->src_row + v * run->src_col, dy,
                           grads + (u * run->row_taps + v) * lanes, lanes);
    }
  }
}
