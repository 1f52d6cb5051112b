/* SPDX-License-Identifier: BSD-3-Clause */
/* Choosing and opening the run directory, and configurations: of a file, and of a run. */
#ifndef LS_CLI_RUN_DIR_H
#define LS_CLI_RUN_DIR_H

#include <stdbool.h>

#include "base/files/directory.h"
#include "base/status.h"
#include "base/text.h"

typedef struct ls_run_dir_options {
  const char *path; /* as given with -o; NULL: runs/<run_name>, or the first of runs/<run_name>-2, -3 ... that
                       does not exist (with resume: runs/<run_name> itself) */
  const char *run_name; /* of the configuration */
  bool resume;
  ls_directory *parent; /* open folder that `path` is a name in; NULL: none. Followed if it was moved */
  bool is_claimed;      /* it was prepared before, by this very job: what is in it is no other run's */
} ls_run_dir_options;

/** Make the run directory and lock it against other runs, until it is closed or the process ends. Where the
 * file system has no locks, that is reported on standard error, and nothing keeps other runs out.
 *
 * @param[out] out  open; empty on error
 *
 * Rank 0. Errors: LS_E_USAGE if it holds a run already and `resume` is not set, or another run is in it;
 * LS_E_IO, LS_E_MEMORY.
 */
ls_status ls_run_dir_prepare(ls_directory *out, const ls_run_dir_options *options) LS_CHECKED;

/** Has the run in it come to a checkpoint, intact or not? Rank 0. Errors: LS_E_IO, LS_E_MEMORY. */
ls_status ls_run_dir_has_checkpoint(const ls_directory *directory, bool *has) LS_CHECKED;

/** Read a configuration file, freed with free(). Local. Errors: LS_E_INPUT, also for a run directory;
 * LS_E_CONFIG if it is no text; LS_E_IO, LS_E_MEMORY. */
ls_status ls_config_file_read(const char *path, char **text) LS_CHECKED;

/** The configuration that the run in a folder has: the one in its newest intact checkpoint, else config.yaml.
 *
 * @param[out] text    newly made, like `source`; freed with free(). NULL: there is neither
 * @param[out] source  the file that it is from
 * @param[out] notes   appended: a line if config.yaml holds another one than the checkpoint
 *
 * Rank 0. Errors: LS_E_INPUT, LS_E_CONFIG, LS_E_IO, LS_E_MEMORY; on an error there may be something to free.
 */
ls_status ls_run_dir_config(const char *path, char **text, char **source, ls_text *notes) LS_CHECKED;

#endif
