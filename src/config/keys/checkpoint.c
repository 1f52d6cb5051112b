/* SPDX-License-Identifier: BSD-3-Clause */
/* The keys of a run's checkpoints. */
#include <math.h>

#include "config/rows.h"

static const ls_key checkpoint_keys[] = {
    {.path = "checkpoint.every_epochs",
     .type = LS_KEY_COUNT,
     .offset = offsetof(ls_spec, checkpoint.every_epochs),
     .preset = "1",
     .unit = "epochs",
     .doc = "Write a checkpoint after so many epochs; 0 for off."},
    {.path = "checkpoint.every_steps",
     .type = LS_KEY_COUNT,
     .offset = offsetof(ls_spec, checkpoint.every_steps),
     .preset = "0",
     .unit = "steps",
     .doc = "Write a checkpoint after so many steps; 0 for off."},
    {.path = "checkpoint.every_minutes",
     .type = LS_KEY_REAL,
     .offset = offsetof(ls_spec, checkpoint.every_minutes),
     .preset = "0",
     .max = INFINITY,
     .unit = "minutes",
     .doc = "Write a checkpoint after so much time; 0 for off."},
    {.path = "checkpoint.keep",
     .type = LS_KEY_COUNT,
     .offset = offsetof(ls_spec, checkpoint.keep),
     .preset = "3",
     .min = 1,
     .max = INFINITY,
     .unit = "checkpoints",
     .doc = "The newest so many checkpoints are kept."},
};

const ls_key_table ls_checkpoint_key_table = {checkpoint_keys,
                                              sizeof checkpoint_keys / sizeof checkpoint_keys[0]};
