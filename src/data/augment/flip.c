/* SPDX-License-Identifier: BSD-3-Clause */
/* Half of the images mirrored, left to right. */
#include "data/augment/kind.h"

typedef struct flip_options {
  bool flip;
} flip_options;

static const ls_key keys[] = {
    {.path = "data.augment.flip",
     .type = LS_KEY_BOOL,
     .offset = offsetof(flip_options, flip),
     .preset = "false",
     .doc = "Mirror half of the images, left to right. Not for digits and letters."},
};

static bool is_on(const void *options)
{
  return ((const flip_options *)options)->flip;
}

static void frame(const ls_augment_job *job, ls_augment_frame *frame)
{
  frame->flipped = ls_augment_unit(job, 0) < 0.5F;
}

const ls_augment_kind ls_augment_flip = {
    .schema = {.name = "flip",
               .keys = keys,
               .key_count = sizeof keys / sizeof keys[0],
               .options_bytes = sizeof(flip_options)},
    .is_on = is_on,
    .first_draw = 0,
    .draws = 1,
    .frame = frame,
};
