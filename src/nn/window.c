/* SPDX-License-Identifier: BSD-3-Clause */
/* Padding and numbers of windows: PyTorch's rules, and for the word `same` TensorFlow's, where the odd zero
 * is behind the last position. */
#include "nn/window.h"

#include "base/size.h"

const char *const ls_pad_words[] = {"same", NULL};

static size_t item_of(const ls_counts *counts, ls_dimension dimension)
{
  return counts->items[counts->count == 1 ? 0 : dimension];
}

static void set_padding(ls_window *window, const ls_counts *pad, ls_dimension dimension, size_t in)
{
  if (pad->word >= 0) {
    const size_t covered =
        (ls_size_ceil_div(in, window->stride) - 1) * window->stride + ls_window_span(window);
    const size_t total = covered > in ? covered - in : 0;
    window->before = total / 2;
    window->after = total - window->before;
  } else if (pad->count == 4) {
    window->before = pad->items[2 * dimension];
    window->after = pad->items[2 * dimension + 1];
  } else {
    window->before = window->after = item_of(pad, dimension);
  }
}

static ls_status refuse(const ls_window *window, ls_dimension dimension, size_t in, const char *noun)
{
  ls_text pad = {0}, spread = {0};
  ls_text_add(&pad, "%zu", window->before);
  if (window->before != window->after) ls_text_add(&pad, " and %zu", window->after);
  if (window->dilation > 1)
    ls_text_add(&spread, ", spread over %zu by the dilation,", ls_window_span(window));
  const ls_status status = ls_fail(
      LS_E_CONFIG,
      "a %s of %zu%s does not fit an input of %zu %s with a pad of %s: use a smaller %s or a larger pad",
      noun, window->size, ls_text_get(&spread), in, dimension == LS_ROWS ? "rows" : "columns",
      ls_text_get(&pad), noun);
  ls_text_fini(&pad);
  ls_text_fini(&spread);
  return status;
}

ls_status ls_window_fit(ls_window *window, size_t *out, const ls_window_options *options,
                        ls_dimension dimension, size_t in, const char *noun)
{
  *window = (ls_window){.size = item_of(&options->size, dimension),
                        .stride = item_of(&options->stride, dimension),
                        .dilation = item_of(&options->dilation, dimension)};
  if (window->size == 1) window->dilation = 1;
  set_padding(window, &options->pad, dimension, in);
  const size_t padded = window->before + in + window->after;
  if (ls_window_span(window) > padded) return refuse(window, dimension, in, noun);
  const size_t steps = padded - ls_window_span(window);
  *out = (options->ceil ? ls_size_ceil_div(steps, window->stride) : steps / window->stride) + 1;
  const bool sees_nothing =
      (*out - 1) * window->stride >= window->before + in; /* the last one, of the image */
  if (options->ceil && sees_nothing) --*out;
  return LS_OK;
}

/* "3", or "3x1" where the dimensions differ. */
static void add_pair(const char *before, size_t rows, size_t columns, ls_text *text)
{
  ls_text_add(text, "%s%zu", before, rows);
  if (rows != columns) ls_text_add(text, "x%zu", columns);
}

void ls_windows_describe(const ls_window *rows, const ls_window *columns, ls_text *text)
{
  ls_text_add(text, "%zux%zu", rows->size, columns->size);
  if (rows->stride > 1 || columns->stride > 1) add_pair(", stride ", rows->stride, columns->stride, text);
  if (rows->dilation > 1 || columns->dilation > 1)
    add_pair(", dilation ", rows->dilation, columns->dilation, text);
  const size_t top = ls_size_max(rows->before, rows->after);
  const size_t left = ls_size_max(columns->before, columns->after);
  if (top > 0 || left > 0) add_pair(", pad ", top, left, text);
}
