/* SPDX-License-Identifier: BSD-3-Clause */
/* Pooling windows, as PyTorch's MaxPool2d and AvgPool2d place them (floor mode). */
#include "nn/layers/pool.h"

#include "base/size.h"

static const char *const stride_words[] = {"size", NULL};

const ls_key ls_pool_keys[LS_POOL_KEYS] = {
    {.path = "size",
     .type = LS_KEY_COUNT,
     .offset = offsetof(ls_pool_options, size),
     .min = 1,
     .max = LS_POOL_MAX_SIZE,
     .unit = "pixels",
     .doc = "Side of the square window."},
    {.path = "stride",
     .type = LS_KEY_COUNT_OR_WORD,
     .offset = offsetof(ls_pool_options, stride),
     .preset = "size",
     .min = 1,
     .max = LS_POOL_MAX_SIZE,
     .words = stride_words,
     .unit = "pixels",
     .doc = "Step from window to window; size for windows side by side."},
    {.path = "pad",
     .type = LS_KEY_COUNT,
     .offset = offsetof(ls_pool_options, pad),
     .preset = "0",
     .max = LS_POOL_MAX_SIZE,
     .unit = "pixels",
     .doc = "Border added on each side, at most half the window."},
};

/* Number of windows along a dimension; the ones that would end outside are dropped. */
static ls_status fit(const ls_pool *pool, size_t in, const char *dimension, size_t *out)
{
  const size_t padded = in + 2 * pool->pad;
  if (pool->size > padded)
    return ls_fail(LS_E_CONFIG,
                   "a window of %zu does not fit an input of %zu %s with a pad of %zu: use a smaller size",
                   pool->size, in, dimension, pool->pad);
  *out = (padded - pool->size) / pool->stride + 1;
  return LS_OK;
}

ls_status ls_pool_init(ls_pool *pool, const ls_pool_options *options, ls_shape in)
{
  *pool = (ls_pool){.in = in,
                    .out.c = in.c,
                    .size = options->size,
                    .stride = options->stride.word >= 0 ? options->size : options->stride.count,
                    .pad = options->pad};
  if (pool->pad > pool->size / 2)
    return ls_fail(LS_E_CONFIG, "a pad of %zu is more than half the window of %zu: use at most %zu",
                   pool->pad, pool->size, pool->size / 2);
  LS_PASS(fit(pool, in.h, "rows", &pool->out.h));
  return fit(pool, in.w, "columns", &pool->out.w);
}

ls_pool_span ls_pool_window(const ls_pool *pool, size_t i, size_t in)
{
  const size_t begin = i * pool->stride; /* in the padded image */
  const size_t first = begin > pool->pad ? begin - pool->pad : 0;
  return (ls_pool_span){.first = first,
                        .end = ls_size_min(begin + pool->size - pool->pad, in),
                        .skipped = first + pool->pad - begin};
}

void ls_pool_describe(const ls_pool *pool, ls_text *text)
{
  ls_text_add(text, "%zux%zu, stride %zu", pool->size, pool->size, pool->stride);
  if (pool->pad > 0) ls_text_add(text, ", pad %zu", pool->pad);
}
