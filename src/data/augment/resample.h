/* SPDX-License-Identifier: BSD-3-Clause */
/* Scaling of images, with antialiasing. */
#ifndef LS_DATA_AUGMENT_RESAMPLE_H
#define LS_DATA_AUGMENT_RESAMPLE_H

#include <stddef.h>

#include "base/status.h"

/** A plane of an image: rows of `width` floats, `stride` floats from one row to the next. */
typedef struct ls_plane {
  size_t width, height, stride;
  const float *pixels; /* borrowed */
} ls_plane;

/** Scale a plane to out [height, width].
 *
 * Bilinear; where it shrinks, the triangle of its weights is widened by as much, so every pixel counts (as
 * PyTorch's interpolate(mode="bilinear", antialias=True) and Pillow's BILINEAR do). All sizes are above 0.
 *
 * Local. Errors: LS_E_MEMORY.
 */
ls_status ls_resample(ls_plane in, size_t width, size_t height, float *out) LS_CHECKED;

#endif
