/* SPDX-License-Identifier: BSD-3-Clause */
/* Max pooling. Forward saves where in its window each maximum was, so backward reads neither x nor y. Of
 * equal values the first in row-major order wins, and a NaN wins over any number, as in PyTorch. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "nn/kinds.h"
#include "nn/pool.h"

typedef uint16_t place; /* row * size + column in the window: sizes are below 256 */

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

/* dx += dy where the maximum was. */
static void add_at(const float *restrict dy, const place *restrict places, size_t count, place at,
                   float *restrict dx)
{
  for (size_t c = 0; c < count; c++) dx[c] += places[c] == at ? dy[c] : 0;
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

static void forward(const ls_layer *layer, const ls_pass *pass, const float *x, float *y, float *saved,
                    float *scratch)
{
  (void)scratch;
  const ls_pool *pool = layer->impl;
  place *places = (void *)saved;
  for (size_t s = 0; s < pass->n; s++, x += ls_shape_count(pool->in))
    for (size_t i = 0; i < pool->out.h; i++)
      for (size_t j = 0; j < pool->out.w; j++, y += pool->out.c, places += pool->out.c)
        forward_window(pool, ls_pool_window(pool, i, pool->in.h), ls_pool_window(pool, j, pool->in.w), x, y,
                       places);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const float *x, const float *y, float *dy,
                     float *dx, float *saved, float *scratch)
{
  (void)x, (void)y, (void)scratch;
  const ls_pool *pool = layer->impl;
  const place *places = (const void *)saved;
  if (!dx) return;
  memset(dx, 0, pass->n * ls_shape_count(pool->in) * sizeof *dx);
  for (size_t s = 0; s < pass->n; s++, dx += ls_shape_count(pool->in))
    for (size_t i = 0; i < pool->out.h; i++)
      for (size_t j = 0; j < pool->out.w; j++, dy += pool->out.c, places += pool->out.c)
        backward_window(pool, ls_pool_window(pool, i, pool->in.h), ls_pool_window(pool, j, pool->in.w), dy,
                        places, dx);
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
    .create = create,
    .destroy = destroy,
    .forward = forward,
    .backward = backward,
    .describe = describe,
};
