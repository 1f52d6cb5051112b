/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/data_options.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "data/source.h"

enum { KEY_TRANSPOSE = 1024, KEY_FIRST_LABEL, KEY_RESIZE, KEY_CHANNELS };
enum { MOST_PIXELS = 65536 /* of a side, as data.resize has it */ };

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

/* A count of at least 1; a character that ends it may follow. */
static bool take_side(const char *text, size_t length, size_t *side)
{
  char digits[8];
  uint64_t pixels;
  if (length >= sizeof digits) return false;
  snprintf(digits, sizeof digits, "%.*s", (int)length, text);
  if (!ls_parse_count(digits, &pixels) || pixels == 0 || pixels > MOST_PIXELS) return false;
  *side = (size_t)pixels;
  return true;
}

/* SIDE, or HEIGHTxWIDTH. */
static error_t take_resize(ls_reading *reading, const char *text, struct argp_state *state)
{
  const size_t height = strcspn(text, "x");
  const char *width = text[height] ? text + height + 1 : text;
  if (take_side(text, height, &reading->height) && take_side(width, strlen(width), &reading->width)) return 0;
  argp_error(state, "--resize %s: expected a number of pixels from 1 to %d, or two of them, such as 48x64",
             text, MOST_PIXELS);
  return EINVAL;
}

static error_t take_channels(ls_reading *reading, const char *text, struct argp_state *state)
{
  uint64_t channels;
  if (ls_parse_count(text, &channels) && channels > 0) {
    reading->channels = (size_t)channels;
    return 0;
  }
  argp_error(state, "--channels %s: expected a count of at least 1", text);
  return EINVAL;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
  if (key == KEY_TRANSPOSE) return take_transpose(state->input, value, state);
  if (key == KEY_FIRST_LABEL) return take_first_label(state->input, value, state);
  if (key == KEY_RESIZE) return take_resize(state->input, value, state);
  if (key == KEY_CHANNELS) return take_channels(state->input, value, state);
  return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
    {"transpose", KEY_TRANSPOSE, "true|false", 0,
     "Whether IDX files hold each image by columns (default: as EMNIST does, where the names are EMNIST's)",
     0},
    {"first-label", KEY_FIRST_LABEL, "N", 0,
     "The files' number of the first class (default: as they say themselves, else 0)", 0},
    {"resize", KEY_RESIZE, "N|HxW", 0, "Scale images to this many pixels a side (default: as they are)", 0},
    {"channels", KEY_CHANNELS, "N", 0, "Repeat grey images in so many channels (default: as they are)", 0},
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
