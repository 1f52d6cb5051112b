/* SPDX-License-Identifier: BSD-3-Clause */
/* The set-up of subcommands that take CONFIG.yaml [key.path=value ...]: configuration, placement, dataset and
 * model. */
#ifndef LS_CLI_SETUP_H
#define LS_CLI_SETUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/status.h"
#include "cli/process/watch.h"
#include "comm/comm.h"
#include "comm/placement/placement.h"
#include "config/spec.h"
#include "data/source.h"
#include "nn/model.h"

struct argp_state;

/** CONFIG.yaml [key.path=value ...]; texts are argv's. */
typedef struct ls_setup_arguments {
  const char *config;
  char *own_config;       /* the same, where a run's own is taken (ls_setup_read_own()); owned */
  bool may_lack_config;   /* the first argument may be an override: a run with a configuration is given */
  const char **overrides; /* [override_count]; owned */
  size_t override_count;
} ls_setup_arguments;

/** Allocate a list of `most` arguments. Local. Errors: LS_E_MEMORY. */
ls_status ls_setup_arguments_init(ls_setup_arguments *arguments, size_t most) LS_CHECKED;
void ls_setup_arguments_fini(ls_setup_arguments *arguments);

/** Take an argument that is no option, and check at the end that none is missing: for argp's parser. Return 0
 * or an errno. */
int ls_setup_parse(ls_setup_arguments *arguments, const char *value, struct argp_state *state);
int ls_setup_check(const ls_setup_arguments *arguments, struct argp_state *state);

/** In the order in which it is made; zero-initialize it. */
typedef struct ls_setup {
  char *text; /* the configuration file's */
  ls_spec *spec;
  char *resolved; /* the configuration with every key written out */
  ls_placement placement;
  ls_source *source;
  bool makes_up_data;   /* the dataset is made up, of the stated shape */
  size_t train_samples; /* without those held out */
  size_t wanted_batch;  /* the configured batch: spec->train.batch is at most train_samples */
  ls_model *model;
} ls_setup;

/** The three parts of it, in this order; on error the caller still calls ls_setup_fini(). The result of the
 * second one may be used before the next collective call. Errors: LS_E_CONFIG, LS_E_INPUT, LS_E_IO,
 * LS_E_MEMORY, LS_E_COMM.
 */

/** Broadcast the configuration file's text. Collective. */
ls_status ls_setup_read(ls_setup *setup, ls_comm *comm, const ls_setup_arguments *arguments) LS_CHECKED;

/** Where weights of another program are given instead of a configuration, take the one beside them (see
 * eval/foreign.h). Collective. Errors: as ls_foreign_find_shared(). */
ls_status ls_setup_find_beside(ls_setup_arguments *arguments, ls_comm *comm) LS_CHECKED;

/** Instead: the configuration that the run in `run_path` has, which is reported where it may surprise.
 * `arguments` then name its file. Collective. Errors: as ls_run_dir_config(). */
ls_status ls_setup_read_own(ls_setup *setup, ls_comm *comm, ls_setup_arguments *arguments,
                            const char *run_path) LS_CHECKED;

/** The configuration. Local. */
ls_status ls_setup_parse_config(ls_setup *setup, const ls_setup_arguments *arguments) LS_CHECKED;

/** Placement, dataset and model. `placement`: of this rank, where others than those of the communicator share
 * its host; NULL: it is found. Collective. */
ls_status ls_setup_prepare(ls_setup *setup, ls_comm *comm, const ls_placement *placement) LS_CHECKED;
void ls_setup_fini(ls_setup *setup);

/** All three, and what there is to say of them, for a command that measures the training of one network:
 * `command` is its word. With data.shape no dataset is opened: images are made up. The watch begins between
 * the second and the third; ls_watch_end() is still due. Collective. Errors: LS_E_CONFIG if the configuration
 * trains an ensemble; those of the parts. */
ls_status ls_setup_single(ls_setup *setup, ls_comm *comm, const ls_setup_arguments *arguments,
                          ls_watch *watch, const char *command, FILE *notes) LS_CHECKED;

/** Warn on standard error about the placement of the communicator's ranks. Collective.
 * Errors: LS_E_MEMORY, LS_E_COMM. */
ls_status ls_setup_warn_placement(const ls_placement *placement, ls_comm *comm) LS_CHECKED;

/** Likewise of micro-batches that leave threads idle. Collective. Errors: LS_E_COMM. */
ls_status ls_setup_warn_idle(const ls_setup *setup, ls_comm *comm) LS_CHECKED;

/** Say on `stream` which values have no effect, or not the one that they name, such as a batch that is larger
 * than the training split. Rank 0. `member`: which of an ensemble, from 1; 0: none. */
void ls_setup_note_settings(const ls_setup *setup, size_t member, FILE *stream);

/** Warn on standard error of an epoch that ends with a batch of so few samples that it can undo the others.
 * Rank 0. */
void ls_setup_warn_rest(const ls_setup *setup, size_t member);

/** The same about the data: missing files, classes without a training sample. Rank 0. Errors:
 * LS_E_MEMORY. */
ls_status ls_setup_warn_data(const ls_setup *setup, size_t member) LS_CHECKED;

/** Print what the data are. Rank 0. */
void ls_setup_report_data(const ls_setup *setup);

#endif
