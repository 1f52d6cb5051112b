/* SPDX-License-Identifier: BSD-3-Clause */
/* Test-time augmentation: a network sees each image several times, a little changed each time, and the mean
 * of its probabilities decides. */
#ifndef LS_EVAL_TTA_H
#define LS_EVAL_TTA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "nn/shape.h"

/** A way of looking at an image: shifted, then mirrored. */
typedef struct ls_view {
  int down, right; /* pixels: -1, 0, 1 */
  bool flip;       /* left to right */
} ls_view;

/** Change n images x [n, h, w, c] in place; the pixels of the edge are repeated where the image has moved
 * away. Local. Cannot fail. */
void ls_view_apply(const ls_view *view, ls_shape shape, size_t n, float *x);

/** The views of an evaluation, and each thread's sums of probabilities; opaque. */
typedef struct ls_tta ls_tta;

/** Nine views: the image itself, and shifted by one pixel in each of eight directions; with `flips` their
 * mirror images too.
 *
 * @param[in] values  of a thread: samples of a micro-batch times classes, at most
 *
 * Local. Errors: LS_E_MEMORY. */
ls_status ls_tta_new(ls_tta **out, size_t threads, size_t values, bool flips) LS_CHECKED;
void ls_tta_free(ls_tta *tta);

/** The views; borrowed. */
const ls_view *ls_tta_views(const ls_tta *tta, size_t *count);

/** Start thread `part` on `values` probabilities. Local; so are the next two. */
void ls_tta_begin(const ls_tta *tta, size_t part, size_t values);

/** Add the softmax of the logits [n, classes] of one view to the mean. */
void ls_tta_add(const ls_tta *tta, size_t part, const float *logits, size_t n, size_t classes);

/** The mean as logarithms, which are logits of it: softmax(log p) = p. Borrowed until the thread's next. */
const float *ls_tta_logits(const ls_tta *tta, size_t part, size_t values);

#endif
