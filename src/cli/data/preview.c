/* SPDX-License-Identifier: BSD-3-Clause */
/* lockstep data preview: samples of each class as one PNG. Rank 0 alone works. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/files/file.h"
#include "base/text.h"
#include "cli/data/data_command.h"
#include "cli/print.h"
#include "cli/data_options.h"
#include "cli/run_dir.h"
#include "data/kinds.h"
#include "config/config.h"
#include "data/augment/augment.h"
#include "cli/data/preview_sheet.h"
#include "data/source.h"
#include "train/schemas.h"

enum { KEY_OUTPUT = 'o', KEY_COUNT = 'n', KEY_SPLIT = 256, KEY_AUGMENT, DEFAULT_COUNT = 12 };

typedef struct preview_arguments {
  const char *where, *output, *config;
  size_t count;
  ls_split split;
  ls_reading reading;
} preview_arguments;

static error_t parse_split(preview_arguments *given, const char *word, struct argp_state *state)
{
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++) {
    given->split = (ls_split)split;
    if (strcmp(word, ls_split_words[split]) == 0) return 0;
  }
  argp_error(state, "--split %s: expected train or test", word);
  return EINVAL;
}

static error_t parse_count(preview_arguments *given, const char *text, struct argp_state *state)
{
  uint64_t count;
  if (!ls_parse_count(text, &count) || count < 1 || count > LS_PREVIEW_MAX_COUNT) {
    argp_error(state, "--count %s: expected a number from 1 to %d", text, LS_PREVIEW_MAX_COUNT);
    return EINVAL;
  }
  given->count = (size_t)count;
  return 0;
}

static error_t check_complete(const preview_arguments *given, struct argp_state *state)
{
  const bool has_source = given->where || given->config;
  if (!has_source) argp_error(state, "no dataset given: a catalogue name, a folder or an .h5 file");
  if (!given->output) argp_error(state, "no file to write given: -o FILE.png");
  return has_source && given->output ? 0 : EINVAL;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
  preview_arguments *given = state->input;
  if (key == ARGP_KEY_INIT)
    state->child_inputs[0] = &given->reading;
  else if (key == KEY_OUTPUT)
    given->output = value;
  else if (key == KEY_COUNT)
    return parse_count(given, value, state);
  else if (key == KEY_SPLIT)
    return parse_split(given, value, state);
  else if (key == KEY_AUGMENT)
    given->config = value;
  else if (key == ARGP_KEY_ARG)
    return ls_dataset_parse(&given->where, value, state);
  else if (key == ARGP_KEY_END)
    return check_complete(given, state);
  else
    return ARGP_ERR_UNKNOWN;
  return 0;
}

static const struct argp_option options[] = {
    {"output", KEY_OUTPUT, "FILE.png", 0, "The file to write; replaced if it exists", 0},
    {"count", KEY_COUNT, "N", 0, "Samples of each class (default: 12)", 0},
    {"split", KEY_SPLIT, "SPLIT", 0, "train (default) or test", 0},
    {"augment", KEY_AUGMENT, "CONFIG", 0,
     "Of each class one sample, and beside it as this configuration augments it in its first epochs", 0},
    {0}};

static const struct argp_child children[] = {{&ls_reading_argp, 0, NULL, 0}, {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .children = children,
    .args_doc = "SRC -o FILE.png",
    .doc = "Draw a contact sheet: a row for each class, with its name, the number of its samples, and the "
           "first of them, enlarged.\v"
           "SRC is a name of the catalogue, a folder of " LS_FOLDER_FORMATS " files, or an .h5 dataset; of "
           "several datasets in a folder, FOLDER/BEGINNING of the names of the files.\n"
           "\n"
           "Examples:\n"
           "  lockstep data preview fashion-mnist -o fashion.png\n"
           "  lockstep data preview mine.h5 -o mine.png --split test --count 20\n"
           "  lockstep data preview --augment configs/lenet5_affine.yaml -o augmented.png\n"};

/* The configuration's augmentation for a dataset's images. Local. */
static ls_status plan_augment(ls_augment **out, const ls_spec *spec, const ls_dataset_info *info,
                              const char *path)
{
  const ls_augment_options augment = {.spec = &spec->data.augment,
                                      .channels = info->channels,
                                      .height = info->height,
                                      .width = info->width,
                                      .microbatch = 1,
                                      .threads = 1,
                                      .seed = spec->seed};
  LS_PASS(ls_augment_new(out, &augment));
  if (*out) return LS_OK;
  return ls_fail(LS_E_CONFIG,
                 "%s augments nothing that can be shown of one image: see data.augment in "
                 "'lockstep train --help-config'",
                 path);
}

/* The configuration that --augment names. Local. */
static ls_status read_config(ls_spec **out, const char *path)
{
  char *text;
  LS_PASS(ls_config_file_read(path, &text));
  const ls_status status = ls_config_parse(out, text, path, NULL, 0, &ls_all_schemas);
  free(text);
  return status;
}

/* The dataset that is given, else the configuration's. Local. */
static ls_status open_source(ls_source **out, const preview_arguments *given, const ls_spec *spec)
{
  if (given->where) return ls_source_open_as(out, given->where, &given->reading);
  const ls_reading reading = ls_reading_with(ls_reading_of(&spec->data), &given->reading);
  return ls_source_open_as(out, spec->data.source, &reading);
}

/* A name that promises another format would get a PNG all the same. */
static ls_status check_output(const char *path)
{
  const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
  if (dot && strcasecmp(dot, ".png") != 0)
    return ls_fail(LS_E_USAGE, "-o %s: a PNG is what is written; try: -o %.*s.png", path, (int)(dot - path),
                   path);
  return ls_file_check_target(path);
}

/* Rank 0. */
static ls_status preview(const preview_arguments *given)
{
  ls_spec *spec = NULL;
  ls_source *source = NULL;
  ls_augment *augment = NULL;
  ls_picture picture = {0};
  ls_status status;
  LS_GO(check_output(given->output));
  if (given->config) LS_GO(read_config(&spec, given->config));
  LS_GO(open_source(&source, given, spec));
  const ls_dataset_info *info = ls_source_info(source);
  ls_warn_each("", ls_source_notes(source));
  if (spec) LS_GO(plan_augment(&augment, spec, info, given->config));
  LS_GO(ls_preview_draw(&picture, source, given->split, given->count, augment));
  LS_GO(ls_png_write(given->output, &picture));
  ls_print(stdout, "%s: %zu x %zu pixels", given->output, picture.width, picture.height);
  if (info->classes > LS_PREVIEW_MAX_ROWS)
    ls_print(stdout, ", the first %d of %zu classes", LS_PREVIEW_MAX_ROWS, info->classes);
  ls_print(stdout, "\n");
done:
  ls_picture_fini(&picture);
  ls_augment_free(augment);
  ls_source_close(source);
  ls_spec_free(spec);
  return status;
}

static ls_status run(ls_comm *comm, int argc, char **argv)
{
  preview_arguments given = {.count = DEFAULT_COUNT, .split = LS_SPLIT_TRAIN};
  bool done;
  LS_PASS(ls_command_parse(comm, &argp, argc, argv, &given, &done));
  if (!done) LS_ROOT(comm, preview(&given));
  return LS_OK;
}

const ls_command ls_data_preview = {
    .word = "preview", .doc = "draw samples of each class as a PNG picture", .run = run};
