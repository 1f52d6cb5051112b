/* SPDX-License-Identifier: BSD-3-Clause */
/* The activity of a rank: the working thread writes it, the watching thread reads it. There are no locks: a
 * reader may see the moment between two activities, but never half of a value. */
#ifndef LS_BASE_ACTIVITY_H
#define LS_BASE_ACTIVITY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct ls_activity {
  _Atomic(const char *) waiting_for; /* operation that other ranks take part in; NULL: it works by itself */
  atomic_bool rests;                 /* it waits because it has nothing to do while others work */
  _Atomic(const char *) phase;       /* the phase that it does that in; NULL: the step itself */
  atomic_uint_least64_t since_ms;    /* ls_clock_s() at its begin, in milliseconds */
  atomic_uint_least64_t epoch, step; /* from 1; 0 before the first */
  atomic_uint_least64_t past_epoch, past_step; /* the last step that all ranks have taken part in; 0: none */
} ls_activity;

/* Where `activity` is NULL, the functions that write do nothing. Texts are constants: the watching thread may
 * read one at any time, so it has to live as long as the process. */

/** The rank begins to wait for others in `operation`, a constant text; to rest, which is to wait without work
 * of its own for however long the others work; or to work by itself. Local. */
void ls_activity_wait(ls_activity *activity, const char *operation);
void ls_activity_rest(ls_activity *activity, const char *operation);
void ls_activity_work(ls_activity *activity);

/** The rank enters a phase of its work, a constant text such as "validating"; NULL: a step. Returns the phase
 * before, for the return to it. Local. */
const char *ls_activity_enter(ls_activity *activity, const char *phase);

/** The rank begins a step (both are counted from 1); the rank has the step's sums, so all ranks have reached
 * it. Local.
 */
void ls_activity_step(ls_activity *activity, uint64_t epoch, uint64_t step);
void ls_activity_pass(ls_activity *activity);

#endif
