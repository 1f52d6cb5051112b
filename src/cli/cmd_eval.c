/* SPDX-License-Identifier: BSD-3-Clause */
/* lockstep eval: the metrics of a trained network, or of several that vote, on a split of a dataset. */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files/directory.h"
#include "base/files/file.h"
#include "base/files/temporary.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/data_options.h"
#include "cli/print.h"
#include "cli/process/watch.h"
#include "cli/split_report.h"

enum { KEY_DATA = 256, KEY_SPLIT, KEY_TTA, KEY_JSON, KEY_PREDICTIONS };

typedef struct eval_arguments {
  ls_split_report_options options; /* texts are argv's */
  const char **checkpoints;
  const char *predictions; /* the CSV file, argv's; NULL: none */
  bool json;
} eval_arguments;

static error_t parse_tta(eval_arguments *arguments, const char *word, struct argp_state *state)
{
  arguments->options.session.tta = true;
  arguments->options.session.flips = word != NULL;
  if (!word || strcmp(word, "flip") == 0) return 0;
  argp_error(state, "--tta=%s: expected --tta or --tta=flip", word);
  return EINVAL;
}

static error_t check_arguments(const eval_arguments *arguments, struct argp_state *state)
{
  if (arguments->options.session.count > 0) return 0;
  argp_error(state,
             "no checkpoint given: best.h5 or checkpoint-<step>.h5 of a run directory, or the directory");
  return EINVAL;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
  eval_arguments *arguments = state->input;
  if (key == ARGP_KEY_INIT)
    state->child_inputs[0] = &arguments->options.session.reading;
  else if (key == KEY_DATA)
    arguments->options.session.data = value;
  else if (key == KEY_JSON)
    arguments->json = true;
  else if (key == KEY_PREDICTIONS)
    arguments->predictions = value;
  else if (key == KEY_TTA)
    return parse_tta(arguments, value, state);
  else if (key == KEY_SPLIT)
    return ls_eval_split_parse(&arguments->options.session.split, value, state);
  else if (key == ARGP_KEY_ARG)
    arguments->checkpoints[arguments->options.session.count++] = value;
  else if (key == ARGP_KEY_END)
    return check_arguments(arguments, state);
  else
    return ARGP_ERR_UNKNOWN;
  return 0;
}

static const struct argp_option options[] = {
    {"data", KEY_DATA, "SRC", 0,
     "Dataset: a catalogue name, a folder or an .h5 file (default: the one trained on)", 0},
    {"split", KEY_SPLIT, "SPLIT", 0, "test (default), validation or train", 0},
    {"tta", KEY_TTA, "flip", OPTION_ARG_OPTIONAL,
     "Look at each image nine times, as it is and shifted by a pixel, and take the mean of the "
     "probabilities; "
     "flip: and at the mirror images, where left and right mean the same",
     0},
    {"predictions", KEY_PREDICTIONS, "FILE.csv", 0,
     "Write a row for each image: index,label,class,probability,class_name. label is the true class, class "
     "the "
     "predicted one, both as numbers; index counts from 0 in the dataset's test split, or in its training "
     "split "
     "for --split train and validation. Of labels that are not classes: index, and label_K,output_K of each",
     0},
    {"json", KEY_JSON, NULL, 0, "Print one JSON document and nothing else", 0},
    {0}};

