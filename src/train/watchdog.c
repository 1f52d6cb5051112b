/* SPDX-License-Identifier: BSD-3-Clause */
/* The watching thread, and the notes of stalled ranks: files stalled.<rank> in the run directory, since files
 * are what all hosts of a job share. */
#include "train/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

enum { NOTE_BYTES = 256, NAME_BYTES = 32 };

static const char NOTE_PREFIX[] = "stalled.";
static const char WAITING[] = "is waiting";
static const char GIVEN_UP[] = "has given up";

/* A note is left when this part of the time before a warning is over, so that at the warning all are there.
 */
static const double NOTE_SHARE = 0.6;

/* How long the others leave it to the speaker to end the job: its warning, by which it becomes the speaker,
 * may come late by a period, and telling and ending the process take their time. */
static const double SPEAKER_S = 3.0;

/* Waking up that much too late, the process was stopped, or its host was. */
static const double LATE_S = 0.5;

struct ls_watchdog {
  ls_watchdog_options options;
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t wake; /* by CLOCK_MONOTONIC */
  bool stopping;
  char *run_dir;             /* NULL: not known yet */
  int folder;                /* that directory, open: it may be moved; -1: not, and there are no notes */
  double asleep_s;           /* clock when the thread went to sleep */
  uint64_t since_ms;         /* begin of the activity that was seen last */
  double lost_s;             /* of it, while the process was stopped */
  double next_s;             /* next warning, counted from its begin */
  bool has_note, has_warned; /* of it */
  bool is_speaker;           /* the lowest waiting rank, by its last report */
  bool has_given_up;         /* nothing more is to be told */
};

static void note_name(int rank, const char *ending, char name[NAME_BYTES])
{
  snprintf(name, NAME_BYTES, "%s%d%s", NOTE_PREFIX, rank, ending);
}

void ls_watchdog_clear(const ls_directory *run_dir)
{
  ls_names names;
  if (ls_directory_list(run_dir, &names) != LS_OK) return;
  for (size_t i = 0; i < names.count; i++)
    if (strncmp(names.items[i], NOTE_PREFIX, strlen(NOTE_PREFIX)) == 0)
      unlinkat(run_dir->descriptor, names.items[i], 0);
  ls_names_fini(&names);
}

static void remove_note(const ls_watchdog *self)
{
  char name[NAME_BYTES];
  note_name(self->options.rank, "", name);
  if (self->folder >= 0) unlinkat(self->folder, name, 0);
}

/* What this rank is doing: "is waiting in step 3 of epoch 1 for 61 s (validating: summing over the ranks)". A
 * note will be read later: "for more than 36 s". */
static void describe(const ls_watchdog *self, double seconds, bool is_note, ls_text *line)
{
  const ls_activity *activity = self->options.activity;
  const char *operation = atomic_load(&activity->waiting_for);
  const char *phase = atomic_load(&activity->phase);
  const uint64_t step = atomic_load(&activity->step), epoch = atomic_load(&activity->epoch);
  ls_text_add(line, "%s", operation ? WAITING : "is working");
  if (epoch == 0)
    ls_text_add(line, " before the first step");
  else
    ls_text_add(line, " in step %" PRIu64 " of epoch %" PRIu64, step, epoch);
  if (is_note)
    ls_text_add(line, " for more than %.0f s", floor(seconds));
  else
    ls_text_add(line, " for %.0f s", seconds);
  if (phase || operation)
    ls_text_add(line, " (%s%s%s)", phase ? phase : "", phase && operation ? ": " : "",
                operation ? operation : "");
}

/* Under another name first: others may read at any time. A note that cannot be written, on a full disk, is
 * missed by nobody but the reader: no error. */
