/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of transitions; the header has its diagram. */
#include "train/watchdog/states.h"

#include <assert.h>

enum {
  SAY_GOES_ON = LS_WATCHDOG_SAY_GOES_ON,
  REMOVE = LS_WATCHDOG_REMOVE_NOTE,
  WRITE = LS_WATCHDOG_WRITE_NOTE,
  WARN = LS_WATCHDOG_WRITE_NOTE | LS_WATCHDOG_SAY_WAITS,
  READ = LS_WATCHDOG_READ_NOTES,
  NAME_OTHERS = LS_WATCHDOG_NAME_OTHERS,
  END_JOB = LS_WATCHDOG_END_JOB
};

static const ls_watchdog_transition transitions[LS_WATCHDOG_STATES][LS_WATCHDOG_EVENTS] = {
    [LS_WATCHDOG_QUIET] = {[LS_WATCHDOG_NEXT_ACTIVITY] = {LS_WATCHDOG_QUIET, 0},
                           [LS_WATCHDOG_NOTE_DUE] = {LS_WATCHDOG_NOTED, WRITE},
                           [LS_WATCHDOG_WORKS_LONG] = {LS_WATCHDOG_NOTED, WRITE},
                           [LS_WATCHDOG_WORKS_UNHEARD] = {LS_WATCHDOG_WARNED, WARN},
                           [LS_WATCHDOG_WAITS_LONG] = {LS_WATCHDOG_WARNED, WARN | READ},
                           [LS_WATCHDOG_IS_LOWEST] = {LS_WATCHDOG_QUIET, 0},
                           [LS_WATCHDOG_LIMIT] = {LS_WATCHDOG_ENDED, END_JOB},
                           [LS_WATCHDOG_STOP] = {LS_WATCHDOG_QUIET, 0}},
    [LS_WATCHDOG_NOTED] = {[LS_WATCHDOG_NEXT_ACTIVITY] = {LS_WATCHDOG_QUIET, REMOVE},
                           [LS_WATCHDOG_NOTE_DUE] = {LS_WATCHDOG_NOTED, 0},
                           [LS_WATCHDOG_WORKS_LONG] = {LS_WATCHDOG_NOTED, WRITE},
                           [LS_WATCHDOG_WORKS_UNHEARD] = {LS_WATCHDOG_WARNED, WARN},
                           [LS_WATCHDOG_WAITS_LONG] = {LS_WATCHDOG_WARNED, WARN | READ},
                           [LS_WATCHDOG_IS_LOWEST] = {LS_WATCHDOG_NOTED, 0},
                           [LS_WATCHDOG_LIMIT] = {LS_WATCHDOG_ENDED, END_JOB},
                           [LS_WATCHDOG_STOP] = {LS_WATCHDOG_QUIET, REMOVE}},
    [LS_WATCHDOG_WARNED] = {[LS_WATCHDOG_NEXT_ACTIVITY] = {LS_WATCHDOG_QUIET, SAY_GOES_ON | REMOVE},
                            [LS_WATCHDOG_NOTE_DUE] = {LS_WATCHDOG_WARNED, 0},
                            [LS_WATCHDOG_WORKS_LONG] = {LS_WATCHDOG_WARNED, WRITE},
                            [LS_WATCHDOG_WORKS_UNHEARD] = {LS_WATCHDOG_WARNED, WARN},
                            [LS_WATCHDOG_WAITS_LONG] = {LS_WATCHDOG_WARNED, WARN | READ},
                            [LS_WATCHDOG_IS_LOWEST] = {LS_WATCHDOG_SPEAKING, NAME_OTHERS},
                            [LS_WATCHDOG_LIMIT] = {LS_WATCHDOG_ENDED, END_JOB},
                            [LS_WATCHDOG_STOP] = {LS_WATCHDOG_QUIET, REMOVE}},
    [LS_WATCHDOG_SPEAKING] = {[LS_WATCHDOG_NEXT_ACTIVITY] = {LS_WATCHDOG_QUIET, SAY_GOES_ON | REMOVE},
                              [LS_WATCHDOG_NOTE_DUE] = {LS_WATCHDOG_SPEAKING, 0},
                              [LS_WATCHDOG_WORKS_LONG] = {LS_WATCHDOG_SPEAKING, WRITE},
                              [LS_WATCHDOG_WORKS_UNHEARD] = {LS_WATCHDOG_SPEAKING, WARN},
                              [LS_WATCHDOG_WAITS_LONG] = {LS_WATCHDOG_WARNED, WARN | READ},
                              [LS_WATCHDOG_IS_LOWEST] = {LS_WATCHDOG_SPEAKING, 0},
                              [LS_WATCHDOG_LIMIT] = {LS_WATCHDOG_ENDED, END_JOB},
                              [LS_WATCHDOG_STOP] = {LS_WATCHDOG_QUIET, REMOVE}},
    [LS_WATCHDOG_ENDED] = {[LS_WATCHDOG_NEXT_ACTIVITY] = {LS_WATCHDOG_ENDED, 0},
                           [LS_WATCHDOG_NOTE_DUE] = {LS_WATCHDOG_ENDED, 0},
                           [LS_WATCHDOG_WORKS_LONG] = {LS_WATCHDOG_ENDED, 0},
                           [LS_WATCHDOG_WORKS_UNHEARD] = {LS_WATCHDOG_ENDED, 0},
                           [LS_WATCHDOG_WAITS_LONG] = {LS_WATCHDOG_ENDED, 0},
                           [LS_WATCHDOG_IS_LOWEST] = {LS_WATCHDOG_ENDED, 0},
                           [LS_WATCHDOG_LIMIT] = {LS_WATCHDOG_ENDED, 0},
                           [LS_WATCHDOG_STOP] = {LS_WATCHDOG_ENDED, 0}}};

ls_watchdog_transition ls_watchdog_find_transition(ls_watchdog_state state, ls_watchdog_event event)
{
  assert(state < LS_WATCHDOG_STATES && event < LS_WATCHDOG_EVENTS);
  return transitions[state][event];
}
