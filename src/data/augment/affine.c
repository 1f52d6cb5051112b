/* SPDX-License-Identifier: BSD-3-Clause */
/* The affine map. Source of the meanings of the ranges and of their order: Keras, ImageDataGenerator
 * (rotation, shift, shear, zoom about the centre). */
#include <math.h>

#include "data/augment/kind.h"

typedef struct affine_options {
  double rotate; /* degrees, each way */
  double shift;  /* of height and width, each way */
  double zoom;   /* of the size, each way, rows and columns apart */
  double shear;  /* degrees, each way */
} affine_options;

static const ls_key keys[] = {
    {.path = "data.augment.rotate",
     .type = LS_KEY_REAL,
     .offset = offsetof(affine_options, rotate),
     .preset = "0",
     .max = 180,
     .unit = "degrees",
     .doc = "Training images are turned by up to this angle, either way."},
    {.path = "data.augment.shift",
     .type = LS_KEY_REAL,
     .offset = offsetof(affine_options, shift),
     .preset = "0",
     .max = 1,
     .doc = "And moved by up to this fraction of their height and width, either way."},
    {.path = "data.augment.zoom",
     .type = LS_KEY_REAL,
     .offset = offsetof(affine_options, zoom),
     .preset = "0",
     .max = 1,
     .max_open = true,
     .doc = "And magnified by 1 / (1 + zoom) to 1 / (1 - zoom), rows and columns each by their own: the "
            "points that pixels are taken from lie 1 - zoom to 1 + zoom times as far from the centre."},
    {.path = "data.augment.shear",
     .type = LS_KEY_REAL,
     .offset = offsetof(affine_options, shear),
     .preset = "0",
     .max = 90,
     .max_open = true,
     .unit = "degrees",
     .doc = "And sheared by up to this angle, either way."},
};

enum { ROTATE, SHIFT_ROWS, SHIFT_COLUMNS, SHEAR, ZOOM_ROWS, ZOOM_COLUMNS, DRAWS };

static bool is_on(const void *options)
{
  const affine_options *affine = options;
  return affine->rotate > 0 || affine->shift > 0 || affine->zoom > 0 || affine->shear > 0;
}

/* From a pixel, relative to the centre, to where it is read: (row, column) = m (row, column) + shift. */
typedef struct affine_map {
  float m[2][2], shift[2];
} affine_map;

static float radians(float degrees)
{
  return degrees * 0.017453292519943295F;
}

/* rotation * shift * shear * zoom, each as Keras builds it. */
static affine_map draw(const ls_augment_job *job)
{
  const ls_augment *augment = job->augment;
  const affine_options *options = job->stage->options;
  const float angle = radians(ls_augment_between(job, ROTATE, options->rotate));
  const float shear = radians(ls_augment_between(job, SHEAR, options->shear));
  const float down = (float)augment->height * ls_augment_between(job, SHIFT_ROWS, options->shift);
  const float right = (float)augment->width * ls_augment_between(job, SHIFT_COLUMNS, options->shift);
  const float zoom_rows = 1.0F + ls_augment_between(job, ZOOM_ROWS, options->zoom);
  const float zoom_columns = 1.0F + ls_augment_between(job, ZOOM_COLUMNS, options->zoom);
  const float c = cosf(angle), s = sinf(angle), a = -sinf(shear), b = cosf(shear);
  return (affine_map){
      .m = {{c * zoom_rows, (c * a - s * b) * zoom_columns}, {s * zoom_rows, (s * a + c * b) * zoom_columns}},
      .shift = {c * down - s * right, s * down + c * right}};
}

static void map(const ls_augment_job *job, float *rows, float *columns)
{
  const ls_augment *augment = job->augment;
  const affine_map affine = draw(job);
  const float row_centre = (float)(augment->height - 1) / 2.0F,
              column_centre = (float)(augment->width - 1) / 2.0F;
  for (size_t k = 0; k < augment->height * augment->pitch; k++) {
    const float row = rows[k] - row_centre, column = columns[k] - column_centre;
    rows[k] = affine.m[0][0] * row + affine.shift[0] + row_centre + affine.m[0][1] * column;
    columns[k] = affine.m[1][0] * row + affine.shift[1] + column_centre + affine.m[1][1] * column;
  }
}

const ls_augment_kind ls_augment_affine = {
    .schema = {.name = "affine",
               .keys = keys,
               .key_count = sizeof keys / sizeof keys[0],
               .options_bytes = sizeof(affine_options)},
    .is_on = is_on,
    .first_draw = 3,
    .draws = DRAWS,
    .map = map,
};
