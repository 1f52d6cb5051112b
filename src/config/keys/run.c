/* SPDX-License-Identifier: BSD-3-Clause */
/* The keys of a run as a whole. */
#include "config/rows.h"

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
