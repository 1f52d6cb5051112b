/* SPDX-License-Identifier: BSD-3-Clause */
/* Scaling, rows first and then columns. */
#include "data/augment/resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"

/* A line of values that lie `stride` floats apart. */
typedef struct line {
  size_t count, stride;
} line;

/* Values of `to` from those of `from`: weighted means under a triangle around each one's position. */
static void scale_line(line from, const float *in, line to, float *out)
{
  const double ratio = (double)from.count / (double)to.count;
  const double reach = fmax(ratio, 1.0);
  for (size_t i = 0; i < to.count; i++) {
    const double centre = ((double)i + 0.5) * ratio;
    const size_t first = (size_t)fmax(floor(centre - reach + 0.5), 0.0);
    const size_t end = ls_size_min((size_t)floor(centre + reach + 0.5), from.count);
    double sum = 0.0, total = 0.0;
    for (size_t j = first; j < end; j++) {
      const double weight = fmax(1.0 - fabs((double)j + 0.5 - centre) / reach, 0.0);
      total += weight;
      sum += weight * (double)in[j * from.stride];
    }
    out[i * to.stride] = (float)(sum / total);
  }
}

ls_status ls_resample(ls_plane in, size_t width, size_t height, float *out)
{
  float *wide; /* [in.height, width] */
  size_t count;
  if (!ls_size_mul(in.height, width, &count)) return ls_fail(LS_E_MEMORY, "no memory to scale an image");
  LS_PASS(ls_alloc(&wide, count, sizeof *wide, "an image"));
  for (size_t y = 0; y < in.height; y++)
    scale_line((line){in.width, 1}, in.pixels + y * in.stride, (line){width, 1}, wide + y * width);
  for (size_t x = 0; x < width; x++)
    scale_line((line){in.height, width}, wide + x, (line){height, width}, out + x);
  free(wide);
  return LS_OK;
}
