/* SPDX-License-Identifier: BSD-3-Clause */
/* lockstep data import: any dataset that can be read, as one HDF5 file. Rank 0 alone works. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/files/file.h"
#include "base/clock.h"
#include "cli/data/data_command.h"
#include "cli/print.h"
#include "cli/data_options.h"
#include "cli/sample_display.h"
#include "data/kinds.h"
#include "data/readers/h5set_write.h"
#include "data/source.h"

enum { KEY_OUTPUT = 'o', KEY_FORCE = 'f' };

typedef struct import_arguments {
  const char *where, *output;
  bool force;
  ls_reading reading;
} import_arguments;

static error_t check_complete(const import_arguments *given, struct argp_state *state)
{
  if (!given->where)
    argp_error(state, "no dataset given: a catalogue name or a folder of " LS_FOLDER_FORMATS " files");
  if (!given->output) argp_error(state, "no file to write given: -o FILE.h5");
  return given->where && given->output ? 0 : EINVAL;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
  import_arguments *given = state->input;
  if (key == ARGP_KEY_INIT)
    state->child_inputs[0] = &given->reading;
  else if (key == KEY_OUTPUT)
    given->output = value;
  else if (key == KEY_FORCE)
    given->force = true;
  else if (key == ARGP_KEY_ARG)
    return ls_dataset_parse(&given->where, value, state);
  else if (key == ARGP_KEY_END)
    return check_complete(given, state);
  else
    return ARGP_ERR_UNKNOWN;
  return 0;
}

static const struct argp_option options[] = {
    {"output", KEY_OUTPUT, "FILE.h5", 0, "The file to write", 0},
    {"force", KEY_FORCE, NULL, 0, "Replace the file if it exists", 0},
    {0}};

static const struct argp_child children[] = {{&ls_reading_argp, 0, NULL, 0}, {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .children = children,
    .args_doc = "SRC -o FILE.h5",
    .doc =
        "Write a dataset as one HDF5 file: /train and /test with images, uint8 [N, C, H, W], compressed and "
        "with checksums, and labels. The file is complete when it appears under its name.\v"
        "SRC is a name of the catalogue, a folder of " LS_FOLDER_FORMATS " files, or an .h5 dataset; of "
        "several datasets in a folder, FOLDER/BEGINNING of the names of the files.\n"
        "\n"
        "Examples:\n"
        "  lockstep data import mnist -o data/mnist.h5\n"
        "  lockstep data import path/to/cifar-10-batches-bin -o cifar10.h5 --force\n"};

/* An existing file is replaced only on request. */
static ls_status check_output(const import_arguments *given)
{
  ls_file_kind kind;
  LS_PASS(ls_file_check_target(given->output));
  LS_PASS(ls_file_look(&kind, given->output));
  if (kind != LS_FILE_NONE && !given->force)
    return ls_fail(LS_E_USAGE, "'%s' exists already; give --force to replace it", given->output);
  return LS_OK;
}

static void report_done(const ls_dataset_info *info, const char *path, double seconds)
{
  struct stat file = {0};
  const double mib = stat(path, &file) == 0 ? (double)file.st_size / (1 << 20) : 0;
  ls_print(stdout, "%s: %zu train and %zu test images of %zux%zux%zu, %zu %s, %.1f MiB, in %.1f s\n", path,
           info->count[LS_SPLIT_TRAIN], info->count[LS_SPLIT_TEST], info->channels, info->height, info->width,
           info->classes, ls_label_nouns[info->labels], mib, seconds);
}

/* Rank 0. */
static ls_status import(const import_arguments *given)
{
  const double started_s = ls_clock_s();
  ls_source *source;
  LS_PASS(check_output(given));
  LS_PASS(ls_source_open_as(&source, given->where, &given->reading));
  ls_warn_each("", ls_source_notes(source));
  char what[96];
  snprintf(what, sizeof what, "importing %s", ls_source_info(source)->name);
  ls_sample_display display = ls_sample_display_of(stdout, what);
  const ls_ticker ticker = ls_sample_display_ticker(&display);
  ls_status status = ls_h5set_write(given->output, source, &ticker);
  ls_sample_display_finish(&display);
  if (status == LS_OK)
    report_done(ls_source_info(source), given->output, ls_clock_s() - started_s);
  else
    status = ls_wrap(status, "importing '%s'", given->where);
  ls_source_close(source);
  return status;
}

static ls_status run(ls_comm *comm, int argc, char **argv)
{
  import_arguments given = {.force = false};
  bool done;
  LS_PASS(ls_command_parse(comm, &argp, argc, argv, &given, &done));
  if (!done) LS_ROOT(comm, import(&given));
  return LS_OK;
}

const ls_command ls_data_import = {.word = "import", .doc = "write a dataset as one HDF5 file", .run = run};
