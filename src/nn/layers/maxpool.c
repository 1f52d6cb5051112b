/* SPDX-License-Identifier: BSD-3-Clause */
/* Max pooling. Forward saves where in its window each maximum was, so backward reads neither x nor y. Of
 * equal floats the first in row-major order wins, and a NaN wins over any number, as in PyTorch. (Values that
 * exact arithmetic makes equal need not be equal floats: nn/conv/winograd.c says when they are.) A relu
 * before or after it gives the same, and is done to the maxima: they are few, and in cache. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "kernels/dispatch.h"
#include "nn/kinds.h"
#include "nn/layers/pool.h"

typedef uint16_t window_index; /* row * columns + column in the window: sizes are below 256 */

typedef struct maxpool {
  ls_pool pool;
  const ls_kernel_set *kernels;
} maxpool;

enum { NOWHERE = UINT16_MAX }; /* the maximum is not positive, and rectified away: no input has a gradient */

static ls_status create(ls_layer *layer, const void *options, ls_build *build)
{
  (void)build;
  maxpool *self;
  LS_PASS(ls_alloc(&self, 1, sizeof *self, "a max pooling"));
  layer->impl = self;
  self->kernels = ls_kernel_set_choose();
  LS_PASS(ls_pool_init(&self->pool, options, layer->in));
  layer->out = self->pool.out;
  const size_t bytes = layer->microbatch * ls_shape_count(layer->out) * sizeof(window_index);
  layer->saved_count = ls_size_ceil_div(bytes, sizeof(float));
  return LS_OK;
}

static void destroy(ls_layer *layer)
{
  free(layer->impl);
}

/* best = max(best, x), argmax with it. */
static void take_larger(const float *restrict x, size_t count, window_index at, float *restrict best,
                        window_index *restrict argmax)
{
  for (size_t c = 0; c < count; c++) {
    const bool larger = (x[c] > best[c]) | (x[c] != x[c]);
    best[c] = larger ? x[c] : best[c];
    argmax[c] = larger ? at : argmax[c];
  }
}

/* y = relu(y); NaN passes. */
static void rectify(float *restrict y, window_index *restrict argmax, size_t count)
{
  for (size_t c = 0; c < count; c++) {
    argmax[c] = y[c] > 0.0F ? argmax[c] : NOWHERE;
    y[c] = y[c] < 0.0F ? 0.0F : y[c];
  }
}

