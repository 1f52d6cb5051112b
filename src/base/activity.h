/* SPDX-License-Identifier: BSD-3-Clause */
/* What a rank is doing: written by the thread that works, read by one that watches. No locks: a reader may
 * see the moment between two activities, never half of one of the values. */
#ifndef LS_BASE_ACTIVITY_H
#define LS_BASE_ACTIVITY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct ls_activity {
  _Atomic(const char *) waiting_for; /* operation that other ranks take part in; NULL: it works by itself */
  atomic_bool rests;                 /* it waits because it has nothing to do, for as long as others have */
  _Atomic(const char *) phase;       /* what it does that for; NULL: the step itself */
  atomic_uint_least64_t since_ms;    /* ls_clock_s() at its begin, in milliseconds */
  atomic_uint_least64_t epoch, step; /* from 1; 0 before the first */
  atomic_uint_least64_t past_epoch, past_step; /* the last step that all ranks have taken part in; 0: none */
} ls_activity;

/* In all that write, a NULL activity is one that nobody wants to know of. */

/** The rank starts to wait for others in `operation`, a constant text; to do so without having anything to
 * do, for however long they work; or to work by itself. Local. */
void ls_activity_wait(ls_activity *activity, const char *operation);
void ls_activity_rest(ls_activity *activity, const char *operation);
void ls_activity_work(ls_activity *activity);

/** The rank enters a phase of its work, a constant text such as "validating"; NULL: a step. Returns the one
 * before, to go back to. Local. */
const char *ls_activity_enter(ls_activity *activity, const char *phase);

/** The rank begins a step, both counted from 1; the step's sums are there, so all ranks came as far. Local.
 */
void ls_activity_step(ls_activity *activity, uint64_t epoch, uint64_t step);
void ls_activity_pass(ls_activity *activity);

#endif
