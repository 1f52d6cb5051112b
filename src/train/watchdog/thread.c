/* SPDX-License-Identifier: BSD-3-Clause */
/* The watching thread, and the orders that other threads give it. The thread owns everything that it reads,
 * so the function that started it may return. The lock covers the orders alone, never a look: a file that
 * hangs holds up the watching thread, and at the end ls_watchdog_stop(), which waits for it, but no step.
 * Stopping the thread needs no other rank, so it is stopped after an error of MPI as well. */
#include "train/watchdog/watchdog.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/memory.h"
#include "train/watchdog/watcher.h"

/* Orders that the thread takes over before its next look; under the lock. */
typedef struct orders {
  bool stop, has_times;
  double warn_s, abort_s;
  ls_notes notes; /* where they are kept from now on; owned */
} orders;

struct ls_watchdog {
  ls_activity activity; /* written by the thread that works */
  ls_watcher watcher;   /* of the watching thread */
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t wake; /* by CLOCK_MONOTONIC */
  orders orders;
};

/* ---- the thread ---- */

static void take_over(ls_watcher *watcher, orders *given)
{
  if (given->has_times) {
    watcher->options.warn_s = given->warn_s;
    watcher->options.abort_s = given->abort_s;
    watcher->next_s = given->warn_s;
    given->has_times = false;
  }
  ls_notes_move(&watcher->notes, &given->notes);
}

/* Sleep for a period, or until there are orders. Is it time for a look? */
static bool sleep_on(ls_watchdog *self)
{
  ls_watcher *watcher = &self->watcher;
  watcher->asleep_s = ls_clock_s();
  const double until_s = watcher->asleep_s + ls_watcher_period_s(watcher);
  const struct timespec until = {.tv_sec = (time_t)until_s,
                                 .tv_nsec = (long)(1e9 * (until_s - (double)(time_t)until_s))};
  return pthread_cond_timedwait(&self->wake, &self->mutex, &until) == ETIMEDOUT;
}

static void *watch(void *argument)
{
  ls_watchdog *self = argument;
  pthread_mutex_lock(&self->mutex);
  for (;;) {
    take_over(&self->watcher, &self->orders);
    if (self->orders.stop) break;
    if (!sleep_on(self)) continue;
    take_over(&self->watcher, &self->orders);
    pthread_mutex_unlock(&self->mutex);
    ls_watcher_look(&self->watcher);
    pthread_mutex_lock(&self->mutex);
  }
  pthread_mutex_unlock(&self->mutex);
  return NULL;
}

/* The thread, which leaves signals to the one that trains. */
static int start_thread(ls_watchdog *self)
{
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  const int code = LS_FAULT("thread", __func__) ? EAGAIN : pthread_create(&self->thread, NULL, watch, self);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return code;
}

static void release(ls_watchdog *self)
{
  pthread_cond_destroy(&self->wake);
  pthread_mutex_destroy(&self->mutex);
  ls_notes_fini(&self->orders.notes);
  ls_notes_fini(&self->watcher.notes);
  free(self);
}

static void init_lock(ls_watchdog *self)
{
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_mutex_init(&self->mutex, NULL);
  pthread_cond_init(&self->wake, &attributes);
  pthread_condattr_destroy(&attributes);
}

ls_status ls_watchdog_start(ls_watchdog **out, const ls_watchdog_options *options)
{
  *out = NULL;
  if (options->size == 1 || (options->warn_s <= 0 && options->abort_s <= 0)) return LS_OK;
  ls_watchdog *self;
  LS_PASS(ls_alloc(&self, 1, sizeof *self, "the watchdog"));
  const ls_notes none = {.rank = options->rank, .size = options->size, .folder = -1};
  ls_activity_work(&self->activity);
  self->watcher = (ls_watcher){
      .options = *options, .activity = &self->activity, .notes = none, .next_s = options->warn_s};
  self->orders.notes = none;
  init_lock(self);
  const int code = start_thread(self);
  if (code != 0) {
    release(self);
    return ls_fail(LS_E_IO, "cannot start the watching thread: %s", strerror(code));
  }
  *out = self;
  return LS_OK;
}

/* ---- what is handed to it ---- */

ls_activity *ls_watchdog_activity(ls_watchdog *watchdog)
{
  return watchdog ? &watchdog->activity : NULL;
}

static void hand_over_notes(ls_watchdog *self, ls_notes *notes)
{
  pthread_mutex_lock(&self->mutex);
  ls_notes_move(&self->orders.notes, notes);
  pthread_mutex_unlock(&self->mutex);
  ls_notes_fini(notes);
}

ls_status ls_watchdog_use_directory(ls_watchdog *watchdog, const ls_directory *run_dir)
{
  if (!watchdog) return LS_OK;
  const ls_watchdog_options *options = &watchdog->watcher.options; /* rank and size stay as they are */
  ls_notes notes = {.rank = options->rank, .size = options->size, .folder = -1};
  LS_PASS(ls_notes_take_folder(&notes, run_dir));
  hand_over_notes(watchdog, &notes);
  return LS_OK;
}

void ls_watchdog_use_host(ls_watchdog *watchdog, ls_node *node)
{
  if (!watchdog) return;
  const ls_watchdog_options *options = &watchdog->watcher.options;
  ls_notes notes = {.rank = options->rank, .size = options->size, .folder = -1};
  ls_notes_take_memory(&notes, node);
  hand_over_notes(watchdog, &notes);
}

void ls_watchdog_set_times(ls_watchdog *watchdog, double warn_s, double abort_s)
{
  if (!watchdog) return;
  pthread_mutex_lock(&watchdog->mutex);
  watchdog->orders.has_times = true;
  watchdog->orders.warn_s = warn_s;
  watchdog->orders.abort_s = abort_s;
  pthread_cond_signal(&watchdog->wake);
  pthread_mutex_unlock(&watchdog->mutex);
}

void ls_watchdog_stop(ls_watchdog *watchdog)
{
  if (!watchdog) return;
  pthread_mutex_lock(&watchdog->mutex);
  watchdog->orders.stop = true;
  pthread_cond_signal(&watchdog->wake);
  pthread_mutex_unlock(&watchdog->mutex);
  pthread_join(watchdog->thread, NULL);
  ls_watcher_take(&watchdog->watcher, LS_WATCHDOG_STOP, 0); /* its thread is gone */
  release(watchdog);
}