static const struct argp_child children[] = {{&ls_reading_argp, 0, NULL, 0}, {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .children = children,
    .args_doc = "CHECKPOINT.h5|RUN_DIR|WEIGHTS|CONFIG.yaml ...",
    .doc =
        "Evaluate a trained network; several vote softly (the mean of their probabilities decides), and are "
        "compared: each member, ways of voting, disagreement, calibration. Weights of a weighted vote are "
        "fitted on the validation split, if all held out the same. Of a run directory it is best.h5, else "
        "the "
        "newest checkpoint; of an ensemble's all members vote. WEIGHTS of another program have their "
        "configuration "
        "beside them (model.pt, model.yaml), or CONFIG.yaml names them (model.init_from).\v"
        "Examples:\n"
        "  lockstep eval runs/a/best.h5\n"
        "  lockstep eval runs/a/best.h5 --tta\n"
        "  lockstep eval runs/a/best.h5 --predictions rows.csv\n"
        "  mpirun -n 2 lockstep eval runs/a runs/b --split validation --json\n"};

static json_t *document_of(const ls_split_report *report)
{
  json_t *document = json_object();
  if (ls_split_report_add_json(report, document)) return document;
  json_decref(document);
  return NULL;
}

/* Rank 0. */
static ls_status show(const ls_split_report *report, bool json)
{
  ls_text text = {0};
  if (json) return ls_print_document(document_of(report), JSON_INDENT(2) | JSON_REAL_PRECISION(10));
  ls_split_report_add(report, &text);
  return ls_print_text(&text);
}

/* Can the file be written? Found out before the evaluation, by a file that is removed at once: permissions
 * say nothing of a full or a read-only file system. Rank 0. */
static ls_status check_predictions(const char *path)
{
  ls_directory folder;
  ls_temporary temporary;
  const char *name;
  LS_PASS(ls_file_check_target(path));
  LS_TRY(ls_directory_open_around(&folder, path, &name), "--predictions");
  ls_status status = ls_temporary_make(&temporary, &folder, name);
  if (status == LS_OK)
    ls_temporary_fini(&temporary);
  else
    status = ls_wrap(status, "--predictions");
  ls_directory_close(&folder);
  return status;
}

/* Rank 0. */
static ls_status write_predictions(const ls_split_report *report, const char *path)
{
  ls_text csv = {0};
  ls_split_report_add_csv(report, &csv);
  const ls_status status = csv.failed ? ls_fail(LS_E_MEMORY, "no memory for the predictions")
                                      : ls_file_write(path, ls_text_get(&csv), csv.length);
  ls_text_fini(&csv);
  return status;
}

/* The report is printed even if the file cannot be written. The first error counts. Rank 0. */
static ls_status give(const ls_split_report *report, const eval_arguments *arguments)
{
  const ls_status shown = show(report, arguments->json);
  if (!arguments->predictions) return shown;
  const ls_error first = *ls_error_last();
  const ls_status written = write_predictions(report, arguments->predictions);
  if (shown == LS_OK) return written;
  ls_error_install(&first);
  return shown;
}

static ls_status evaluate(ls_comm *comm, const eval_arguments *arguments)
{
  ls_split_report report = {.class_names = NULL};
  ls_watch watch = {.watchdog = NULL};
  ls_status status;
  if (arguments->predictions) LS_ROOT(comm, check_predictions(arguments->predictions));
  LS_GO(ls_watch_begin(&watch, comm, NULL));
  LS_GO(ls_split_report_make(&report, comm, &arguments->options, &watch));
  LS_GO(ls_comm_agree(comm, ls_comm_rank(comm) == 0 ? give(&report, arguments) : LS_OK));
done:
  ls_split_report_close(&report);
  ls_watch_end(&watch, comm, status);
  return status;
}

static ls_status run(ls_comm *comm, int argc, char **argv)
{
  eval_arguments arguments = {
      .options.session = {.split = LS_EVAL_TEST, .expands = true, .fits_weights = true}};
  LS_AGREE(comm,
           ls_alloc(&arguments.checkpoints, (size_t)argc, sizeof *arguments.checkpoints, "the arguments"));
  arguments.options.session.checkpoints = arguments.checkpoints;
  bool done;
  ls_status status = ls_command_parse(comm, &argp, argc, argv, &arguments, &done);
  arguments.options.predictions = arguments.predictions != NULL;
  if (status == LS_OK && !done) status = evaluate(comm, &arguments);
  free(arguments.checkpoints);
  return status;
}

const ls_command ls_command_eval = {.word = "eval",
                                    .doc = "evaluate trained networks: metrics and confusion matrix",
                                    .shares = true,
                                    .run = run};