static void write_note(const ls_watchdog *self, const char *text)
{
  char name[NAME_BYTES], temporary[NAME_BYTES];
  if (self->folder < 0) return;
  note_name(self->options.rank, "", name);
  note_name(self->options.rank, ".tmp", temporary);
  unlinkat(self->folder, temporary, 0); /* of a session that was killed: nobody else writes under that name */
  int descriptor;
  ssize_t put;
  LS_RETRY(descriptor,
           openat(self->folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (descriptor < 0) return;
  LS_RETRY(put, write(descriptor, text, strlen(text)));
  const bool is_written = put == (ssize_t)strlen(text);
  if (close(descriptor) == 0 && is_written)
    renameat(self->folder, temporary, self->folder, name);
  else
    unlinkat(self->folder, temporary, 0);
}

/* The note of a rank, "" if it says nothing; false if there is none. */
static bool read_note(const ls_watchdog *self, int rank, char note[NOTE_BYTES])
{
  char name[NAME_BYTES];
  int descriptor;
  ssize_t length;
  if (self->folder < 0) return false;
  note_name(rank, "", name);
  LS_RETRY(descriptor, openat(self->folder, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (descriptor < 0) return false;
  LS_RETRY(length, read(descriptor, note, NOTE_BYTES - 1));
  note[length > 0 ? length : 0] = '\0';
  close(descriptor);
  return true;
}

static void tell(const ls_watchdog *self, ls_text *line)
{
  self->options.tell(self->options.user, ls_text_get(line));
  ls_text_fini(line);
}

/* The ranks without a note: they took part in the last step that this one has the sums of. */
static void tell_missing(const ls_watchdog *self, const char *ranks, ls_text *line)
{
  const uint64_t step = atomic_load(&self->options.activity->past_step);
  const uint64_t epoch = atomic_load(&self->options.activity->past_epoch);
  ls_text_add(line, "no word from rank %s", ranks);
  if (epoch > 0) ls_text_add(line, " since step %" PRIu64 " of epoch %" PRIu64, step, epoch);
  ls_text_add(line, ": stopped, dead, or on a host that does not see %s", self->run_dir);
}

/* Name the ranks that do not wait. The lowest waiting rank speaks for all. */
static void report(ls_watchdog *self)
{
  ls_text working = {0}, missing = {0}, line = {0};
  char note[NOTE_BYTES];
  self->is_speaker = false;
  if (!self->run_dir) return;
  for (int rank = 0; rank < self->options.size; rank++) {
    const bool found = read_note(self, rank, note);
    const bool waits = found && strncmp(note, WAITING, strlen(WAITING)) == 0;
    if (waits && rank < self->options.rank) goto done;
    if (!found && rank != self->options.rank) ls_text_add(&missing, missing.length ? ", %d" : "%d", rank);
    if (found && !waits) ls_text_add(&working, "; rank %d %s", rank, note[0] ? note : "says nothing");
  }
  if (missing.length > 0) tell_missing(self, ls_text_get(&missing), &line);
  ls_text_add(&line, "%s", ls_text_get(&working) + (line.length == 0 && working.length > 0 ? 2 : 0));
  self->is_speaker = true;
  if (line.length == 0) ls_text_add(&line, "all ranks wait: MPI itself does not get on");
  tell(self, &line);
done:
  ls_text_fini(&working);
  ls_text_fini(&missing);
  ls_text_fini(&line);
}

/* What the rank does at one moment. */
typedef struct moment {
  uint64_t since_ms;
  bool is_waiting;
} moment;

static moment now_of(const ls_activity *activity)
{
  moment now;
  do {
    now.since_ms = atomic_load(&activity->since_ms);
    now.is_waiting = atomic_load(&activity->waiting_for) != NULL;
  } while (atomic_load(&activity->since_ms) != now.since_ms);
  return now;
}

/* Has a rank begun to end the job? What its end does to the others is no news. */
static bool is_ending(const ls_watchdog *self)
{
  char note[NOTE_BYTES];
  for (int rank = 0; self->run_dir && rank < self->options.size; rank++)
    if (read_note(self, rank, note) && strcmp(note, GIVEN_UP) == 0) return true;
  return false;
}

static void leave_note(ls_watchdog *self, double seconds)
{
  ls_text what = {0};
  describe(self, seconds, true, &what);
  write_note(self, ls_text_get(&what));
  self->has_note = true;
  ls_text_fini(&what);
}

/* Tell that this rank waits, and for whom. That it works is for the note alone, where there are notes. */
static void warn(ls_watchdog *self, double seconds, bool is_waiting)
{
  leave_note(self, seconds);
  if (!is_waiting && self->run_dir) return;
  ls_text line = {0};
  ls_text_add(&line, "rank %d ", self->options.rank);
  describe(self, seconds, false, &line);
  tell(self, &line);
  self->has_warned = true;
  if (is_waiting) report(self);
}

/* The activity that was seen last is over, another one has begun. */
static void renew(ls_watchdog *self, uint64_t since_ms)
{
  ls_text line = {0};
  ls_text_add(&line, "rank %d goes on", self->options.rank);
  if (self->has_warned && !is_ending(self)) tell(self, &line);
  ls_text_fini(&line);
  if (self->has_note) remove_note(self);
  self->since_ms = since_ms;
  self->lost_s = 0;
  self->next_s = self->options.warn_s;
  self->has_note = self->has_warned = self->is_speaker = false;
}

/* The speaker ends the job; the others do if there is none. The moment must still last: looking has taken
 * time. */
static void give_up(ls_watchdog *self, uint64_t since_ms, double seconds)
{
  const ls_watchdog_options *options = &self->options;
  ls_text line = {0};
  const bool has_speaker = self->run_dir && options->warn_s > 0;
  if (has_speaker && !self->is_speaker && seconds < options->abort_s + SPEAKER_S) return;
  if (now_of(options->activity).since_ms != since_ms) return;
  ls_text_add(&line, "rank %d has waited longer than train.stall_abort, %g s: ending the job", options->rank,
              options->abort_s);
  self->has_given_up = true;
  write_note(self, GIVEN_UP);
  tell(self, &line);
  options->give_up(options->user);
}

/* Often enough to keep the times that were asked for. */
static double period_s(const ls_watchdog_options *options)
{
  double shortest_s = 4.0;
  if (options->warn_s > 0 && options->warn_s < shortest_s) shortest_s = options->warn_s;
  if (options->abort_s > 0 && options->abort_s < shortest_s) shortest_s = options->abort_s;
  return shortest_s / 16;
}

/* How long the activity has lasted, without the time that the process was stopped: it did not wait then,
 * others waited for it. */
static double lasted_s(ls_watchdog *self)
{
  const double now_s = ls_clock_s(), age_s = now_s - 1e-3 * (double)self->since_ms;
  const double late_s = now_s - self->asleep_s - period_s(&self->options);
  if (late_s > LATE_S) self->lost_s += late_s;
  if (self->lost_s > age_s) self->lost_s = age_s; /* it has begun after that */
  return age_s - self->lost_s;
}

/* One look at the activity. */
static void look(ls_watchdog *self)
{
  const ls_watchdog_options *options = &self->options;
  if (self->has_given_up) return;
  const moment now = now_of(options->activity);
  if (self->since_ms != now.since_ms) renew(self, now.since_ms);
  const double seconds = lasted_s(self), warn_s = options->warn_s;
  if (warn_s > 0 && seconds >= self->next_s) {
    self->next_s *= 2;
    warn(self, seconds, now.is_waiting);
  } else if (warn_s > 0 && !self->has_note && seconds >= NOTE_SHARE * warn_s) {
    leave_note(self, seconds);
  }
  if (options->abort_s > 0 && seconds >= options->abort_s && now.is_waiting)
    give_up(self, now.since_ms, seconds);
}

static void *watch(void *argument)
{
  ls_watchdog *self = argument;
  const double period = period_s(&self->options);
  pthread_mutex_lock(&self->mutex);
  while (!self->stopping) {
    self->asleep_s = ls_clock_s();
    const double until_s = self->asleep_s + period;
    const struct timespec until = {.tv_sec = (time_t)until_s,
                                   .tv_nsec = (long)(1e9 * (until_s - (double)(time_t)until_s))};
    if (pthread_cond_timedwait(&self->wake, &self->mutex, &until) == ETIMEDOUT) look(self);
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
  const int code = pthread_create(&self->thread, NULL, watch, self);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return code;
}

static void release(ls_watchdog *self)
{
  pthread_cond_destroy(&self->wake);
  pthread_mutex_destroy(&self->mutex);
  if (self->folder >= 0) close(self->folder);
  free(self->run_dir);
  free(self);
}

ls_status ls_watchdog_start(ls_watchdog **out, const ls_watchdog_options *options)
{
  *out = NULL;
  if (options->size == 1 || (options->warn_s <= 0 && options->abort_s <= 0)) return LS_OK;
  ls_watchdog *self;
  LS_PASS(ls_alloc(&self, 1, sizeof *self, "the watchdog"));
  self->options = *options;
  self->next_s = options->warn_s;
  self->folder = -1;
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_mutex_init(&self->mutex, NULL);
  pthread_cond_init(&self->wake, &attributes);
  pthread_condattr_destroy(&attributes);
  const int code = start_thread(self);
  if (code != 0) {
    release(self);
    return ls_fail(LS_E_IO, "cannot start the watching thread: %s", strerror(code));
  }
  *out = self;
  return LS_OK;
}

/* An open folder again; by its path, where another rank has opened it. -1 if that fails. */
static int open_again(const ls_directory *folder)
{
  int descriptor;
  if (folder->descriptor >= 0)
    LS_RETRY(descriptor, fcntl(folder->descriptor, F_DUPFD_CLOEXEC, 0));
  else
    LS_RETRY(descriptor, open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return descriptor;
}

ls_status ls_watchdog_settle(ls_watchdog *watchdog, const ls_directory *run_dir)
{
  if (!watchdog) return LS_OK;
  pthread_mutex_lock(&watchdog->mutex);
  const ls_status status = ls_text_copy(&watchdog->run_dir, run_dir->path);
  if (status == LS_OK) watchdog->folder = open_again(run_dir);
  /* A note of a session that was killed, where ls_watchdog_clear() did not see it. */
  if (status == LS_OK) remove_note(watchdog);
  pthread_mutex_unlock(&watchdog->mutex);
  return status;
}

void ls_watchdog_stop(ls_watchdog *watchdog)
{
  if (!watchdog) return;
  pthread_mutex_lock(&watchdog->mutex);
  watchdog->stopping = true;
  pthread_cond_signal(&watchdog->wake);
  pthread_mutex_unlock(&watchdog->mutex);
  pthread_join(watchdog->thread, NULL);
  if (watchdog->has_note && !watchdog->has_given_up) remove_note(watchdog);
  release(watchdog);
}
