/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of several subcommands that say which data are meant, and how they are read. */
#ifndef LS_CLI_DATA_OPTIONS_H
#define LS_CLI_DATA_OPTIONS_H

#include "data/loader.h"

struct argp;
struct argp_state;

/** --transpose, --first-label, --resize and --channels, the same as the keys of data: to be a child of
 * the argp of a subcommand that takes no configuration; its input is an ls_reading. */
extern const struct argp ls_reading_argp;

/** Take the argument that says which dataset is meant, of which there is one: for argp's parser. `where` is
 * NULL before. Returns 0 or an errno. */
int ls_dataset_parse(const char **where, const char *word, struct argp_state *state);

extern const char *const ls_eval_split_words[LS_EVAL_COUNT];

/** Take the word after --split: for argp's parser. Returns 0 or an errno. */
int ls_eval_split_parse(ls_eval_split *split, const char *word, struct argp_state *state);

#endif
