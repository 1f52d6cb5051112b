/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of this folder share. */
#ifndef LS_TRAIN_RUN_INTERNAL_H
#define LS_TRAIN_RUN_INTERNAL_H

#include "base/text.h"
#include "train/run/run.h"

/** Hand a text to whoever listens, whole or not at all, and release it. Rank 0 hands it over. Local. Errors:
 * LS_E_MEMORY. */
ls_status ls_run_say(const ls_run *run, ls_text *text) LS_CHECKED;

/** The run directory may have been moved, and another one may have its path: the run goes on in its own.
 * Rank 0. Errors: LS_E_IO if it was removed; LS_E_MEMORY. */
ls_status ls_run_follow(const ls_run *run) LS_CHECKED;

/** Write config.yaml. An earlier run's configuration stays until the new run is known to start. Rank 0.
 * Errors: LS_E_IO, LS_E_MEMORY. */
ls_status ls_run_write_config(const ls_run *run) LS_CHECKED;

/** Find the newest intact checkpoint and read it into the state; *found: there is one. Rank 0. Errors:
 * LS_E_INPUT if all are damaged or of another experiment; LS_E_IO, LS_E_MEMORY. */
ls_status ls_run_load_newest(ls_run *run, bool *found) LS_CHECKED;

/** Do the loaded samples fit the loaded checkpoint? Rank 0. Errors: LS_E_INPUT if not. */
ls_status ls_run_check_loaded(const ls_run *run) LS_CHECKED;

/** A resumed run makes no snapshot of a cycle that is over: are those there? Rank 0. Errors: LS_E_INPUT if
 * not; LS_E_IO, LS_E_MEMORY. */
ls_status ls_run_check_snapshots(const ls_run *run) LS_CHECKED;

/** Broadcast rank 0's weights, optimizer state and progress. Collective. Errors: LS_E_COMM. */
ls_status ls_run_broadcast(ls_run *run) LS_CHECKED;

#endif
