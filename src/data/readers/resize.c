/* SPDX-License-Identifier: BSD-3-Clause */
/* The weights of a side are computed once, and serve all images. */
#include "data/readers/resize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "data/augment/resample.h"

enum { WEIGHT_BITS = 22, WEIGHT_ONE = 1 << WEIGHT_BITS };

/* How the values of a side are made. */
typedef struct side {
  size_t from, to; /* pixels */
  size_t most;     /* pixels that a value is made of, at most */
  size_t *first;   /* [to] the first of them; owned */
  size_t *count;   /* [to]; owned */
  int32_t *weight; /* [to, most], of a value about WEIGHT_ONE; owned */
} side;

struct ls_resizer {
  ls_image_shape from, to;
  side rows, columns; /* of pixels: heights, widths */
};

/* ---- the plan ---- */

/* Weights of value `i`. */
static void weigh(const ls_filter *filter, side *self, size_t i, double *weights)
{
  const double ratio = (double)self->from / (double)self->to, widening = fmax(ratio, 1.0);
  const double centre = ((double)i + 0.5) * ratio, reach = filter->radius * widening;
  const size_t first = (size_t)fmax(floor(centre - reach + 0.5), 0.0);
  const size_t end = ls_size_min((size_t)floor(centre + reach + 0.5), self->from);
  double total = 0.0;
  for (size_t j = first; j < end; j++) {
    weights[j - first] = filter->weight(fabs((double)j + 0.5 - centre) / widening);
    total += weights[j - first];
  }
  self->first[i] = first;
  self->count[i] = end - first;
  for (size_t k = 0; k < end - first; k++)
    self->weight[i * self->most + k] = (int32_t)floor(weights[k] / total * WEIGHT_ONE + 0.5);
}

static ls_status plan_side(side *self, size_t from, size_t to)
{
  const ls_filter *filter = &ls_filter_bilinear;
  double *weights;
  self->from = from;
  self->to = to;
  self->most = 2 * (size_t)ceil(filter->radius * fmax((double)from / (double)to, 1.0)) + 1;
  LS_PASS(ls_alloc(&self->first, to, sizeof *self->first, "a resizing"));
  LS_PASS(ls_alloc(&self->count, to, sizeof *self->count, "a resizing"));
  LS_PASS(ls_alloc(&self->weight, to, self->most * sizeof *self->weight, "a resizing"));
  LS_PASS(ls_alloc(&weights, self->most, sizeof *weights, "a resizing"));
  for (size_t i = 0; i < to; i++) weigh(filter, self, i, weights);
  free(weights);
  return LS_OK;
}

static void side_fini(side *self)
{
  free(self->first);
  free(self->count);
  free(self->weight);
}

ls_status ls_resizer_new(ls_resizer **out, ls_image_shape from, ls_image_shape to)
{
  ls_resizer *resizer;
  ls_status status;
  LS_PASS(ls_alloc(&resizer, 1, sizeof *resizer, "a resizing"));
  resizer->from = from;
  resizer->to = to;
  LS_GO(plan_side(&resizer->rows, from.height, to.height));
  LS_GO(plan_side(&resizer->columns, from.width, to.width));
  *out = resizer;
done:
  if (status != LS_OK) ls_resizer_free(resizer);
  return status;
}

void ls_resizer_free(ls_resizer *resizer)
{
  if (!resizer) return;
  side_fini(&resizer->rows);
  side_fini(&resizer->columns);
  free(resizer);
}

/* ---- images ---- */

/* [from.height, to.width], between rows and columns. */
size_t ls_resizer_scratch_bytes(const ls_resizer *resizer)
{
  return resizer->from.height * resizer->to.width;
}

/* Values of a line from pixels that lie `stride` bytes apart. */
static uint8_t blend(const uint8_t *in, size_t stride, const int32_t *weight, size_t count)
{
  int32_t sum = WEIGHT_ONE / 2;
  for (size_t k = 0; k < count; k++) sum += in[k * stride] * weight[k];
  return (uint8_t)(sum >> WEIGHT_BITS);
}

static void scale_plane(const ls_resizer *self, const uint8_t *in, uint8_t *out, uint8_t *wide)
{
  const side *rows = &self->rows, *columns = &self->columns;
  const size_t width = columns->to;
  for (size_t y = 0; y < rows->from; y++)
    for (size_t x = 0; x < width; x++)
      wide[y * width + x] = blend(in + y * columns->from + columns->first[x], 1,
                                  columns->weight + x * columns->most, columns->count[x]);
  for (size_t y = 0; y < rows->to; y++)
    for (size_t x = 0; x < width; x++)
      out[y * width + x] =
          blend(wide + rows->first[y] * width + x, width, rows->weight + y * rows->most, rows->count[y]);
}

void ls_resizer_run(const ls_resizer *resizer, const uint8_t *in, size_t count, uint8_t *out,
                    uint8_t *scratch)
{
  const ls_image_shape from = resizer->from, to = resizer->to;
  const size_t plane_in = from.height * from.width, plane_out = to.height * to.width;
  for (size_t i = 0; i < count; i++) {
    for (size_t c = 0; c < from.channels; c++)
      scale_plane(resizer, in + (i * from.channels + c) * plane_in, out + (i * to.channels + c) * plane_out,
                  scratch);
    for (size_t c = from.channels; c < to.channels; c++)
      memcpy(out + (i * to.channels + c) * plane_out, out + i * to.channels * plane_out, plane_out);
  }
}
