/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/data_options.h"

#include <argp.h>
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "data/source.h"

enum { KEY_TRANSPOSE = 1024, KEY_FIRST_LABEL };

static error_t take_transpose(ls_reading *reading, const char *word, struct argp_state *state)
{
  const bool is_true = strcmp(word, "true") == 0;
  reading->transpose = is_true ? LS_TRANSPOSE_TRUE : LS_TRANSPOSE_FALSE;
  if (is_true || strcmp(word, "false") == 0) return 0;
  argp_error(state, "--transpose %s: expected true or false", word);
  return EINVAL;
}

static error_t take_first_label(ls_reading *reading, const char *text, struct argp_state *state)
{
  uint64_t label;
  if (ls_parse_count(text, &label) && label <= LS_MAX_CLASSES) {
    reading->first_label = (ls_count_or_word){.word = -1, .count = (size_t)label};
    return 0;
  }
  argp_error(state, "--first-label %s: expected a count, at most %d", text, LS_MAX_CLASSES);
  return EINVAL;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
  if (key == KEY_TRANSPOSE) return take_transpose(state->input, value, state);
  if (key == KEY_FIRST_LABEL) return take_first_label(state->input, value, state);
  return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
    {"transpose", KEY_TRANSPOSE, "true|false", 0,
     "Whether IDX files hold each image by columns (default: as EMNIST does, where the names are EMNIST's)",
     0},
    {"first-label", KEY_FIRST_LABEL, "N", 0,
     "The files' number of the first class (default: as they say themselves, else 0)", 0},
    {0}};

const struct argp ls_reading_argp = {.options = options, .parser = parse_option};

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

int ls_dataset_parse(const char **where, const char *word, struct argp_state *state)
{
  if (*where) {
    argp_error(state, "one dataset at a time: '%s' is one too many", word);
    return EINVAL;
  }
  *where = word;
  return 0;
}
