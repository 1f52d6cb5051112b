/* SPDX-License-Identifier: BSD-3-Clause */
/* The state and the actions of the watching thread. That thread alone uses them, so nothing here takes a
 * lock. Private to the watchdog. */
#ifndef LS_TRAIN_WATCHDOG_WATCHER_H
#define LS_TRAIN_WATCHDOG_WATCHER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "train/watchdog/notes.h"
#include "train/watchdog/states.h"
#include "train/watchdog/watchdog.h"

/* A note is left when this part of the time before a warning is over, so that at the warning all are there.
 */
#define LS_NOTE_SHARE 0.6

/* The note of a rank that ends the job. */
#define LS_NOTE_OF_END "has given up"

typedef struct ls_watcher {
  ls_watchdog_options options;
  const ls_activity *activity; /* of the rank; borrowed */
  ls_notes notes;              /* owned */
  ls_watchdog_state state;     /* of the activity that was seen last */
  ls_text others;              /* what the notes say of the other ranks; owned */
  double asleep_s;             /* clock when the thread went to sleep */
  double woken_s;              /* clock when it last woke up too late; 0: never */
  uint64_t since_ms;           /* begin of the activity that was seen last */
  double lost_s;               /* of it, while the process was stopped */
  double next_s;               /* next warning, counted from its begin */
} ls_watcher;

/* ---- watcher.c ---- */

/** How long the thread sleeps between two looks. Local. */
double ls_watcher_period_s(const ls_watcher *self);

/** One look at the activity, and what follows from it: text, notes, the end of the process. Local. */
void ls_watcher_look(ls_watcher *self);

/** Follow a transition; `seconds`: how long the activity has lasted. Local. */
void ls_watcher_take(ls_watcher *self, ls_watchdog_event event, double seconds);

/* ---- report.c ---- */

/** What this rank is doing: "is waiting in step 3 of epoch 1 for 61 s (validating: summing over the ranks)".
 * A note will be read later: "for more than 36 s". Local. */
void ls_watcher_describe(const ls_watcher *self, double seconds, bool is_note, ls_text *line);

/** By the notes of the others, does no lower rank wait? `others` names those that do not wait. Local. */
bool ls_watcher_is_lowest(const ls_watcher *self, ls_text *others);

/** After how long without a sign of life a rank is missing. Local. */
double ls_watcher_silent_s(const ls_watcher *self);

/** Has a rank given no sign of life for so long? Resting alone is no reason to warn: others work meanwhile.
 * A rank that was stopped has not looked, so it misses none. Local. */
bool ls_watcher_misses_one(const ls_watcher *self, double seconds);

/** Has a rank begun to end the job? Its end then explains what happens to the others. Local. */
bool ls_watcher_sees_end(const ls_watcher *self);

#endif