static void forward_window(const ls_pool *pool, ls_pool_span rows, ls_pool_span cols, const float *x,
                           float *y, window_index *argmax)
{
  const size_t channels = pool->in.c;
  const window_index first = (window_index)(rows.skipped * pool->columns.size + cols.skipped);
  memcpy(y, x + (rows.first * pool->in.w + cols.first) * channels, channels * sizeof *y);
  for (size_t c = 0; c < channels; c++) argmax[c] = first;
  for (size_t i = rows.first; i < rows.end; i++)
    for (size_t j = cols.first; j < cols.end; j++) {
      if (i == rows.first && j == cols.first) continue;
      const size_t at = (rows.skipped + i - rows.first) * pool->columns.size + cols.skipped + j - cols.first;
      take_larger(x + (i * pool->in.w + j) * channels, channels, (window_index)at, y, argmax);
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
static void add_at(const float *restrict dy, const window_index *restrict argmax, size_t count,
                   window_index at, float *restrict dx)
{
  for (size_t c = 0; c < count; c++) dx[c] += only_if(argmax[c] == at, dy[c]);
}

static void backward_window(const ls_pool *pool, ls_pool_span rows, ls_pool_span cols, const float *dy,
                            const window_index *argmax, float *dx)
{
  const size_t channels = pool->in.c;
  for (size_t i = rows.first; i < rows.end; i++)
    for (size_t j = cols.first; j < cols.end; j++) {
      const size_t at = (rows.skipped + i - rows.first) * pool->columns.size + cols.skipped + j - cols.first;
      add_at(dy, argmax, channels, (window_index)at, dx + (i * pool->in.w + j) * channels);
    }
}

/* ---- windows of 2x2 side by side, by far the most common, by the kernels of quads.h ---- */

/* How many of a row's windows may be done by vectors: those of the last row that have nothing after them to
 * reach into may not, unless channels fill their vectors. */
static size_t windows_by_vectors(const maxpool *self, size_t i)
{
  const ls_shape out = self->pool.out;
  const size_t lanes = self->kernels->lanes;
  if (out.c % lanes == 0 || i + 1 < out.h) return out.w;
  return out.w - ls_size_min(out.w, ls_size_ceil_div(lanes, out.c));
}

/* Two pixels, side by side, none of them outside. */
static bool is_two(const ls_window *window, size_t in, size_t out)
{
  return window->size == 2 && window->stride == 2 && window->before == 0 && 2 * out <= in;
}

static bool is_quad(const maxpool *self)
{
  const ls_pool *pool = &self->pool;
  const size_t lanes = self->kernels->lanes;
  const bool reaches_no_further = pool->out.c % lanes == 0 || pool->out.w * pool->out.c >= lanes;
  return is_two(&pool->rows, pool->in.h, pool->out.h) && is_two(&pool->columns, pool->in.w, pool->out.w) &&
         reaches_no_further;
}

/* ---- samples ---- */

/* Windows `begin` to the end of row i, one by one. */
static void forward_windows(const ls_pool *pool, size_t i, size_t begin, const float *x, float *y,
                            window_index *argmax)
{
  const ls_pool_span rows = ls_pool_span_of(&pool->rows, i, pool->in.h);
  for (size_t j = begin; j < pool->out.w; j++) {
    const size_t at = (i * pool->out.w + j) * pool->out.c;
    forward_window(pool, rows, ls_pool_span_of(&pool->columns, j, pool->in.w), x, y + at, argmax + at);
  }
}

static void forward_sample(const maxpool *self, bool rectifies, const float *x, float *y,
                           window_index *argmax)
{
  const ls_pool *pool = &self->pool;
  const size_t pitch = pool->in.w * pool->in.c;
  for (size_t i = 0; i < pool->out.h; i++) {
    const size_t quads = is_quad(self) ? windows_by_vectors(self, i) : 0;
    const size_t at = i * pool->out.w * pool->out.c;
    if (quads > 0)
      self->kernels->quads_forward(x + 2 * i * pitch, x + (2 * i + 1) * pitch, quads, pool->out.c, y + at,
                                   argmax + at);
    forward_windows(pool, i, quads, x, y, argmax);
    if (rectifies) rectify(y + at, argmax + at, pool->out.w * pool->out.c);
  }
}

static void backward_windows(const ls_pool *pool, size_t i, size_t begin, const float *dy,
                             const window_index *argmax, float *dx)
{
  const ls_pool_span rows = ls_pool_span_of(&pool->rows, i, pool->in.h);
  for (size_t j = begin; j < pool->out.w; j++) {
    const size_t at = (i * pool->out.w + j) * pool->out.c;
    backward_window(pool, rows, ls_pool_span_of(&pool->columns, j, pool->in.w), dy + at, argmax + at, dx);
  }
}

/* Windows of 2x2 that cover the image. */
static void backward_quads(const maxpool *self, size_t i, const float *dy, const window_index *argmax,
                           float *dx)
{
  const ls_pool *pool = &self->pool;
  const size_t channels = pool->out.c, pitch = pool->in.w * channels;
  const size_t quads = windows_by_vectors(self, i);
  const size_t at = i * pool->out.w * channels, done = 2 * quads * channels;
  float *above = dx + 2 * i * pitch, *below = above + pitch;
  self->kernels->quads_backward(dy + at, argmax + at, quads, channels, 0, above);
  memset(above + done, 0, (pitch - done) * sizeof *above);
  self->kernels->quads_backward(dy + at, argmax + at, quads, channels, 2, below);
  memset(below + done, 0, (pitch - done) * sizeof *below);
  backward_windows(pool, i, quads, dy, argmax, dx);
}

static void backward_sample(const maxpool *self, const float *dy, const window_index *argmax, float *dx)
{
  const ls_pool *pool = &self->pool;
  const bool covered = is_quad(self) && pool->in.h % 2 == 0 && pool->in.w % 2 == 0;
  if (!covered) memset(dx, 0, ls_shape_count(pool->in) * sizeof *dx);
  for (size_t i = 0; i < pool->out.h; i++)
    if (covered)
      backward_quads(self, i, dy, argmax, dx);
    else
      backward_windows(pool, i, 0, dy, argmax, dx);
}

static void forward(const ls_layer *layer, const ls_pass *pass, const float *x, float *y, float *saved,
                    float *scratch)
{
  (void)scratch;
  const maxpool *self = layer->impl;
  const size_t in = ls_shape_count(layer->in);
  const size_t out = ls_shape_count(layer->out);
  window_index *argmax = (void *)saved;
  for (size_t s = 0; s < pass->n; s++)
    forward_sample(self, layer->rectifies, x + s * in, y + s * out, argmax + s * out);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const float *x, const float *y, float *dy,
                     float *dx, float *saved, float *scratch)
{
  (void)x, (void)y, (void)scratch;
  const maxpool *self = layer->impl;
  const size_t in = ls_shape_count(layer->in);
  const size_t out = ls_shape_count(layer->out);
  const window_index *argmax = (const void *)saved;
  if (!dx) return;
  for (size_t s = 0; s < pass->n; s++) backward_sample(self, dy + s * out, argmax + s * out, dx + s * in);
}

static void express(const ls_layer *layer, const ls_expression *to)
{
  const maxpool *self = layer->impl;
  ls_pool_express(&self->pool, "MaxPool", to);
}

static void describe(const ls_layer *layer, ls_text *text)
{
  const maxpool *self = layer->impl;
  ls_pool_describe(&self->pool, text);
}

const ls_layer_kind ls_layer_maxpool = {
    .schema = {.name = "maxpool",
               .doc = "Largest value of windows of each channel.",
               .keys = ls_pool_keys,
               .key_count = LS_MAXPOOL_KEYS,
               .options_bytes = sizeof(ls_pool_options)},
    .role = LS_ROLE_NEUTRAL,
    .absorbs_relu = true,
    .create = create,
    .destroy = destroy,
    .forward = forward,
    .backward = backward,
    .express = express,
    .describe = describe,
};
