/* SPDX-License-Identifier: BSD-3-Clause */
/* lockstep inspect: the contents of an HDF5 file. Rank 0 alone works. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/print.h"
#include "store/checkpoint.h"
#include "store/checkpoint_find.h"

enum { KEY_CONFIG = 256 };

typedef struct arguments {
  const char *path;
  bool config;
} arguments;

static error_t too_many(struct argp_state *state, const char *value)
{
  argp_error(state, "one file at a time: '%s' is one too many", value);
  return EINVAL;
}

static error_t none_given(struct argp_state *state)
{
  argp_error(state, "no file given: a run directory holds best.h5, checkpoint-<step>.h5 and metrics.h5");
  return EINVAL;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
  arguments *given = state->input;
  if (key == KEY_CONFIG)
    given->config = true;
  else if (key == ARGP_KEY_ARG && !given->path)
    given->path = value;
  else if (key == ARGP_KEY_ARG)
    return too_many(state, value);
  else if (key == ARGP_KEY_END && !given->path)
    return none_given(state);
  else
    return ARGP_ERR_UNKNOWN;
  return 0;
}

static const struct argp_option options[] = {
    {"config", KEY_CONFIG, NULL, 0,
     "Print only the configuration that a checkpoint was trained with, as YAML", 0},
    {0}};

static const struct argp argp = {.options = options,
                                 .parser = parse_option,
                                 .args_doc = "FILE.h5|RUN_DIR",
                                 .doc = "Show what a checkpoint, a metrics file or a dataset holds. The file "
                                        "is checked for damage first. Of a run "
                                        "directory it is best.h5, else the newest checkpoint.\v"
                                        "Examples:\n"
                                        "  lockstep inspect runs/a/best.h5\n"
                                        "  lockstep inspect runs/a/metrics.h5\n"
                                        "  lockstep inspect runs/a/best.h5 --config > again.yaml\n"};

static ls_status print_config(const char *path)
{
  ls_checkpoint_info info;
  LS_PASS(ls_checkpoint_read_info(path, &info));
  ls_print_lines(stdout, info.config);
  ls_checkpoint_info_fini(&info);
  return LS_OK;
}

static ls_status print_contents(const char *path)
{
  ls_text text = {0};
  char *shown = NULL;
  ls_status status;
  LS_GO(ls_inspect(path, &text));
  LS_GO(ls_text_take(&text, &shown));
  ls_print_lines(stdout, shown);
done:
  free(shown);
  ls_text_fini(&text);
  return status;
}

/* Rank 0. */
static ls_status show(const arguments *given)
{
  char *path;
  ls_text notes = {0};
  ls_status status = ls_checkpoint_find(given->path, &path, &notes);
  ls_print_each(stderr, "lockstep: ", &notes);
  ls_text_fini(&notes);
  if (status == LS_OK)
    status = ls_checkpoint_advise(given->config ? print_config(path) : print_contents(path), path);
  free(path);
  return status;
}

static ls_status run(ls_comm *comm, int argc, char **argv)
{
  arguments given = {.path = NULL};
  bool done;
  LS_PASS(ls_command_parse(comm, &argp, argc, argv, &given, &done));
  if (!done) LS_ROOT(comm, show(&given));
  return LS_OK;
}

const ls_command ls_command_inspect = {
    .word = "inspect", .doc = "show what a checkpoint, metrics file or dataset holds", .run = run};
