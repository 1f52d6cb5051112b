/* SPDX-License-Identifier: BSD-3-Clause */
/* The keys of an ensemble's members. */
#include "config/rows.h"

static const char *const ensemble_words[] = {
    [LS_ENSEMBLE_INDEPENDENT] = "independent", [LS_ENSEMBLE_SNAPSHOT] = "snapshot", NULL};

bool ls_spec_takes_snapshots(const ls_spec *spec)
{
  static const bool rows[] = {[LS_ENSEMBLE_INDEPENDENT] = false, [LS_ENSEMBLE_SNAPSHOT] = true};
  return rows[spec->ensemble.type];
}

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
