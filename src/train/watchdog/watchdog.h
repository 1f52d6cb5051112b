/* SPDX-License-Identifier: BSD-3-Clause */
/* Watches for ranks that wait too long for others, and finds out for whom.
 *
 * A thread of each rank looks at the rank's activity. When an activity lasts, the rank leaves a note
 * (train/watchdog/notes.h); states.h has the states from there on. When it lasts too long and the rank waits,
 * the rank warns. The lowest waiting rank then reads the notes of all, or of all of its host: a rank without
 * a sign of life is stopped or dead. No collective is needed, which would hang as well. As long as there are
 * no notes, each rank reports itself, also when it works. */
#ifndef LS_TRAIN_WATCHDOG_WATCHDOG_H
#define LS_TRAIN_WATCHDOG_WATCHDOG_H

#include "base/activity.h"
#include "base/files/directory.h"
#include "base/status.h"
#include "comm/node.h"

typedef struct ls_watchdog ls_watchdog;

typedef struct ls_watchdog_options {
  int rank, size;
  double warn_s;  /* first warning; the next at twice the time, and so on; 0: never */
  double abort_s; /* when to give up; 0: never */
  void *user;
  void (*print)(void *user, const char *line); /* called by the watching thread */
  void (*give_up)(void *user);                 /* ends the process; called by the watching thread */
} ls_watchdog_options;

/** Start watching; *out is NULL if there is nothing to watch for. Local. Errors: LS_E_MEMORY, LS_E_IO.
 *
 * The thread reads nothing of the caller's but `user`: it owns the activity, and copies the options. */
ls_status ls_watchdog_start(ls_watchdog **out, const ls_watchdog_options *options) LS_CHECKED;

/** This rank's activity, which the working thread writes. NULL for a NULL watchdog. Borrowed. */
ls_activity *ls_watchdog_activity(ls_watchdog *watchdog);

/** Other times from now on, as in the options. A NULL watchdog is fine, as below. Local. */
void ls_watchdog_set_times(ls_watchdog *watchdog, double warn_s, double abort_s);

/** From now on leave notes in this folder, once, after ls_notes_clear(). Where this rank has not opened
 * it, that is the one its path leads to; where it is not the same one for all hosts, their ranks have no
 * notes. Local. Errors: LS_E_MEMORY. */
ls_status ls_watchdog_use_directory(ls_watchdog *watchdog, const ls_directory *run_dir) LS_CHECKED;

/** From now on leave notes in the memory of this node, which has segments of ls_notes_bytes(), once;
 * borrowed, until the watchdog is stopped. Local. */
void ls_watchdog_use_host(ls_watchdog *watchdog, ls_node *node);

/** NULL is fine. Local. */
void ls_watchdog_stop(ls_watchdog *watchdog);

#endif
