/* SPDX-License-Identifier: BSD-3-Clause */
/* Windows along one dimension of an image, as convolutions and poolings have them. Private to the module. */
#ifndef LS_NN_WINDOW_H
#define LS_NN_WINDOW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "base/text.h"
#include "config/keys.h"

/** Window i reads the positions i * stride - before + tap * dilation, for 0 <= tap < size. */
typedef struct ls_window {
  size_t size, stride, dilation;
  size_t before, after; /* padding */
} ls_window;

/** As a user gives them, for both dimensions. */
typedef struct ls_window_options {
  ls_counts size, stride, dilation;
  ls_counts pad; /* a word: as TensorFlow's SAME */
  bool ceil;     /* a last window may end behind the padding, if it begins before it */
} ls_window_options;

/** Those of pad. */
extern const char *const ls_pad_words[];

typedef enum ls_dimension { LS_ROWS, LS_COLUMNS } ls_dimension;

/** Positions from a window's first to its last. */
static inline size_t ls_window_span(const ls_window *window)
{
  return (window->size - 1) * window->dilation + 1;
}

/** The windows along a dimension of `in` positions, > 0, and their number.
 *
 * @param noun  of a window, for the message
 *
 * Local. Errors: LS_E_CONFIG if none fits. */
ls_status ls_window_fit(ls_window *window, size_t *out, const ls_window_options *options,
                        ls_dimension dimension, size_t in, const char *noun) LS_CHECKED;

/** Append "3x3, stride 2, dilation 2, pad 1": the size, and what differs from the default. */
void ls_windows_describe(const ls_window *rows, const ls_window *columns, ls_text *text);

#endif
