/* SPDX-License-Identifier: BSD-3-Clause */
/* A square of the image is cut out; its centre may be anywhere, so that part of it may be outside.
 *
 * Source: DeVries, Taylor: "Improved Regularization of Convolutional Neural Networks with Cutout", 2017. */
#include "base/size.h"
#include "data/augment/kind.h"

typedef struct cutout_options {
  size_t side; /* pixels */
} cutout_options;

static const ls_key keys[] = {
    {.path = "data.augment.cutout",
     .type = LS_KEY_COUNT,
     .offset = offsetof(cutout_options, side),
     .preset = "0",
     .max = 1000,
     .unit = "pixels",
     .doc = "Set a square of this side to 0, anywhere in the image."},
};

enum { ROW, COLUMN, DRAWS };

static bool is_on(const void *options)
{
  return ((const cutout_options *)options)->side > 0;
}

static void note(const void *options, size_t height, size_t width, ls_text *lines)
{
  const cutout_options *cutout = options;
  if (cutout->side >= ls_size_min(height, width))
    ls_text_add(lines, "data.augment.cutout: %zu, but images are %zux%zu: a square can hide all of one\n",
                cutout->side, height, width);
}

/* [centre - side / 2, centre - side / 2 + side), as far as it is inside. */
static size_t begin_of(size_t centre, size_t side)
{
  return centre > side / 2 ? centre - side / 2 : 0;
}

static void edit(const ls_augment_job *job, uint8_t *image)
{
  const ls_augment *augment = job->augment;
  const size_t side = ((const cutout_options *)job->stage->options)->side;
  const size_t row = ls_augment_pick(job, ROW, augment->height);
  const size_t column = ls_augment_pick(job, COLUMN, augment->width);
  const ls_augment_box box = {.top = begin_of(row, side),
                              .left = begin_of(column, side),
                              .bottom = ls_size_min(augment->height, row + side - side / 2),
                              .right = ls_size_min(augment->width, column + side - side / 2)};
  ls_augment_clear(augment, box, image);
}

const ls_augment_kind ls_augment_cutout = {
    .schema = {.name = "cutout",
               .keys = keys,
               .key_count = sizeof keys / sizeof keys[0],
               .options_bytes = sizeof(cutout_options)},
    .is_on = is_on,
    .first_draw = 9,
    .draws = DRAWS,
    .edit = edit,
    .note = note,
};
