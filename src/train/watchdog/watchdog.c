/* SPDX-License-Identifier: BSD-3-Clause */
/* The watching thread. All that it looks at is its own: whatever frame it was started in may return. Stopping
 * it needs no other rank, so that it is stopped after an error of MPI as well. */
#include "train/watchdog/watchdog.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "train/watchdog/notes.h"

static const char WAITING[] = "is waiting";
static const char RESTING[] = "is resting";
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
  ls_activity activity;
  ls_notes notes;
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t wake; /* by CLOCK_MONOTONIC */
  bool stopping;
  double asleep_s;           /* clock when the thread went to sleep */
  double woken_s;            /* clock when it last woke up too late; 0: never */
  uint64_t since_ms;         /* begin of the activity that was seen last */
  double lost_s;             /* of it, while the process was stopped */
  double next_s;             /* next warning, counted from its begin */
  bool has_note, has_warned; /* of it */
  bool is_speaker;           /* the lowest waiting rank, by its last report */
  bool has_given_up;         /* nothing more is to be told */
};

/* What this rank is doing: "is waiting in step 3 of epoch 1 for 61 s (validating: summing over the ranks)". A
 * note will be read later: "for more than 36 s". */
static void describe(const ls_watchdog *self, double seconds, bool is_note, ls_text *line)
{
  const ls_activity *activity = &self->activity;
  const char *operation = atomic_load(&activity->waiting_for);
  const char *phase = atomic_load(&activity->phase);
  const uint64_t step = atomic_load(&activity->step), epoch = atomic_load(&activity->epoch);
  ls_text_add(line, "%s", !operation ? "is working" : atomic_load(&activity->rests) ? RESTING : WAITING);
  if (epoch == 0)
    ls_text_add(line, "%s", self->notes.node ? "" : " before the first step"); /* not in training */
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

static void tell(const ls_watchdog *self, ls_text *line)
{
  self->options.tell(self->options.user, ls_text_get(line));
  ls_text_fini(line);
}

/* The ranks that give no sign of life: they took part in the last step that this one has the sums of. */
static void report_missing(const ls_watchdog *self, const char *ranks, ls_text *line)
{
  const uint64_t step = atomic_load(&self->activity.past_step);
  const uint64_t epoch = atomic_load(&self->activity.past_epoch);
  ls_text_add(line, "no word from rank %s", ranks);
  if (epoch > 0) ls_text_add(line, " since step %" PRIu64 " of epoch %" PRIu64, step, epoch);
  if (self->notes.path)
    ls_text_add(line, ": stopped, dead, or on a host that does not see %s", self->notes.path);
  else
    ls_text_add(line, ": stopped or dead");
}

static bool begins_with(const char *note, const char *word)
{
  return strncmp(note, word, strlen(word)) == 0;
}

/* After how long without a sign of life a rank is missing. */
static double silent_s(const ls_watchdog_options *options)
{
  return NOTE_SHARE * (options->warn_s > 0 ? options->warn_s : options->abort_s);
}

/* Is it for another rank to speak? The lowest of those that wait does; if none waits, of those that rest. */
static bool yields_to(const ls_watchdog *self, int rank, const char *note)
{
  const bool is_lower = rank < self->options.rank, rests = atomic_load(&self->activity.rests);
  if (rank == self->options.rank) return false;
  return begins_with(note, WAITING) ? rests || is_lower : begins_with(note, RESTING) && rests && is_lower;
}

/* Name the ranks that do not wait, unless another one does; false: it does, or there are no notes. */
static bool list_ranks(const ls_watchdog *self, ls_text *missing, ls_text *working)
{
  char note[LS_NOTE_BYTES];
  int rank;
  for (size_t i = 0; i < ls_notes_count(&self->notes); i++) {
    const ls_word word = ls_notes_read(&self->notes, i, silent_s(&self->options), &rank, note);
    const bool is_idle = begins_with(note, WAITING) || begins_with(note, RESTING);
    if (word == LS_WORD_NOTE && yields_to(self, rank, note)) return false;
    if (rank == self->options.rank || (word == LS_WORD_NOTE && is_idle)) continue;
    if (word == LS_WORD_NONE)
      ls_text_add(missing, missing->length ? ", %d" : "%d", rank);
    else if (word == LS_WORD_FINE)
      ls_text_add(working, "; rank %d gets on", rank);
    else
      ls_text_add(working, "; rank %d %s", rank, note[0] ? note : "says nothing");
  }
  return ls_notes_are_kept(&self->notes);
}

/* The lowest waiting rank speaks for all whose notes it can read. */
static void report(ls_watchdog *self)
{
  ls_text working = {0}, missing = {0}, line = {0};
  self->is_speaker = list_ranks(self, &missing, &working);
  if (!self->is_speaker) goto done;
  if (missing.length > 0) report_missing(self, ls_text_get(&missing), &line);
  ls_text_add(&line, "%s", ls_text_get(&working) + (line.length == 0 && working.length > 0 ? 2 : 0));
  const bool sees_all = ls_notes_count(&self->notes) == (size_t)self->options.size;
  if (line.length == 0)
    ls_text_add(&line, sees_all ? "all ranks wait: MPI itself does not get on"
                                : "all ranks of this host wait: for those of another one");
  tell(self, &line);
done:
  ls_text_fini(&working);
  ls_text_fini(&missing);
  ls_text_fini(&line);
}

/* Has a rank given no sign of life for so long? Resting alone is no reason to tell of: others work meanwhile.
 * Who was stopped has heard of nobody. */
static bool misses_one(const ls_watchdog *self, double seconds)
{
  char note[LS_NOTE_BYTES];
  int rank;
  if (ls_clock_s() - self->woken_s < seconds) return false;
  for (size_t i = 0; i < ls_notes_count(&self->notes); i++)
    if (ls_notes_read(&self->notes, i, seconds, &rank, note) == LS_WORD_NONE) return true;
  return false;
}

/* What the rank does at one moment. */
typedef struct moment {
  uint64_t since_ms;
  bool is_waiting, rests; /* for others that do not wait: they have their work, and it has none */
} moment;

static moment now_of(const ls_activity *activity)
{
  moment now;
  do {
    now.since_ms = atomic_load(&activity->since_ms);
    now.is_waiting = atomic_load(&activity->waiting_for) != NULL;
    now.rests = atomic_load(&activity->rests);
  } while (atomic_load(&activity->since_ms) != now.since_ms);
  return now;
}

/* Has a rank begun to end the job? What its end does to the others is no news. */
static bool is_ending(const ls_watchdog *self)
{
  char note[LS_NOTE_BYTES];
  int rank;
  for (size_t i = 0; i < ls_notes_count(&self->notes); i++)
    if (ls_notes_read(&self->notes, i, silent_s(&self->options), &rank, note) == LS_WORD_NOTE &&
        strcmp(note, GIVEN_UP) == 0)
      return true;
  return false;
}

static void leave_note(ls_watchdog *self, double seconds)
{
  ls_text what = {0};
  describe(self, seconds, true, &what);
  ls_notes_write(&self->notes, ls_text_get(&what));
  self->has_note = true;
  ls_text_fini(&what);
}

/* Tell that this rank waits, and for whom. That it works is for the note alone, where there are notes. */
static void warn(ls_watchdog *self, double seconds, bool is_waiting)
{
  leave_note(self, seconds);
  if (!is_waiting && ls_notes_are_kept(&self->notes)) return;
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
  if (self->has_note) ls_notes_remove(&self->notes);
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
  const bool has_speaker = ls_notes_are_kept(&self->notes) && options->warn_s > 0;
  if (has_speaker && !self->is_speaker && seconds < options->abort_s + SPEAKER_S) return;
  if (now_of(&self->activity).since_ms != since_ms) return;
  ls_text_add(&line, "rank %d has waited longer than train.stall_abort, %g s: ending the job", options->rank,
              options->abort_s);
  self->has_given_up = true;
  ls_notes_write(&self->notes, GIVEN_UP);
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
  if (late_s > LATE_S) {
    self->lost_s += late_s;
    self->woken_s = now_s;
  }
  if (self->lost_s > age_s) self->lost_s = age_s; /* it has begun after that */
  return age_s - self->lost_s;
}

/* One look at the activity. */
static void look(ls_watchdog *self)
{
  const ls_watchdog_options *options = &self->options;
  if (self->has_given_up) return;
  ls_notes_beat(&self->notes);
  const moment now = now_of(&self->activity);
  if (self->since_ms != now.since_ms) renew(self, now.since_ms);
  const double seconds = lasted_s(self), warn_s = options->warn_s;
  if (warn_s > 0 && seconds >= self->next_s && (!now.rests || misses_one(self, silent_s(options)))) {
    while (self->next_s <= seconds) self->next_s *= 2; /* a rest may have been long before one is missed */
    warn(self, seconds, now.is_waiting);
  } else if (warn_s > 0 && !self->has_note && seconds >= NOTE_SHARE * warn_s) {
    leave_note(self, seconds);
  }
  const bool is_stuck = now.is_waiting && (!now.rests || misses_one(self, options->abort_s));
  if (options->abort_s > 0 && seconds >= options->abort_s && is_stuck) give_up(self, now.since_ms, seconds);
}

static void *watch(void *argument)
{
  ls_watchdog *self = argument;
  pthread_mutex_lock(&self->mutex);
  while (!self->stopping) {
    const double period = period_s(&self->options);
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
  ls_notes_fini(&self->notes);
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
  self->notes = (ls_notes){.rank = options->rank, .size = options->size, .folder = -1};
  ls_activity_work(&self->activity);
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

ls_activity *ls_watchdog_activity(ls_watchdog *watchdog)
{
  return watchdog ? &watchdog->activity : NULL;
}

ls_status ls_watchdog_use_directory(ls_watchdog *watchdog, const ls_directory *run_dir)
{
  if (!watchdog) return LS_OK;
  pthread_mutex_lock(&watchdog->mutex);
  const ls_status status = ls_notes_take_folder(&watchdog->notes, run_dir);
  pthread_mutex_unlock(&watchdog->mutex);
  return status;
}

void ls_watchdog_use_host(ls_watchdog *watchdog, ls_node *node)
{
  if (!watchdog) return;
  pthread_mutex_lock(&watchdog->mutex);
  ls_notes_take_memory(&watchdog->notes, node);
  pthread_mutex_unlock(&watchdog->mutex);
}

void ls_watchdog_set_times(ls_watchdog *watchdog, double warn_s, double abort_s)
{
  if (!watchdog) return;
  pthread_mutex_lock(&watchdog->mutex);
  watchdog->options.warn_s = warn_s;
  watchdog->options.abort_s = abort_s;
  watchdog->next_s = warn_s;
  pthread_cond_signal(&watchdog->wake);
  pthread_mutex_unlock(&watchdog->mutex);
}

void ls_watchdog_stop(ls_watchdog *watchdog)
{
  if (!watchdog) return;
  pthread_mutex_lock(&watchdog->mutex);
  watchdog->stopping = true;
  pthread_cond_signal(&watchdog->wake);
  pthread_mutex_unlock(&watchdog->mutex);
  pthread_join(watchdog->thread, NULL);
  if (watchdog->has_note && !watchdog->has_given_up) ls_notes_remove(&watchdog->notes);
  release(watchdog);
}
