/* SPDX-License-Identifier: BSD-3-Clause */
/* Watches for ranks that wait too long for others, and finds out for whom.
 *
 * A thread of each rank looks at the rank's activity. When one lasts, the rank leaves a note in the run
 * directory; when it lasts too long and the rank waits, it says so. The lowest waiting rank then reads the
 * notes of all: a rank without one is stopped or dead. No collective is needed, which would hang as well.
 * Before the run directory is known there are no notes: each rank tells of itself, also when it works. */
#ifndef LS_TRAIN_WATCHDOG_H
#define LS_TRAIN_WATCHDOG_H

#include "base/activity.h"
#include "base/directory.h"
#include "base/status.h"

typedef struct ls_watchdog ls_watchdog;

typedef struct ls_watchdog_options {
  const ls_activity *activity; /* borrowed */
  int rank, size;
  double warn_s;  /* first warning; the next at twice the time, and so on; 0: never */
  double abort_s; /* when to give up; 0: never */
  void *user;
  void (*tell)(void *user, const char *line); /* called by the watching thread */
  void (*give_up)(void *user);                /* ends the process; called by the watching thread */
} ls_watchdog_options;

/** Remove the notes that the ranks of an ended job have left, before one of this job writes its own. One rank
 * for all that share the folder. Local. */
void ls_watchdog_clear(const ls_directory *run_dir);

/** Start watching; *out is NULL if there is nothing to watch for. Local. Errors: LS_E_MEMORY, LS_E_IO. */
ls_status ls_watchdog_start(ls_watchdog **out, const ls_watchdog_options *options) LS_CHECKED;

/** From now on leave notes in this folder, once, after ls_watchdog_clear(). Where this rank has not opened
 * it, that is the one its path leads to; where it is not the same one for all hosts, their ranks have no
 * notes. A NULL watchdog is fine. Local. Errors: LS_E_MEMORY. */
ls_status ls_watchdog_settle(ls_watchdog *watchdog, const ls_directory *run_dir) LS_CHECKED;

/** NULL is fine. Local. */
void ls_watchdog_stop(ls_watchdog *watchdog);

#endif
