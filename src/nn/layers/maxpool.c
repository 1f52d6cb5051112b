/* SPDX-License-Identifier: BSD-3-Clause */
/* Max pooling. Forward saves where in its window each maximum was, so backward reads neither x nor y. Of
 * equal floats the first in row-major order wins, and a NaN wins over any number, as in PyTorch. (What exact
 * arithmetic makes equal need not be equal floats: conv_winograd.c tells when it is.) A relu before or after
 * it gives the same, and is done to the maxima: they are few, and in cache. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "nn/kinds.h"
#include "nn/layers/pool.h"

typedef uint16_t place; /* row * size + column in the window: sizes are below 256 */

enum { NOWHERE = UINT16_MAX }; /* the maximum is not positive, and rectified away: no input has a gradient */

static ls_status create(ls_layer *layer, const void *options, ls_build *build)
{
  (void)build;
  ls_pool *pool;
  LS_PASS(ls_alloc(&pool, 1, sizeof *pool, "a max pooling"));
  layer->impl = pool;
  LS_PASS(ls_pool_init(pool, options, layer->in));
  layer->out = pool->out;
  const size_t bytes = layer->microbatch * ls_shape_count(pool->out) * sizeof(place);
  layer->saved_count = ls_size_ceil_div(bytes, sizeof(float));
  return LS_OK;
}

static void destroy(ls_layer *layer)
{
  free(layer->impl);
}

/* best = max(best, x), places following. */
static void take_larger(const float *restrict x, size_t count, place at, float *restrict best,
                        place *restrict places)
{
  for (size_t c = 0; c < count; c++) {
    const bool larger = (x[c] > best[c]) | (x[c] != x[c]);
    best[c] = larger ? x[c] : best[c];
    places[c] = larger ? at : places[c];
  }
}

/* y = relu(y); NaN passes. */
static void rectify(float *restrict y, place *restrict places, size_t count)
{
  for (size_t c = 0; c < count; c++) {
    places[c] = y[c] > 0.0F ? places[c] : NOWHERE;
    y[c] = y[c] < 0.0F ? 0.0F : y[c];
  }
}

static void forward_window(const ls_pool *pool, ls_pool_span rows, ls_pool_span cols, const float *x,
                           float *y, place *places)
{
  const size_t channels = pool->in.c;
  const place first = (place)(rows.skipped * pool->size + cols.skipped);
  memcpy(y, x + (rows.first * pool->in.w + cols.first) * channels, channels * sizeof *y);
  for (size_t c = 0; c < channels; c++) places[c] = first;
  for (size_t i = rows.first; i < rows.end; i++)
    for (size_t j = cols.first; j < cols.end; j++) {
      if (i == rows.first && j == cols.first) continue;
      const size_t at = (rows.skipped + i - rows.first) * pool->size + cols.skipped + j - cols.first;
      take_larger(x + (i * pool->in.w + j) * channels, channels, (place)at, y, places);
    }
}

