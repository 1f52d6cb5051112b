/* SPDX-License-Identifier: BSD-3-Clause */
/* A picture as planes of floats, and the filters that work on one of them. */
#ifndef LS_EVAL_PICTURES_PLANES_H
#define LS_EVAL_PICTURES_PLANES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "eval/pictures/png_read.h"

enum { LS_RGB = 3 };

/** Is pixel `i` of a picture on its border? */
static inline bool ls_is_border(size_t i, size_t width, size_t height)
{
  const size_t x = i % width, y = i / width;
  return x == 0 || y == 0 || x + 1 == width || y + 1 == height;
}

/** A side, scaled, in whole pixels: 1 .. `most`. */
size_t ls_side_scaled(size_t side, double scale, size_t most);

/** Opaque planes of a picture. */
typedef struct ls_planes {
  size_t width, height, count;
  float *values; /* [count, height, width], 0 .. 255; owned: ls_planes_fini() */
} ls_planes;

/** Weights of ITU-R BT.601, as in most conversions to grey. */
float ls_grey_of(const float colour[LS_RGB]);

/** Take a picture apart: `count` is 3 for red, green and blue, 1 for grey. Each value is the mean of
 * `reduction` x `reduction` pixels (fewer at the right and the lower end). What is transparent is laid on
 * white or black: on that which the opaque part of the border is nearer to; where the border is transparent,
 * the drawing is what counts, and is laid on the opposite of its own brightness.
 *
 * Local. Errors: LS_E_MEMORY. */
ls_status ls_planes_take(const ls_rgba *picture, size_t count, size_t reduction, ls_planes *out) LS_CHECKED;
void ls_planes_fini(ls_planes *planes);

/** One plane [height, width]; borrowed. */
typedef struct ls_map {
  size_t width, height;
  float *values;
} ls_map;

/** The mean over the square of 2 * radius + 1 pixels a side around each pixel, as far as it lies in the map.
 * Local. Errors: LS_E_MEMORY. */
ls_status ls_map_blur(ls_map map, size_t radius) LS_CHECKED;

/** The smallest or largest value of that square instead. Running extremes in three comparisons a pixel,
 * whatever the radius: van Herk, Pattern Recognition Letters 13 (1992) 517-521. Local. Errors: LS_E_MEMORY.
 */
ls_status ls_map_erode(ls_map map, size_t radius) LS_CHECKED;
ls_status ls_map_dilate(ls_map map, size_t radius) LS_CHECKED;

/** The value below which a fraction `share` of `count` values lies, to 1/4096 of their range; finite values,
 * count > 0. */
float ls_level_quantile(const float *values, size_t count, double share);

#endif
