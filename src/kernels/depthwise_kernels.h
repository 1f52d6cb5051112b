/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernels of depthwise.h; a part of set_kernels.h.
 *
 * Forward, a tile is a vector of channels at up to 8 outputs: sums enough to keep two multiply-add units
 * busy, and a weight is loaded once for all of them. Backward, it is a vector of channels at up to 12 taps,
 * and a gradient is loaded once for all. */

/* Floats from tap to tap of the block with channel c, and where that channel is at tap 0. */
static inline size_t block_lanes(size_t channels, size_t c)
{
  return ls_size_min(LS_DEPTHWISE_BLOCK, channels - c / LS_DEPTHWISE_BLOCK * LS_DEPTHWISE_BLOCK);
}

static inline size_t block_place(size_t taps, size_t c)
{
  return c / LS_DEPTHWISE_BLOCK * LS_DEPTHWISE_BLOCK * taps + c % LS_DEPTHWISE_BLOCK;
}

/* A tile's place: from the first tap that is inside. */
typedef struct depthwise_place {
  const float *weights, *bias; /* bias: NULL for none */
  size_t lanes;                /* of the weights' block */
  const float *src;
  float *dst;
} depthwise_place;

#define FOR_OUTPUTS(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)

enum { DEPTHWISE_OUTPUTS = 8 };

#define OUTPUT_START(j) BLOCK sum_##j = start;
#define OUTPUT_STEP(j)                                                                                       \
  if (j < outputs)                                                                                           \
    sum_##j = MULTIPLY_ADD_BLOCK(w, BLOCK_AT(((j) < 4 ? x : x_4) + (j) % 4 * run->src_step), sum_##j);
#define OUTPUT_STORE(j)                                                                                      \
  if (j < outputs) STORE_BLOCK(o->dst + j * run->dst_step, sum_##j);

#define FOR_TAPS(r, DO) DO(r, 0) DO(r, 1) DO(r, 2) DO(r, 3) DO(r, 4) DO(r, 5) DO(r, 6) DO(r, 7)
#define FOR_ROWS_OF_TAPS(DO) FOR_TAPS(0, DO) FOR_TAPS(1, DO) FOR_TAPS(2, DO)

enum { DEPTHWISE_TAPS = 8 };

#define TAP_START(r, v) BLOCK sum_##r##_##v = {0};
#define TAP_STEP(r, v)                                                                                       \
  if (r < rows && v < cols)                                                                                  \
    sum_##r##_##v = MULTIPLY_ADD_BLOCK(g, BLOCK_AT(x_##r + v * run->src_col), sum_##r##_##v);
#define TAP_STORE(r, v)                                                                                      \
  if (r < rows && v < cols) {                                                                                \
    float *to = grads + (r * run->row_taps + v) * lanes;                                                     \
    STORE_BLOCK(to, BLOCK_AT(to) + sum_##r##_##v);                                                           \
  }

#define BLOCK eight
#define BLOCK_AT EIGHT_AT
#define STORE_BLOCK STORE_EIGHT
#define MULTIPLY_ADD_BLOCK MULTIPLY_ADD_EIGHT
#define WITH_WIDTH(name) name##_eight
#include "kernels/depthwise_tiles.h"
#undef BLOCK
#undef BLOCK_AT
#undef STORE_BLOCK
#undef MULTIPLY_ADD_BLOCK
#undef WITH_WIDTH

static void depthwise_forward(const ls_depthwise_run *run, const float *weights, const float *bias,
                              const float *src, float *dst)
{
  const size_t tiles = ls_size_ceil_div(run->columns, DEPTHWISE_OUTPUTS);
  for (size_t t = 0; t < tiles; t++) {
    const size_t first = ls_part_first(run->columns, tiles, t);
    const size_t outputs = ls_part_first(run->columns, tiles, t + 1) - first;
    for (size_t c = 0; c < run->channels; c += LS_DEPTHWISE_LANES) {
      const size_t lanes = block_lanes(run->channels, c);
      const depthwise_place place = {.weights = weights + block_place(run->taps, c) + run->first_tap * lanes,
                                     .bias = bias ? bias + c : NULL,
                                     .lanes = lanes,
                                     .src = src + first * run->src_step + c,
                                     .dst = dst + first * run->dst_step + c};
      outputs_eight[outputs - 1](run, &place);
    }
  }
}

static void depthwise_weights(const ls_depthwise_run *run, const float *src, const float *dy, float *grads)
{
  for (size_t c = 0; c < run->channels; c += LS_DEPTHWISE_LANES) {
    const size_t lanes = block_lanes(run->channels, c);
    weights_of_eight(run, src + c, dy + c, grads + block_place(run->taps, c) + run->first_tap * lanes, lanes);
  }
}
