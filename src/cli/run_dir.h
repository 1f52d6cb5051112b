/* SPDX-License-Identifier: BSD-3-Clause */
/* Choosing and opening the run directory. */
#ifndef LS_CLI_RUN_DIR_H
#define LS_CLI_RUN_DIR_H

#include <stdbool.h>

#include "base/directory.h"
#include "base/status.h"

typedef struct ls_run_dir_wish {
  const char *path; /* as given with -o; NULL: runs/<run_name>, or the first of runs/<run_name>-2, -3 ... that
                       does not exist (with resume: runs/<run_name> itself) */
  const char *run_name; /* of the configuration */
  bool resume;
  ls_directory *parent; /* open folder that `path` is a name in; NULL: none. Followed if it was moved */
} ls_run_dir_wish;

/** Make the run directory and lock it against other runs, until it is closed or the process ends. Where the
 * file system has no locks, that is told on standard error, and nothing keeps other runs out.
 *
 * @param[out] out  open; empty on error
 *
 * Rank 0. Errors: LS_E_USAGE if it holds a run already and `resume` is not set, or another run is in it;
 * LS_E_IO, LS_E_MEMORY.
 */
ls_status ls_run_dir_prepare(ls_directory *out, const ls_run_dir_wish *wish) LS_CHECKED;

#endif
