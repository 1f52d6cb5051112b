/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernels of depthwise.h; a part of set_kernels.h.
 *
 * Forward, a tile is a vector of channels at up to 8 outputs: sums enough to keep two multiply-add units
 * busy, and a weight is loaded once for all of them. Backward, it is a vector of channels at up to 12 taps,
 * and a gradient is loaded once for all. The tiles are a text for one width of vectors (depthwise_tiles.h).
 */

enum { TILE_OUTPUTS = 8, TILE_ROWS = 3, TILE_COLS = 8 };

#define FOR_OUTPUTS(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)

#define OUTPUT_START(j) BLOCK sum_##j = start;
#define OUTPUT_STEP(j)                                                                                       \
  if (j < outputs)                                                                                           \
    sum_##j = MULTIPLY_ADD_BLOCK(w, BLOCK_AT(((j) < 4 ? x : x_4) + (j) % 4 * run->src_step), sum_##j);
#define OUTPUT_STORE(j)                                                                                      \
  if (j < outputs) STORE_BLOCK(dst + j * run->dst_step, sum_##j);

#define FOR_TAPS(r, DO) DO(r, 0) DO(r, 1) DO(r, 2) DO(r, 3) DO(r, 4) DO(r, 5) DO(r, 6) DO(r, 7)
#define FOR_ROWS_OF_TAPS(DO) FOR_TAPS(0, DO) FOR_TAPS(1, DO) FOR_TAPS(2, DO)

#define TAP_START(r, v) BLOCK sum_##r##_##v = {0};
#define TAP_STEP(r, v)                                                                                       \
  if (r < rows && v < cols)                                                                                  \
    sum_##r##_##v = MULTIPLY_ADD_BLOCK(g, BLOCK_AT(x_##r + v * run->src_col), sum_##r##_##v);
#define TAP_STORE(r, v)                                                                                      \
  if (r < rows && v < cols) {                                                                                \
    float *to = grads + r * run->tap_row + v * run->lanes;                                                   \
    STORE_BLOCK(to, BLOCK_AT(to) + sum_##r##_##v);                                                           \
  }

typedef void output_function(const ls_depthwise_run *run, const float *weights, const float *bias,
                             const float *src, float *dst);
typedef void tap_function(const ls_depthwise_run *run, const float *src, const float *dy, float *grads);

#define BLOCK eight
#define BLOCK_AT EIGHT_AT
#define STORE_BLOCK STORE_EIGHT
#define MULTIPLY_ADD_BLOCK MULTIPLY_ADD_EIGHT
#define WIDTH(name) name##_eight
#include "kernels/depthwise_tiles.h"
#undef BLOCK
#undef BLOCK_AT
#undef STORE_BLOCK
#undef MULTIPLY_ADD_BLOCK
#undef WIDTH

#define BLOCK widest_vec
#define BLOCK_AT WIDEST_AT
#define STORE_BLOCK STORE_WIDEST
#define MULTIPLY_ADD_BLOCK MULTIPLY_ADD_WIDEST
#define WIDTH(name) name##_widest
#include "kernels/depthwise_tiles.h"
#undef BLOCK
#undef BLOCK_AT
#undef STORE_BLOCK
#undef MULTIPLY_ADD_BLOCK
#undef WIDTH

static void depthwise_forward(const ls_depthwise_run *run, const float *weights, const float *bias,
                              const float *src, float *dst)
{
  const bool is_wide = run->lanes >= WIDEST_LANES;
  output_function *const *tiles = is_wide ? output_tiles_widest : output_tiles_eight;
  const size_t lanes = is_wide ? WIDEST_LANES : LS_DEPTHWISE_LANES;
  const size_t parts = ls_size_ceil_div(run->columns, TILE_OUTPUTS);
  const size_t outputs = run->columns / parts, larger = run->columns % parts; /* tiles of one more */
  for (size_t part = 0; part < parts; part++) {
    const size_t count = outputs + (part < larger);
    for (size_t c = 0; c < run->lanes; c += lanes)
      tiles[count - 1](run, weights + c, bias ? bias + c : NULL, src + c, dst + c);
    src += count * run->src_step;
    dst += count * run->dst_step;
  }
}

static void depthwise_weights(const ls_depthwise_run *run, const float *src, const float *dy, float *grads)
{
  const bool is_wide = run->lanes >= WIDEST_LANES;
  tap_function *const(*tiles)[TILE_COLS] = is_wide ? tap_tiles_widest : tap_tiles_eight;
  const size_t lanes = is_wide ? WIDEST_LANES : LS_DEPTHWISE_LANES;
  for (size_t v = 0; v < run->cols; v += TILE_COLS) {
    const size_t cols = ls_size_min(TILE_COLS, run->cols - v);
    const size_t most = cols <= 4 ? 3 : cols <= 6 ? 2 : 1; /* rows of so many taps */
    for (size_t u = 0; u < run->rows; u += most)
      for (size_t c = 0; c < run->lanes; c += lanes)
        tiles[ls_size_min(most, run->rows - u) - 1][cols - 1](
            run, src + u * run->src_row + v * run->src_col + c, dy + c,
            grads + u * run->tap_row + v * run->lanes + c);
  }
}
