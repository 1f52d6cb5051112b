/* SPDX-License-Identifier: BSD-3-Clause */
/* A part of the image's size, out of the image with zeros around it. */
#include "base/size.h"
#include "data/augment/kind.h"

typedef struct crop_options {
  size_t pad; /* pixels */
} crop_options;

static const ls_key keys[] = {
    {.path = "data.augment.crop_pad",
     .type = LS_KEY_COUNT,
     .offset = offsetof(crop_options, pad),
     .preset = "0",
     .max = 1000,
     .unit = "pixels",
     .doc = "Pad by so many zeros on each side, then cut out a part of the image's size at random."},
};

enum { ROW, COLUMN, DRAWS };

static bool is_on(const void *options)
{
  return ((const crop_options *)options)->pad > 0;
}

static void note(const void *options, size_t height, size_t width, ls_text *lines)
{
  const crop_options *crop = options;
  if (crop->pad >= ls_size_min(height, width))
    ls_text_add(lines, "data.augment.crop_pad: %zu, but images are %zux%zu: a crop can miss all of one\n",
                crop->pad, height, width);
}

static void frame(const ls_augment_job *job, ls_augment_frame *frame)
{
  const size_t pad = ((const crop_options *)job->stage->options)->pad;
  const float offsets = (float)(2 * pad + 1);
  frame->row = (ptrdiff_t)(ls_augment_unit(job, ROW) * offsets) - (ptrdiff_t)pad;
  frame->column = (ptrdiff_t)(ls_augment_unit(job, COLUMN) * offsets) - (ptrdiff_t)pad;
}

const ls_augment_kind ls_augment_crop = {
    .schema = {.name = "crop",
               .keys = keys,
               .key_count = sizeof keys / sizeof keys[0],
               .options_bytes = sizeof(crop_options)},
    .is_on = is_on,
    .first_draw = 1,
    .draws = DRAWS,
    .frame = frame,
    .note = note,
};
