/* SPDX-License-Identifier: BSD-3-Clause */
/* The protocol of the watching thread, for one activity of its rank, such as waiting in a step:
 *
 *              NOTE_DUE,              WAITS_LONG,             IS_LOWEST
 *              WORKS_LONG             WORKS_UNHEARD          ---------->
 *      QUIET ------------> NOTED -----------------> WARNED               SPEAKING
 *        |  ^                |                       |   <----------       |
 *        |  |  NEXT_ACTIVITY | NEXT_ACTIVITY, STOP   |   WAITS_LONG        |
 *        |  +----------------+-----------------------+---------------------+
 *        |                   |                       |                     |
 *        +-------------------+------ LIMIT ----------+---------------------+--> ENDED
 *
 * QUIET     the activity is young: there is no note
 * NOTED     its note is there: the rank that reads the notes does not count it as missing
 * WARNED    this rank has said that it waits
 * SPEAKING  it is the lowest waiting rank: it names those that do not wait, and ends the job at the limit
 * ENDED     it has begun to end the job, and says nothing more
 *
 * From QUIET a warning leads to WARNED at once. A rank that works says so in its note alone, where others can
 * read it. The note of the activity is removed with it; that of ENDED stays, and silences the others.
 */
#ifndef LS_TRAIN_WATCHDOG_STATES_H
#define LS_TRAIN_WATCHDOG_STATES_H

typedef enum ls_watchdog_state {
  LS_WATCHDOG_QUIET,
  LS_WATCHDOG_NOTED,
  LS_WATCHDOG_WARNED,
  LS_WATCHDOG_SPEAKING,
  LS_WATCHDOG_ENDED,
  LS_WATCHDOG_STATES
} ls_watchdog_state;

typedef enum ls_watchdog_event {
  LS_WATCHDOG_NEXT_ACTIVITY, /* the rank does something else */
  LS_WATCHDOG_NOTE_DUE,      /* a part of the time before a warning is over */
  LS_WATCHDOG_WORKS_LONG,    /* a warning is due: the rank works, and others can read its note */
  LS_WATCHDOG_WORKS_UNHEARD, /* the same, and no other rank can */
  LS_WATCHDOG_WAITS_LONG,    /* a warning is due: the rank waits for others */
  LS_WATCHDOG_IS_LOWEST,     /* by the notes of the others, no lower rank waits */
  LS_WATCHDOG_LIMIT,         /* it has waited for as long as the job may */
  LS_WATCHDOG_STOP,          /* the watchdog is stopped */
  LS_WATCHDOG_EVENTS
} ls_watchdog_event;

/** Actions on the way to the next state, in this order. */
typedef enum ls_watchdog_action {
  LS_WATCHDOG_SAY_GOES_ON = 1, /* unless another rank ends the job */
  LS_WATCHDOG_REMOVE_NOTE = 2,
  LS_WATCHDOG_WRITE_NOTE = 4, /* with the time so far */
  LS_WATCHDOG_SAY_WAITS = 8,
  LS_WATCHDOG_READ_NOTES = 16, /* is it the lowest that waits? */
  LS_WATCHDOG_NAME_OTHERS = 32,
  LS_WATCHDOG_END_JOB = 64
} ls_watchdog_action;

typedef struct ls_watchdog_transition {
  ls_watchdog_state next;
  unsigned actions; /* of ls_watchdog_action */
} ls_watchdog_transition;

/** Local. Cannot fail. */
ls_watchdog_transition ls_watchdog_find_transition(ls_watchdog_state state, ls_watchdog_event event);

#endif
