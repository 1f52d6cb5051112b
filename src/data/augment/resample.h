/* SPDX-License-Identifier: BSD-3-Clause */
/* Scaling of images, with antialiasing. */
#ifndef LS_DATA_AUGMENT_RESAMPLE_H
#define LS_DATA_AUGMENT_RESAMPLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/** A plane of an image: rows of `width` floats, `stride` floats from one row to the next. */
typedef struct ls_plane {
  size_t width, height, stride;
  const float *pixels; /* borrowed */
} ls_plane;

/** What the pixels around a position count for its value. */
typedef struct ls_filter {
  double radius;                     /* pixels, where it does not shrink */
  double (*weight)(double distance); /* at a distance of 0 to the radius */
  bool rounds; /* rows, and then columns, become whole levels from 0 to 255, as those of images of 8 bits */
} ls_filter;

/** As PyTorch's interpolate(mode="bilinear", antialias=True) and Pillow's BILINEAR. */
extern const ls_filter ls_filter_bilinear;

/** As Pillow's BICUBIC on images of 8 bits. Source: Keys, IEEE Transactions on Acoustics, Speech, and Signal
 * Processing 29 (1981) 1153-1160, with a = -0.5. */
extern const ls_filter ls_filter_bicubic;

/** The size of a plane when it is scaled, and where in that a part begins. */
typedef struct ls_scaling {
  size_t width, height, left, top;
} ls_scaling;

/** Scale a plane by a filter, and take a part of it: out [height, width].
 *
 * Where it shrinks, the filter is widened by as much, so every pixel counts. All sizes are above 0, and the
 * part lies in what is scaled.
 *
 * Local. Errors: LS_E_MEMORY.
 */
ls_status ls_resample_part(const ls_filter *filter, ls_plane in, ls_scaling scaling, size_t width,
                           size_t height, float *out) LS_CHECKED;

/** Scale a plane to out [height, width], by the bilinear filter. Local. Errors: LS_E_MEMORY. */
ls_status ls_resample(ls_plane in, size_t width, size_t height, float *out) LS_CHECKED;

#endif
