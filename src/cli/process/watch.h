/* SPDX-License-Identifier: BSD-3-Clause */
/* The watchdog of a command: it says on standard error which rank the others wait for. */
#ifndef LS_CLI_PROCESS_WATCH_H
#define LS_CLI_PROCESS_WATCH_H

#include "comm/comm.h"
#include "comm/node.h"
#include "config/spec.h"
#include "train/watchdog/watchdog.h"

/** Seconds before a warning where the configuration has none. */
#define LS_WATCH_WARN_S 60.0

/** Start a watchdog, and report to it from now on when this rank waits. The caller decides where its notes
 * are, or has none. Local. Errors: LS_E_MEMORY, LS_E_IO. */
ls_status ls_watch_start(ls_watchdog **out, ls_comm *comm, double warn_s, double abort_s) LS_CHECKED;

/** The watch over a command that has no run directory: notes are in memory. Zero-initialize it. */
typedef struct ls_watch {
  ls_watchdog *watchdog;
  ls_node *node;
} ls_watch;

/** Watch from now on; with the times of `train`, or as LS_WATCH_WARN_S says if that is NULL. On error the
 * caller still calls ls_watch_end(). Collective. Errors: LS_E_MEMORY, LS_E_IO, LS_E_COMM. */
ls_status ls_watch_begin(ls_watch *watch, ls_comm *comm, const ls_spec_train *train) LS_CHECKED;

/** The times of a configuration that is known only now. Local. */
void ls_watch_adopt(const ls_watch *watch, const ls_spec_train *train);

/** `status`: how the command has ended. Fine for one that has not begun. Collective, but after LS_E_COMM. */
void ls_watch_end(ls_watch *watch, ls_comm *comm, ls_status status);

#endif
