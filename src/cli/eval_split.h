/* SPDX-License-Identifier: BSD-3-Clause */
/* --split of the subcommands that evaluate. */
#ifndef LS_CLI_EVAL_SPLIT_H
#define LS_CLI_EVAL_SPLIT_H

#include "data/loader.h"

struct argp_state;

extern const char *const ls_eval_split_words[LS_EVAL_COUNT];

/** Take the word after --split: for argp's parser. Returns 0 or an errno. */
int ls_eval_split_parse(ls_eval_split *split, const char *word, struct argp_state *state);

/** Why a split has no samples. Returns LS_E_INPUT. Local. */
ls_status ls_eval_split_empty(ls_eval_split split, const char *dataset) LS_CHECKED;

#endif
