/* SPDX-License-Identifier: BSD-3-Clause */
/* A rank's report on itself and on the others: its activity, and their notes, in words. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "train/watchdog/watcher.h"

static const char WAITING[] = "is waiting";
static const char RESTING[] = "is resting";

/* What this rank is doing: "is waiting in step 3 of epoch 1 for 61 s (validating: summing over the ranks)". A
 * note will be read later: "for more than 36 s". */
void ls_watcher_describe(const ls_watcher *self, double seconds, bool is_note, ls_text *line)
{
  const ls_activity *activity = self->activity;
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

/* The ranks that give no sign of life: they took part in the last step that this one has the sums of. */
static void report_missing(const ls_watcher *self, const char *ranks, ls_text *line)
{
  const uint64_t step = atomic_load(&self->activity->past_step);
  const uint64_t epoch = atomic_load(&self->activity->past_epoch);
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
double ls_watcher_silent_s(const ls_watcher *self)
{
  const ls_watchdog_options *options = &self->options;
  return LS_NOTE_SHARE * (options->warn_s > 0 ? options->warn_s : options->abort_s);
}

/* Does another rank speak? The lowest waiting rank speaks; if none waits, the lowest resting one. */
static bool yields_to(const ls_watcher *self, int rank, const char *note)
{
  const bool is_lower = rank < self->options.rank, rests = atomic_load(&self->activity->rests);
  if (rank == self->options.rank) return false;
  return begins_with(note, WAITING) ? rests || is_lower : begins_with(note, RESTING) && rests && is_lower;
}

/* Name the ranks that do not wait, unless another one does; false: it does, or there are no notes. */
static bool list_ranks(const ls_watcher *self, ls_text *missing, ls_text *working)
{
  char note[LS_NOTE_BYTES];
  int rank;
  for (size_t i = 0; i < ls_notes_count(&self->notes); i++) {
    const ls_word word = ls_notes_read(&self->notes, i, ls_watcher_silent_s(self), &rank, note);
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
bool ls_watcher_is_lowest(const ls_watcher *self, ls_text *others)
{
  ls_text working = {0}, missing = {0};
  const bool is_lowest = list_ranks(self, &missing, &working);
  const bool sees_all = ls_notes_count(&self->notes) == (size_t)self->options.size;
  if (missing.length > 0) report_missing(self, ls_text_get(&missing), others);
  ls_text_add(others, "%s", ls_text_get(&working) + (others->length == 0 && working.length > 0 ? 2 : 0));
  if (others->length == 0)
    ls_text_add(others, sees_all ? "all ranks wait: MPI itself does not get on"
                                 : "all ranks of this host wait: for those of another one");
  ls_text_fini(&working);
  ls_text_fini(&missing);
  return is_lowest;
}

/* Has a rank given no sign of life for so long? A rank that only rests is not reported: others work
 * meanwhile. A rank that was stopped has not looked, so it misses none. */
bool ls_watcher_misses_one(const ls_watcher *self, double seconds)
{
  char note[LS_NOTE_BYTES];
  int rank;
  if (ls_clock_s() - self->woken_s < seconds) return false;
  for (size_t i = 0; i < ls_notes_count(&self->notes); i++)
    if (ls_notes_read(&self->notes, i, seconds, &rank, note) == LS_WORD_NONE) return true;
  return false;
}

/* Has a rank begun to end the job? Its end then explains what happens to the others. */
bool ls_watcher_sees_end(const ls_watcher *self)
{
  char note[LS_NOTE_BYTES];
  int rank;
  for (size_t i = 0; i < ls_notes_count(&self->notes); i++)
    if (ls_notes_read(&self->notes, i, ls_watcher_silent_s(self), &rank, note) == LS_WORD_NOTE &&
        strcmp(note, LS_NOTE_OF_END) == 0)
      return true;
  return false;
}
