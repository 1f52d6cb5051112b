/* SPDX-License-Identifier: BSD-3-Clause */
/* Pooling windows, as PyTorch's MaxPool2d and AvgPool2d place them. */
#include "nn/layers/pool.h"

#include "base/size.h"

static const char *const stride_words[] = {"size", NULL};

const ls_key ls_pool_keys[LS_POOL_KEYS] = {
    {.path = "size",
     .type = LS_KEY_COUNTS,
     .offset = offsetof(ls_pool_options, windows.size),
     .min = 1,
     .max = LS_POOL_MAX_SIZE,
     .counts_max = 2,
     .unit = "pixels",
     .doc = "Side of the square window, or its rows and columns."},
    {.path = "stride",
     .type = LS_KEY_COUNTS,
     .offset = offsetof(ls_pool_options, windows.stride),
     .preset = "size",
     .min = 1,
     .max = LS_POOL_MAX_SIZE,
     .counts_max = 2,
     .words = stride_words,
     .unit = "pixels",
     .doc = "Step from window to window; size for windows side by side."},
    {.path = "pad",
     .type = LS_KEY_COUNTS,
     .offset = offsetof(ls_pool_options, windows.pad),
     .preset = "0",
     .max = LS_POOL_MAX_SIZE,
     .counts_max = 4,
     .words = ls_pad_words,
     .unit = "pixels",
     .doc = "Border added on each side, at most half the window, as four numbers less than the window; same "
            "makes as many windows as there are pixels (divided by the stride, rounded up), as TensorFlow "
            "does."},
    {.path = "ceil_mode",
     .type = LS_KEY_BOOL,
     .offset = offsetof(ls_pool_options, windows.ceil),
     .preset = "false",
     .shown_if_other = true,
     .unit = "",
     .doc = "Keep a last window that ends outside, if it begins in the image or the border before it."},
    {.path = "count_include_pad",
     .type = LS_KEY_BOOL,
     .offset = offsetof(ls_pool_options, count_include_pad),
     .preset = "true",
     .shown_if_other = true,
     .unit = "",
     .doc = "Count the border's zeros in the mean, as PyTorch does by default; false: as TensorFlow does."},
};

/* Every window sees a pixel of the image. */
static ls_status check_padding(const ls_window *window, const ls_counts *pad)
{
  const size_t most = ls_size_max(window->before, window->after);
  const size_t allowed = pad->word < 0 && pad->count < 4 ? window->size / 2 : window->size - 1;
  if (most <= allowed) return LS_OK;
  if (pad->count == 4)
    return ls_fail(LS_E_CONFIG, "a pad of %zu is not less than the window of %zu: use at most %zu", most,
                   window->size, allowed);
  return ls_fail(LS_E_CONFIG, "a pad of %zu is more than half the window of %zu: use at most %zu", most,
                 window->size, allowed);
}

ls_status ls_pool_init(ls_pool *pool, const ls_pool_options *options, ls_shape in)
{
  ls_window_options windows = options->windows;
  windows.dilation = (ls_counts){.word = -1, .count = 1, .items = {1}};
  if (windows.stride.word >= 0) windows.stride = windows.size;
  *pool = (ls_pool){.in = in, .out.c = in.c, .counts_padding = options->count_include_pad};
  const ls_status rows = ls_window_fit(&pool->rows, &pool->out.h, &windows, LS_ROWS, in.h, "window");
  LS_PASS(check_padding(&pool->rows, &windows.pad));
  LS_PASS(rows);
  const ls_status columns = ls_window_fit(&pool->columns, &pool->out.w, &windows, LS_COLUMNS, in.w, "window");
  LS_PASS(check_padding(&pool->columns, &windows.pad));
  return columns;
}

ls_pool_span ls_pool_span_of(const ls_window *window, size_t i, size_t in)
{
  const size_t begin = i * window->stride; /* in the padded image */
  const size_t end = ls_size_min(begin + window->size, window->before + in + window->after);
  const size_t first = begin > window->before ? begin - window->before : 0;
  return (ls_pool_span){.first = first,
                        .end = ls_size_min(end - window->before, in),
                        .skipped = first + window->before - begin,
                        .counted = end - begin};
}

/* Padding behind, as much as the last window reaches. */
static size_t padding_behind(const ls_window *window, size_t in, size_t out)
{
  const size_t reached = (out - 1) * window->stride + window->size, before = window->before + in;
  return ls_size_max(window->after, reached > before ? reached - before : 0);
}

/* Padding that reaches as far stands for ceil_mode, which not everybody reads in the same way: but in an
 * average that counts padding, and not what is behind it. */
void ls_pool_express(const ls_pool *pool, const char *name, const ls_expression *to)
{
  const ls_window *rows = &pool->rows, *columns = &pool->columns;
  size_t bottom = padding_behind(rows, pool->in.h, pool->out.h);
  size_t right = padding_behind(columns, pool->in.w, pool->out.w);
  const bool has_padding = rows->before + rows->after + columns->before + columns->after > 0;
  const bool counts = pool->counts_padding && has_padding;
  const bool is_ceil = counts && (bottom > rows->after || right > columns->after);
  if (is_ceil) {
    bottom = rows->after;
    right = columns->after;
  }
  to->add(to->user,
          &(ls_operator){.name = name,
                         .inputs = {ls_input(LS_FORM_IMAGE)},
                         .attributes = {ls_pair("kernel_shape", rows->size, columns->size),
                                        ls_pair("strides", rows->stride, columns->stride),
                                        ls_four("pads", rows->before, columns->before, bottom, right),
                                        ls_integer(counts ? "count_include_pad" : NULL, 1),
                                        ls_integer(is_ceil ? "ceil_mode" : NULL, 1)}});
}

void ls_pool_describe(const ls_pool *pool, ls_text *text)
{
  ls_windows_describe(&pool->rows, &pool->columns, text);
}
