/* SPDX-License-Identifier: BSD-3-Clause */
/* The keys of a run as a whole, of its checkpoints and of an ensemble's members. */
#include <math.h>

#include "config/rows.h"

static const char *const ensemble_words[] = {
    [LS_ENSEMBLE_INDEPENDENT] = "independent", [LS_ENSEMBLE_SNAPSHOT] = "snapshot", NULL};

static const ls_key run_keys[] = {
    {.path = "name",
     .type = LS_KEY_TEXT,
     .offset = offsetof(ls_spec, name),
     .preset = "run",
     .doc = "Names the default run directory: letters, digits, '.', '_' and '-'."},
    {.path = "seed",
     .type = LS_KEY_COUNT,
     .offset = offsetof(ls_spec, seed),
     .preset = "1",
     .doc = "Every random choice follows from it: initial weights, order of the samples, splits, dropout."},
};

const ls_key_table ls_run_key_table = {run_keys, sizeof run_keys / sizeof run_keys[0]};

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

static const ls_key ensemble_keys[] = {
    {.path = "ensemble.members",
     .type = LS_KEY_COUNT,
     .offset = offsetof(ls_spec, ensemble.members),
     .preset = "0",
     .max = 1000,
     .unit = "networks",
     .doc = "Train so many networks, side by side where there are ranks for it, and let them vote; 0 for one "
            "alone."},
    {.path = "ensemble.type",
     .type = LS_KEY_WORD,
     .offset = offsetof(ls_spec, ensemble.type),
     .preset = "independent",
     .words = ensemble_words,
     .doc = "Members of seeds seed, seed + 1, ... (independent), or one network as it is at the end of each "
            "cycle of {type: cosine, cycles: members} (snapshot)."},
    {.path = "ensemble.configs",
     .type = LS_KEY_TEXTS,
     .offset = offsetof(ls_spec, ensemble.configs),
     .preset = "[]",
     .doc = "Configuration files of the members, in turns; none: all have this one."},
    {.path = "ensemble.overrides",
     .type = LS_KEY_TEXTS,
     .offset = offsetof(ls_spec, ensemble.overrides),
     .preset = "[]",
     .doc = "What members have differently, in turns: texts such as 'data.fraction=0.8; "
            "train.optimizer.lr=0.02', or none."},
};

const ls_key_table ls_ensemble_key_table = {ensemble_keys, sizeof ensemble_keys / sizeof ensemble_keys[0]};
