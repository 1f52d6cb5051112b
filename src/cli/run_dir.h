/* SPDX-License-Identifier: BSD-3-Clause */
/* Choosing and opening the run directory. */
#ifndef LS_CLI_RUN_DIR_H
#define LS_CLI_RUN_DIR_H

#include <stdbool.h>

#include "base/status.h"

/** Make the run directory.
 *
 * @param[out] out     its path, freed with free()
 * @param[in]  wanted  as given with -o; NULL: runs/<name>, or the first of runs/<name>-2, -3 ... that does
 * not exist (with resume: runs/<name> itself)
 *
 * Rank 0. Errors: LS_E_USAGE if it holds a run already and `resume` is not set; LS_E_IO.
 */
ls_status ls_run_dir_prepare(char **out, const char *wanted, const char *name, bool resume) LS_CHECKED;

#endif
