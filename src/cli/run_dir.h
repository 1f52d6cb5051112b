/* SPDX-License-Identifier: BSD-3-Clause */
/* Choosing and opening the run directory. */
#ifndef LS_CLI_RUN_DIR_H
#define LS_CLI_RUN_DIR_H

#include <stdbool.h>

#include "base/status.h"

typedef struct ls_run_dir_wish {
  const char *path; /* as given with -o; NULL: runs/<run_name>, or the first of runs/<run_name>-2, -3 ... that
                       does not exist (with resume: runs/<run_name> itself) */
  const char *run_name; /* of the configuration */
  bool resume;
} ls_run_dir_wish;

/** Make the run directory and lock it against other runs.
 *
 * @param[out] out         its path, freed with free()
 * @param[out] descriptor  closed with close() when the run is over; -1 while there is none
 *
 * Rank 0. Errors: LS_E_USAGE if it holds a run already and `resume` is not set, or another run is in it;
 * LS_E_IO.
 */
ls_status ls_run_dir_prepare(char **out, int *descriptor, const ls_run_dir_wish *wish) LS_CHECKED;

#endif
