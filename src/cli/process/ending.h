/* SPDX-License-Identifier: BSD-3-Clause */
/* Ends that are not the program's own. HDF5's library, without memory, calls exit() in some functions and
 * crashes in others: both are reported in one line, and end with the exit status of a failure. */
#ifndef LS_CLI_PROCESS_ENDING_H
#define LS_CLI_PROCESS_ENDING_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/status.h"
#include "comm/comm.h"

enum { LS_ENDING_STACK_BYTES = 1 << 16 };

typedef struct ls_ending {
  ls_comm *comm;                     /* borrowed */
  pid_t process;                     /* not a child of it */
  bool is_over;                      /* the program ends by itself: set by main() */
  char stack[LS_ENDING_STACK_BYTES]; /* of the handler: a crash may be for want of stack */
} ls_ending;

/** Watch for such ends from now on. `ending` is to last until the process ends. Sets handlers of signals:
 * for main() alone. Local. Errors: LS_E_MEMORY. */
ls_status ls_ending_watch(ls_ending *ending, ls_comm *comm) LS_CHECKED;

#endif
