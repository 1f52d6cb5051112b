/* SPDX-License-Identifier: BSD-3-Clause */
/* Average pooling. Padded zeros count, unless count_include_pad says otherwise (PyTorch's default too); what
 * a last window of ceil_mode has behind the padding never does. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "nn/kinds.h"
#include "nn/layers/pool.h"

static ls_status create(ls_layer *layer, const void *options, ls_build *build)
{
  (void)build;
  ls_pool *pool;
  LS_PASS(ls_alloc(&pool, 1, sizeof *pool, "an average pooling"));
  layer->impl = pool;
  LS_PASS(ls_pool_init(pool, options, layer->in));
  layer->out = pool->out;
  return LS_OK;
}

static void destroy(ls_layer *layer)
{
  free(layer->impl);
}

static void add(const float *restrict x, size_t count, float factor, float *restrict y)
{
  for (size_t c = 0; c < count; c++) y[c] += factor * x[c];
}

/* Of each pixel of a window in its mean. */
static float share_of(const ls_pool *pool, ls_pool_span rows, ls_pool_span cols)
{
  const size_t inside = (rows.end - rows.first) * (cols.end - cols.first);
  return 1.0F / (float)(pool->counts_padding ? rows.counted * cols.counted : inside);
}

/* The window of output pixel (i_out, j_out). */
static void forward_window(const ls_pool *pool, size_t i_out, size_t j_out, const float *x, float *y)
{
  const ls_pool_span rows = ls_pool_span_of(&pool->rows, i_out, pool->in.h);
  const ls_pool_span cols = ls_pool_span_of(&pool->columns, j_out, pool->in.w);
  const size_t channels = pool->in.c;
  const float factor = share_of(pool, rows, cols);
  memset(y, 0, channels * sizeof *y);
  for (size_t i = rows.first; i < rows.end; i++)
    for (size_t j = cols.first; j < cols.end; j++)
      add(x + (i * pool->in.w + j) * channels, channels, factor, y);
}

static void backward_window(const ls_pool *pool, size_t i_out, size_t j_out, const float *dy, float *dx)
{
  const ls_pool_span rows = ls_pool_span_of(&pool->rows, i_out, pool->in.h);
  const ls_pool_span cols = ls_pool_span_of(&pool->columns, j_out, pool->in.w);
  const size_t channels = pool->in.c;
  const float factor = share_of(pool, rows, cols);
  for (size_t i = rows.first; i < rows.end; i++)
    for (size_t j = cols.first; j < cols.end; j++)
      add(dy, channels, factor, dx + (i * pool->in.w + j) * channels);
}

static void forward(const ls_layer *layer, const ls_pass *pass, const float *x, float *y, float *saved,
                    float *scratch)
{
  (void)saved, (void)scratch;
  const ls_pool *pool = layer->impl;
  for (size_t s = 0; s < pass->n; s++, x += ls_shape_count(pool->in))
    for (size_t i = 0; i < pool->out.h; i++)
      for (size_t j = 0; j < pool->out.w; j++, y += pool->out.c) forward_window(pool, i, j, x, y);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const float *x, const float *y, float *dy,
                     float *dx, float *saved, float *scratch)
{
  (void)x, (void)y, (void)saved, (void)scratch;
  const ls_pool *pool = layer->impl;
  if (!dx) return;
  memset(dx, 0, pass->n * ls_shape_count(pool->in) * sizeof *dx);
  for (size_t s = 0; s < pass->n; s++, dx += ls_shape_count(pool->in))
    for (size_t i = 0; i < pool->out.h; i++)
      for (size_t j = 0; j < pool->out.w; j++, dy += pool->out.c) backward_window(pool, i, j, dy, dx);
}

static void express(const ls_layer *layer, const ls_expression *to)
{
  ls_pool_express(layer->impl, "AveragePool", to);
}

static void describe(const ls_layer *layer, ls_text *text)
{
  ls_pool_describe(layer->impl, text);
}

const ls_layer_kind ls_layer_avgpool = {
    .schema = {.name = "avgpool",
               .doc = "Mean over windows of each channel.",
               .keys = ls_pool_keys,
               .key_count = LS_POOL_KEYS,
               .options_bytes = sizeof(ls_pool_options)},
    .role = LS_ROLE_NEUTRAL,
    .create = create,
    .destroy = destroy,
    .forward = forward,
    .backward = backward,
    .express = express,
    .describe = describe,
};
