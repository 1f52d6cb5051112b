/* SPDX-License-Identifier: BSD-3-Clause */
/* Only the part that is cut out is computed, so that a long strip takes no more memory than a square. */
#include "eval/pictures/photo.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "data/augment/resample.h"

static const double SHARE = 0.875; /* of the shorter side */

/* side * by / of, to the nearest whole number. */
static size_t scale_side(size_t side, size_t by, size_t of)
{
  return (2 * side * by + of) / (2 * of);
}

static ls_scaling find_scaling(const ls_planes *planes, ls_shape shape)
{
  const bool is_wide = planes->width * shape.h >= planes->height * shape.w;
  ls_scaling scaling = {.width = (size_t)llround((double)shape.w / SHARE),
                        .height = (size_t)llround((double)shape.h / SHARE)};
  if (is_wide)
    scaling.width = scale_side(scaling.height, planes->width, planes->height);
  else
    scaling.height = scale_side(scaling.width, planes->height, planes->width);
  scaling.left = (scaling.width - shape.w) / 2;
  scaling.top = (scaling.height - shape.h) / 2;
  return scaling;
}

ls_status ls_photo_take(const ls_planes *planes, ls_shape shape, uint8_t *image)
{
  const size_t plane = shape.h * shape.w;
  const ls_scaling scaling = find_scaling(planes, shape);
  float *scaled;
  LS_PASS(ls_alloc(&scaled, plane, sizeof *scaled, "an image"));
  ls_status status = LS_OK;
  for (size_t c = 0; c < planes->count && status == LS_OK; c++) {
    const ls_plane in = {.width = planes->width,
                         .height = planes->height,
                         .stride = planes->width,
                         .pixels = planes->values + c * planes->height * planes->width};
    status = ls_resample_part(&ls_filter_bicubic, in, scaling, shape.w, shape.h, scaled);
    for (size_t i = 0; i < plane && status == LS_OK; i++) image[c * plane + i] = (uint8_t)scaled[i];
  }
  free(scaled);
  return status;
}
