/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "data/augment/internal.h"

/* From a pixel, relative to the centre, to where it is read: (row, column) = m (row, column) + shift. */
typedef struct affine {
  float m[2][2], shift[2];
} affine;

static float radians(float degrees)
{
  return degrees * 0.017453292519943295F;
}

/* rotation * shift * shear * zoom, each as Keras builds it. */
static affine draw(const ls_augment_job *job)
{
  const ls_augment *augment = job->augment;
  const ls_spec_augment *spec = &augment->spec;
  const float angle = radians(ls_augment_between(job, LS_DRAW_ROTATE, spec->rotate));
  const float shear = radians(ls_augment_between(job, LS_DRAW_SHEAR, spec->shear));
  const float down = (float)augment->height * ls_augment_between(job, LS_DRAW_SHIFT_ROWS, spec->shift);
  const float right = (float)augment->width * ls_augment_between(job, LS_DRAW_SHIFT_COLUMNS, spec->shift);
  const float zoom_rows = 1.0F + ls_augment_between(job, LS_DRAW_ZOOM_ROWS, spec->zoom);
  const float zoom_columns = 1.0F + ls_augment_between(job, LS_DRAW_ZOOM_COLUMNS, spec->zoom);
  const float c = cosf(angle), s = sinf(angle), a = -sinf(shear), b = cosf(shear);
  return (affine){
      .m = {{c * zoom_rows, (c * a - s * b) * zoom_columns}, {s * zoom_rows, (s * a + c * b) * zoom_columns}},
      .shift = {c * down - s * right, s * down + c * right}};
}

void ls_augment_affine(const ls_augment_job *job, float *rows, float *columns)
{
  const ls_augment *augment = job->augment;
  const affine map = draw(job);
  const float row_centre = (float)(augment->height - 1) / 2.0F,
              column_centre = (float)(augment->width - 1) / 2.0F;
  for (size_t i = 0; i < augment->height; i++) {
    const float row = (float)i - row_centre;
    const float first_row = map.m[0][0] * row + map.shift[0] + row_centre;
    const float first_column = map.m[1][0] * row + map.shift[1] + column_centre;
    for (size_t j = 0; j < augment->pitch; j++) {
      const float column = (float)(int)j - column_centre;
      rows[i * augment->pitch + j] = first_row + map.m[0][1] * column;
      columns[i * augment->pitch + j] = first_column + map.m[1][1] * column;
    }
  }
}
