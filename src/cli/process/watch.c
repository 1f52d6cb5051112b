/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/process/watch.h"

#include <unistd.h>

#include "cli/print.h"
#include "train/watchdog/notes.h"

static void on_stalled(void *user, const char *text)
{
  (void)user;
  ls_warn("%s", text);
}

/* The launcher ends the other ranks when one is gone without MPI_Finalize(). */
static void on_give_up(void *user)
{
  (void)user;
  _exit(ls_status_exit(LS_E_COMM));
}

ls_status ls_watch_start(ls_watchdog **out, ls_comm *comm, double warn_s, double abort_s)
{
  const ls_watchdog_options options = {.rank = ls_comm_rank(comm),
                                       .size = ls_comm_size(comm),
                                       .warn_s = warn_s,
                                       .abort_s = abort_s,
                                       .print = on_stalled,
                                       .give_up = on_give_up};
  LS_PASS(ls_watchdog_start(out, &options));
  ls_activity_enter(ls_watchdog_activity(*out), "setting up");
  ls_comm_watch(comm, ls_watchdog_activity(*out));
  return LS_OK;
}

ls_status ls_watch_begin(ls_watch *watch, ls_comm *comm, const ls_spec_train *train)
{
  const double warn_s = train ? train->stall_timeout : LS_WATCH_WARN_S;
  const ls_node_options notes = {.bytes = ls_notes_bytes()};
  LS_AGREE(comm, ls_watch_start(&watch->watchdog, comm, warn_s, train ? train->stall_abort : 0.0));
  if (!watch->watchdog) return LS_OK;
  LS_PASS(ls_node_new(&watch->node, comm, &notes));
  ls_watchdog_use_host(watch->watchdog, watch->node);
  ls_node_barrier(watch->node); /* the rank is set before any note is read */
  return LS_OK;
}

void ls_watch_adopt(const ls_watch *watch, const ls_spec_train *train)
{
  ls_watchdog_set_times(watch->watchdog, train->stall_timeout, train->stall_abort);
}

void ls_watch_end(ls_watch *watch, ls_comm *comm, ls_status status)
{
  if (!watch->watchdog) return;
  ls_comm_watch(comm, NULL);
  ls_watchdog_stop(watch->watchdog);
  if (status != LS_E_COMM) ls_node_free(watch->node); /* otherwise no collective call may be made any more */
}
