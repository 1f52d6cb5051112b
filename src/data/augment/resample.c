/* SPDX-License-Identifier: BSD-3-Clause */
/* Scaling, rows first and then columns. */
#include "data/augment/resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"

static double triangle(double distance)
{
  return fmax(1.0 - distance, 0.0);
}

/* Keys 1981, (4), with a = -0.5. */
static double cubic(double distance)
{
  const double a = -0.5, x = distance;
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * a : 0.0;
}

const ls_filter ls_filter_bilinear = {.radius = 1.0, .weight = triangle};
const ls_filter ls_filter_bicubic = {.radius = 2.0, .weight = cubic, .rounds = true};

/* A line of values that lie `stride` floats apart. */
typedef struct line {
  size_t count, stride;
} line;

/* Where the values of a line come from: `scaled` values are made of the line, and those from `first` on are
 * wanted. */
typedef struct line_scaling {
  const ls_filter *filter;
  size_t scaled, first;
} line_scaling;

/* Values of `to` from those of `from`: weighted means around each one's position. */
static void scale_line(const line_scaling *how, line from, const float *in, line to, float *out)
{
  const ls_filter *filter = how->filter;
  const double ratio = (double)from.count / (double)how->scaled;
  const double widening = fmax(ratio, 1.0), reach = filter->radius * widening;
  for (size_t i = 0; i < to.count; i++) {
    const double centre = ((double)(how->first + i) + 0.5) * ratio;
    const size_t first = (size_t)fmax(floor(centre - reach + 0.5), 0.0);
    const size_t end = ls_size_min((size_t)floor(centre + reach + 0.5), from.count);
    double sum = 0.0, total = 0.0;
    for (size_t j = first; j < end; j++) {
      const double weight = filter->weight(fabs((double)j + 0.5 - centre) / widening);
      total += weight;
      sum += weight * (double)in[j * from.stride];
    }
    const double value = sum / total;
    out[i * to.stride] = (float)(filter->rounds ? fmin(fmax(floor(value + 0.5), 0.0), 255.0) : value);
  }
}

ls_status ls_resample_part(const ls_filter *filter, ls_plane in, ls_scaling scaling, size_t width,
                           size_t height, float *out)
{
  float *wide; /* [in.height, width] */
  size_t count;
  const line_scaling rows = {filter, scaling.width, scaling.left},
                     columns = {filter, scaling.height, scaling.top};
  if (!ls_size_mul(in.height, width, &count)) return ls_fail(LS_E_MEMORY, "no memory to scale an image");
  LS_PASS(ls_alloc(&wide, count, sizeof *wide, "an image"));
  for (size_t y = 0; y < in.height; y++)
    scale_line(&rows, (line){in.width, 1}, in.pixels + y * in.stride, (line){width, 1}, wide + y * width);
  for (size_t x = 0; x < width; x++)
    scale_line(&columns, (line){in.height, width}, wide + x, (line){height, width}, out + x);
  free(wide);
  return LS_OK;
}

ls_status ls_resample(ls_plane in, size_t width, size_t height, float *out)
{
  const ls_scaling whole = {.width = width, .height = height};
  return ls_resample_part(&ls_filter_bilinear, in, whole, width, height, out);
}
