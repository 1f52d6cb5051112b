/* SPDX-License-Identifier: BSD-3-Clause */
/* --split of the subcommands that evaluate. */
#include "cli/eval_split.h"

#include <argp.h>
#include <errno.h>
#include <string.h>

const char *const ls_eval_split_words[LS_EVAL_COUNT] = {
    [LS_EVAL_TRAIN] = "train", [LS_EVAL_VALIDATION] = "validation", [LS_EVAL_TEST] = "test"};

int ls_eval_split_parse(ls_eval_split *split, const char *word, struct argp_state *state)
{
  for (size_t i = 0; i < LS_EVAL_COUNT; i++) {
    *split = (ls_eval_split)i;
    if (strcmp(word, ls_eval_split_words[i]) == 0) return 0;
  }
  argp_error(state, "--split %s: expected test, validation or train", word);
  return EINVAL;
}

ls_status ls_eval_split_empty(ls_eval_split split, const char *dataset)
{
  return ls_fail(
      LS_E_INPUT,
      split == LS_EVAL_TEST
          ? "dataset '%s' has no test split; try --split validation, or another --data"
          : "no samples of '%s' were held out for validation (data.validation is 0); try --split test",
      dataset);
}