/* yes ? x : 0, by its bits: data decides, so a branch would be guessed wrong every other time. */
static inline float only_if(bool yes, float x)
{
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  bits &= -(uint32_t)yes;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* dx += dy where the maximum was. */
static void add_at(const float *restrict dy, const place *restrict places, size_t count, place at,
                   float *restrict dx)
{
  for (size_t c = 0; c < count; c++) dx[c] += only_if(places[c] == at, dy[c]);
}

static void backward_window(const ls_pool *pool, ls_pool_span rows, ls_pool_span cols, const float *dy,
                            const place *places, float *dx)
{
  const size_t channels = pool->in.c;
  for (size_t i = rows.first; i < rows.end; i++)
    for (size_t j = cols.first; j < cols.end; j++) {
      const size_t at = (rows.skipped + i - rows.first) * pool->size + cols.skipped + j - cols.first;
      add_at(dy, places, channels, (place)at, dx + (i * pool->in.w + j) * channels);
    }
}

/* ---- windows of 2x2 side by side, by far the most common: each is read and written in one go ---- */

#ifdef __AVX2__
#include <immintrin.h>
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int32_t mask __attribute__((vector_size(4 * LANES)));
typedef float unaligned __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef place place_vec __attribute__((vector_size(2 * LANES)));
typedef place unaligned_places __attribute__((vector_size(2 * LANES), aligned(2), may_alias));

/* yes ? a : b, lane by lane. */
static inline vec choose(mask yes, vec a, vec b)
{
#ifdef __AVX2__
  return _mm256_blendv_ps(b, a, (vec)yes);
#else
  return (vec)(((mask)a & yes) | ((mask)b & ~yes));
#endif
}

/* The larger of the best so far and a candidate, without a branch: which one it is cannot be guessed. */
static inline void pick(const float *candidate, int32_t at, vec *best, mask *best_at)
{
  const vec x = *(const unaligned *)candidate;
  const mask larger = (x > *best) | (x != x);
  *best = choose(larger, x, *best);
  *best_at = (mask)choose(larger, (vec)(at + (mask){0}), (vec)*best_at);
}

/* One row of windows, a vector of channels at a time; x is its upper row of pixels, below the lower one. What
 * it reads and writes beyond the last channel of a pixel belongs to the next pixel, which comes later. */
static void forward_quads(const float *x, const float *below, size_t windows, size_t channels, float *y,
                          place *places)
{
  for (size_t j = 0; j < windows; j++) {
    for (size_t c = 0; c < channels; c += LANES) {
      vec best = *(const unaligned *)(x + c);
      mask at = {0};
      pick(x + channels + c, 1, &best, &at);
      pick(below + c, 2, &best, &at);
      pick(below + channels + c, 3, &best, &at);
      *(unaligned *)(y + c) = best;
      *(unaligned_places *)(places + c) = __builtin_convertvector(at, place_vec);
    }
    x += 2 * channels;
    below += 2 * channels;
    y += channels;
    places += channels;
  }
}

/* How many of a row's windows may be done by vectors: those of the last row that have nothing after them to
 * reach into may not, unless channels fill their vectors. */
static size_t windows_by_vectors(const ls_pool *pool, size_t i)
{
  if (pool->out.c % LANES == 0 || i + 1 < pool->out.h) return pool->out.w;
  return pool->out.w - ls_size_min(pool->out.w, ls_size_ceil_div(LANES, pool->out.c));
}

static bool is_quad(const ls_pool *pool)
{
  const bool reaches_no_further = pool->out.c % LANES == 0 || pool->out.w * pool->out.c >= LANES;
  return pool->size == 2 && pool->stride == 2 && pool->pad == 0 && reaches_no_further;
}

/* One row of pixels under a row of windows: dy where the maximum was at place `left` or right of it. What is
 * read and written beyond the last channel belongs to the next pixel, which comes later. */
static void backward_pairs(const float *restrict dy, const place *restrict places, size_t windows,
                           size_t channels, int32_t left, float *restrict dx)
{
  for (size_t j = 0; j < windows; j++) {
    for (size_t side = 0; side < 2; side++, dx += channels)
      for (size_t c = 0; c < channels; c += LANES) {
        const mask at = __builtin_convertvector(*(const unaligned_places *)(places + c), mask);
        const mask dy_bits = (mask) * (const unaligned *)(dy + c);
        *(unaligned *)(dx + c) = (vec)(dy_bits & (at == left + (int32_t)side));
      }
    dy += channels;
    places += channels;
  }
}

/* ---- samples ---- */

/* Windows `begin` to the end of row i, one by one. */
static void forward_windows(const ls_pool *pool, size_t i, size_t begin, const float *x, float *y,
                            place *places)
{
  const ls_pool_span rows = ls_pool_window(pool, i, pool->in.h);
  for (size_t j = begin; j < pool->out.w; j++) {
    const size_t at = (i * pool->out.w + j) * pool->out.c;
    forward_window(pool, rows, ls_pool_window(pool, j, pool->in.w), x, y + at, places + at);
  }
}

static void forward_sample(const ls_pool *pool, bool rectifies, const float *x, float *y, place *places)
{
  const size_t pitch = pool->in.w * pool->in.c;
  for (size_t i = 0; i < pool->out.h; i++) {
    const size_t quads = is_quad(pool) ? windows_by_vectors(pool, i) : 0;
    const size_t at = i * pool->out.w * pool->out.c;
    if (quads > 0)
      forward_quads(x + 2 * i * pitch, x + (2 * i + 1) * pitch, quads, pool->out.c, y + at, places + at);
    forward_windows(pool, i, quads, x, y, places);
    if (rectifies) rectify(y + at, places + at, pool->out.w * pool->out.c);
  }
}

static void backward_windows(const ls_pool *pool, size_t i, size_t begin, const float *dy,
                             const place *places, float *dx)
{
  const ls_pool_span rows = ls_pool_window(pool, i, pool->in.h);
  for (size_t j = begin; j < pool->out.w; j++) {
    const size_t at = (i * pool->out.w + j) * pool->out.c;
    backward_window(pool, rows, ls_pool_window(pool, j, pool->in.w), dy + at, places + at, dx);
  }
}

/* Windows of 2x2 that cover the image. */
static void backward_quads(const ls_pool *pool, size_t i, const float *dy, const place *places, float *dx)
{
  const size_t channels = pool->out.c, pitch = pool->in.w * channels;
  const size_t quads = windows_by_vectors(pool, i);
  const size_t at = i * pool->out.w * channels, done = 2 * quads * channels;
  float *above = dx + 2 * i * pitch, *below = above + pitch;
  backward_pairs(dy + at, places + at, quads, channels, 0, above);
  memset(above + done, 0, (pitch - done) * sizeof *above);
  backward_pairs(dy + at, places + at, quads, channels, 2, below);
  memset(below + done, 0, (pitch - done) * sizeof *below);
  backward_windows(pool, i, quads, dy, places, dx);
}

static void backward_sample(const ls_pool *pool, const float *dy, const place *places, float *dx)
{
  const bool covered = is_quad(pool) && pool->in.h % 2 == 0 && pool->in.w % 2 == 0;
  if (!covered) memset(dx, 0, ls_shape_count(pool->in) * sizeof *dx);
  for (size_t i = 0; i < pool->out.h; i++)
    if (covered)
      backward_quads(pool, i, dy, places, dx);
    else
      backward_windows(pool, i, 0, dy, places, dx);
}

static void forward(const ls_layer *layer, const ls_pass *pass, const float *x, float *y, float *saved,
                    float *scratch)
{
  (void)scratch;
  const ls_pool *pool = layer->impl;
  const size_t in = ls_shape_count(pool->in);
  const size_t out = ls_shape_count(pool->out);
  place *places = (void *)saved;
  for (size_t s = 0; s < pass->n; s++)
    forward_sample(pool, layer->rectifies, x + s * in, y + s * out, places + s * out);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const float *x, const float *y, float *dy,
                     float *dx, float *saved, float *scratch)
{
  (void)x, (void)y, (void)scratch;
  const ls_pool *pool = layer->impl;
  const size_t in = ls_shape_count(pool->in);
  const size_t out = ls_shape_count(pool->out);
  const place *places = (const void *)saved;
  if (!dx) return;
  for (size_t s = 0; s < pass->n; s++) backward_sample(pool, dy + s * out, places + s * out, dx + s * in);
}

static void describe(const ls_layer *layer, ls_text *text)
{
  ls_pool_describe(layer->impl, text);
}

const ls_layer_kind ls_layer_maxpool = {
    .schema = {.name = "maxpool",
               .doc = "Largest value of windows of each channel.",
               .keys = ls_pool_keys,
               .key_count = LS_POOL_KEYS,
               .options_bytes = sizeof(ls_pool_options)},
    .role = LS_ROLE_NEUTRAL,
    .absorbs_relu = true,
    .create = create,
    .destroy = destroy,
    .forward = forward,
    .backward = backward,
    .describe = describe,
};
