/* SPDX-License-Identifier: BSD-3-Clause */
/* Random erasing: a rectangle of some images is set to 0.
 *
 * Source: Zhong et al.: "Random Erasing Data Augmentation", AAAI 2020, algorithm 1, with its shares of the
 * area (0.02 to 0.4) and aspects (0.3 to 3.3). */
#include <math.h>

#include "base/size.h"
#include "data/augment/kind.h"

typedef struct erase_options {
  double erase; /* probability */
} erase_options;

static const ls_key keys[] = {
    {.path = "data.augment.erase",
     .type = LS_KEY_REAL,
     .offset = offsetof(erase_options, erase),
     .preset = "0",
     .max = 1,
     .doc = "Random erasing: probability that a rectangle of 2 to 40 % of the image is set to 0."},
};

enum { ERASE, AREA, ASPECT, ROW, COLUMN, DRAWS };

static const float LEAST_AREA = 0.02F, MOST_AREA = 0.4F, LEAST_ASPECT = 0.3F, MOST_ASPECT = 1.0F / 0.3F;

static bool is_on(const void *options)
{
  return ((const erase_options *)options)->erase > 0;
}

static void edit(const ls_augment_job *job, uint8_t *image)
{
  const ls_augment *augment = job->augment;
  const erase_options *options = job->stage->options;
  if ((double)ls_augment_unit(job, ERASE) >= options->erase) return;
  const float pixels = (float)(augment->height * augment->width);
  const float area = pixels * (LEAST_AREA + (MOST_AREA - LEAST_AREA) * ls_augment_unit(job, AREA));
  const float aspect = LEAST_ASPECT * powf(MOST_ASPECT / LEAST_ASPECT, ls_augment_unit(job, ASPECT));
  const size_t height = ls_size_min(augment->height, (size_t)(sqrtf(area * aspect) + 0.5F));
  const size_t width = ls_size_min(augment->width, (size_t)(sqrtf(area / aspect) + 0.5F));
  const size_t top = ls_augment_pick(job, ROW, augment->height - height + 1);
  const size_t left = ls_augment_pick(job, COLUMN, augment->width - width + 1);
  ls_augment_clear(augment, (ls_augment_box){top, left, top + height, left + width}, image);
}

const ls_augment_kind ls_augment_erase = {
    .schema = {.name = "erase",
               .keys = keys,
               .key_count = sizeof keys / sizeof keys[0],
               .options_bytes = sizeof(erase_options)},
    .is_on = is_on,
    .first_draw = 11,
    .draws = DRAWS,
    .edit = edit,
};
