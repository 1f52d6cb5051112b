/* SPDX-License-Identifier: BSD-3-Clause */
/* Parts of the image that are set to 0.
 *
 * Sources: DeVries, Taylor: "Improved Regularization of Convolutional Neural Networks with Cutout", 2017 (a
 * square whose centre may be anywhere, so that part of it may be outside); Zhong et al.: "Random Erasing Data
 * Augmentation", AAAI 2020, algorithm 1, with its shares of the area (0.02 to 0.4) and aspects (0.3 to 3.3).
 */
#include <math.h>
#include <string.h>

#include "base/size.h"
#include "data/augment/internal.h"

static const float LEAST_AREA = 0.02F, MOST_AREA = 0.4F, LEAST_ASPECT = 0.3F, MOST_ASPECT = 1.0F / 0.3F;

static void clear(const ls_augment *augment, size_t top, size_t left, size_t bottom, size_t right,
                  uint8_t *image)
{
  for (size_t c = 0; c < augment->channels; c++)
    for (size_t i = top; i < bottom; i++)
      memset(image + (c * augment->height + i) * augment->width + left, 0, right - left);
}

static size_t pick(const ls_augment_job *job, ls_augment_draw draw, size_t count)
{
  return ls_size_min(count - 1, (size_t)(ls_augment_unit(job, draw) * (float)count));
}

/* [centre - side / 2, centre - side / 2 + side), as far as it is inside. */
static size_t begin_of(size_t centre, size_t side)
{
  return centre > side / 2 ? centre - side / 2 : 0;
}

static void cut_out(const ls_augment_job *job, uint8_t *image)
{
  const ls_augment *augment = job->augment;
  const size_t side = augment->spec.cutout;
  const size_t row = pick(job, LS_DRAW_CUTOUT_ROW, augment->height);
  const size_t column = pick(job, LS_DRAW_CUTOUT_COLUMN, augment->width);
  clear(augment, begin_of(row, side), begin_of(column, side),
        ls_size_min(augment->height, row + side - side / 2),
        ls_size_min(augment->width, column + side - side / 2), image);
}

static void erase(const ls_augment_job *job, uint8_t *image)
{
  const ls_augment *augment = job->augment;
  const float pixels = (float)(augment->height * augment->width);
  const float area =
      pixels * (LEAST_AREA + (MOST_AREA - LEAST_AREA) * ls_augment_unit(job, LS_DRAW_ERASE_AREA));
  const float aspect =
      LEAST_ASPECT * powf(MOST_ASPECT / LEAST_ASPECT, ls_augment_unit(job, LS_DRAW_ERASE_ASPECT));
  const size_t height = ls_size_min(augment->height, (size_t)(sqrtf(area * aspect) + 0.5F));
  const size_t width = ls_size_min(augment->width, (size_t)(sqrtf(area / aspect) + 0.5F));
  const size_t top = pick(job, LS_DRAW_ERASE_ROW, augment->height - height + 1);
  const size_t left = pick(job, LS_DRAW_ERASE_COLUMN, augment->width - width + 1);
  clear(augment, top, left, top + height, left + width, image);
}

void ls_augment_erase(const ls_augment_job *job, uint8_t *image)
{
  const ls_spec_augment *spec = &job->augment->spec;
  if (spec->cutout > 0) cut_out(job, image);
  if (spec->erase > 0 && (double)ls_augment_unit(job, LS_DRAW_ERASE) < spec->erase) erase(job, image);
}
