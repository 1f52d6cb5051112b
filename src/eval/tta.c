/* SPDX-License-Identifier: BSD-3-Clause */
/* Views of images, and the mean over them. An image is changed after its normalization, in the workspace that
 * the network reads it from. */
#include "eval/tta.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "nn/probability.h"

static const ls_view views[] = {
    {0, 0, false},  {-1, -1, false}, {-1, 0, false}, {-1, 1, false}, {0, -1, false}, {0, 1, false},
    {1, -1, false}, {1, 0, false},   {1, 1, false},  {0, 0, true},   {-1, -1, true}, {-1, 0, true},
    {-1, 1, true},  {0, -1, true},   {0, 1, true},   {1, -1, true},  {1, 0, true},   {1, 1, true}};

enum { ALL_VIEWS = sizeof views / sizeof *views, UNFLIPPED_VIEWS = ALL_VIEWS / 2 };

static const float least = 1e-38F; /* a probability whose logarithm is finite */

struct ls_tta {
  size_t view_count, threads;
  float **means, **own; /* [threads][values] */
};

/* A row of an image from another one, which may be itself. */
static void move_row(float *to, const float *from, int right, size_t width, size_t channels)
{
  const size_t kept = (width - (size_t)abs(right)) * channels;
  const size_t pixel = channels * sizeof *to;
  float *edge = right > 0 ? to : to + kept;
  const float *outermost = right > 0 ? from : from + (width - 1) * channels;
  memmove(to + (right > 0 ? channels : 0), from + (right < 0 ? channels : 0), kept * sizeof *to);
  if (right != 0) memmove(edge, outermost, pixel);
}

/* Rows are taken in the order in which none is needed that was written over. */
static void shift(const ls_view *view, ls_shape shape, float *image)
{
  const size_t rows = shape.h, row = shape.w * shape.c;
  for (size_t k = 0; k < rows; k++) {
    const size_t to = view->down > 0 ? rows - 1 - k : k;
    size_t from = to;
    if (view->down > 0 && to > 0) from = to - 1;
    if (view->down < 0 && to + 1 < rows) from = to + 1;
    move_row(image + to * row, image + from * row, view->right, shape.w, shape.c);
  }
}

static void mirror_row(float *row, size_t width, size_t channels)
{
  for (size_t j = 0; j < width / 2; j++)
    for (size_t c = 0; c < channels; c++) {
      float *left = row + j * channels + c, *right = row + (width - 1 - j) * channels + c;
      const float kept = *left;
      *left = *right;
      *right = kept;
    }
}

void ls_view_apply(const ls_view *view, ls_shape shape, size_t n, float *x)
{
  const size_t row = shape.w * shape.c;
  for (size_t s = 0; s < n; s++) {
    if (view->down != 0 || view->right != 0) shift(view, shape, x + s * shape.h * row);
    for (size_t i = 0; view->flip && i < shape.h; i++)
      mirror_row(x + (s * shape.h + i) * row, shape.w, shape.c);
  }
}

static ls_status allocate(ls_tta *self, size_t values)
{
  LS_PASS(ls_alloc(&self->means, self->threads, sizeof *self->means, "the views"));
  LS_PASS(ls_alloc(&self->own, self->threads, sizeof *self->own, "the views"));
  for (size_t t = 0; t < self->threads; t++) {
    LS_PASS(ls_alloc(&self->means[t], values, sizeof(float), "the views' probabilities"));
    LS_PASS(ls_alloc(&self->own[t], values, sizeof(float), "the views' probabilities"));
  }
  return LS_OK;
}

ls_status ls_tta_new(ls_tta **out, size_t threads, size_t values, bool flips)
{
  ls_tta *self;
  LS_PASS(ls_alloc(&self, 1, sizeof *self, "the views"));
  self->threads = threads;
  self->view_count = flips ? ALL_VIEWS : UNFLIPPED_VIEWS;
  const ls_status status = allocate(self, values);
  if (status != LS_OK) {
    ls_tta_free(self);
    return status;
  }
  *out = self;
  return LS_OK;
}

void ls_tta_free(ls_tta *tta)
{
  if (!tta) return;
  for (size_t t = 0; tta->means && t < tta->threads; t++) free(tta->means[t]);
  for (size_t t = 0; tta->own && t < tta->threads; t++) free(tta->own[t]);
  free(tta->means);
  free(tta->own);
  free(tta);
}

const ls_view *ls_tta_views(const ls_tta *tta, size_t *count)
{
  *count = tta->view_count;
  return views;
}

void ls_tta_begin(const ls_tta *tta, size_t part, size_t values)
{
  memset(tta->means[part], 0, values * sizeof(float));
}

void ls_tta_add(const ls_tta *tta, size_t part, const float *logits, size_t n, size_t classes)
{
  float *mean = tta->means[part], *own = tta->own[part];
  ls_softmax(logits, n, classes, own);
  for (size_t i = 0; i < n * classes; i++) mean[i] += own[i] / (float)tta->view_count;
}

const float *ls_tta_logits(const ls_tta *tta, size_t part, size_t values)
{
  float *mean = tta->means[part];
  for (size_t i = 0; i < values; i++) mean[i] = logf(fmaxf(mean[i], least));
  return mean;
}
