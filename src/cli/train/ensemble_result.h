/* SPDX-License-Identifier: BSD-3-Clause */
/* The result of an ensemble: a report, ensemble.json and reliability.svg. */
#ifndef LS_CLI_TRAIN_ENSEMBLE_RESULT_H
#define LS_CLI_TRAIN_ENSEMBLE_RESULT_H

#include <jansson.h>
#include <stddef.h>

#include "base/files/directory.h"
#include "base/text.h"
#include "comm/comm.h"
#include "data/loader.h"

/** Set the first three members, and zero-initialize the rest. Until the end the run directory may be moved.
 */
typedef struct ls_ensemble_result {
  ls_directory *run_dir; /* borrowed; open on rank 0, on the others its path alone */
  size_t members;        /* that there should be */
  ls_eval_split split;
  ls_text *paths; /* [members] of the checkpoints that vote, the first `count` used; owned */
  size_t count;
  json_t *failed; /* [{"member", "error"}] */
  size_t failures;
} ls_ensemble_result;

/** Local. Errors: LS_E_MEMORY. */
ls_status ls_ensemble_result_init(ls_ensemble_result *result) LS_CHECKED;
void ls_ensemble_result_fini(ls_ensemble_result *result);

/** Add the checkpoint of a member: a path in the run directory. */
void ls_ensemble_result_add(ls_ensemble_result *result, const char *fmt, ...) LS_PRINTF(2, 3);

/** Note that a member, counted from 1, has none. */
void ls_ensemble_result_fail(ls_ensemble_result *result, size_t member, const char *error);

/** Let them vote, print the report and write the files; nothing if no member is left. Collective. Errors: as
 * ls_split_report_make(); LS_E_IO. */
ls_status ls_ensemble_result_finish(ls_ensemble_result *result, ls_comm *comm) LS_CHECKED;

#endif
