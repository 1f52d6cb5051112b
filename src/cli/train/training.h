/* SPDX-License-Identifier: BSD-3-Clause */
/* One training: from a parsed configuration to a run directory with its summary. */
#ifndef LS_CLI_TRAIN_TRAINING_H
#define LS_CLI_TRAIN_TRAINING_H

#include <stdbool.h>

#include "base/files/directory.h"
#include "cli/setup.h"
#include "train/trainer.h"
#include "train/watchdog/watchdog.h"

/** The options of a training. Texts are borrowed. */
typedef struct ls_training_options {
  const char *run_path;          /* NULL: made from the configuration's name */
  ls_directory *parent;          /* rank 0: open folder that run_path is a name in; NULL: none */
  bool is_claimed;               /* that run directory was prepared before, by this very job */
  bool resume, dry_run;          /* dry_run: check everything, print the model, and stop before training */
  const char *label;             /* put before each line, as in "member 2: "; "": it is alone */
  const ls_placement *placement; /* of this rank among all that share its host; NULL: it is found */
  double started_s;              /* clock time at which the job began */
} ls_training_options;

/** In the order in which it is made. Zero-initialize it apart from `run_dir`, which is closed (descriptor
 * -1), and `setup`, which holds the parsed configuration (ls_setup_parse_config()). */
typedef struct ls_training {
  ls_setup setup;
  ls_directory run_dir;  /* open and locked on rank 0, on the others its path alone */
  ls_watchdog *watchdog; /* NULL: none */
} ls_training;

/** Prepare, train, evaluate, write summary.json, and report on standard output.
 *
 * @param[out] result  released with ls_train_result_fini(), also after an error; empty after a dry run
 *
 * Collective. Errors: as ls_setup_prepare() and ls_train(); LS_E_USAGE if the run directory is not free.
 */
ls_status ls_training_run(ls_training *training, ls_comm *comm, const ls_training_options *options,
                          ls_train_result *result) LS_CHECKED;

/** Ends the watch, after any status. Local. */
void ls_training_fini(ls_training *training, ls_comm *comm);

#endif
