/* SPDX-License-Identifier: BSD-3-Clause */
/* One look at the rank's activity: find the event of states.h, and take its actions. */
#include "train/watchdog/watcher.h"

#include "base/clock.h"

/* How long the others leave it to the speaker to end the job: its warning, by which it becomes the speaker,
 * may come late by a period, and the report and the end of the process take their time. */
static const double SPEAKER_S = 3.0;

/* Waking up that much too late, the process was stopped, or its host was. */
static const double LATE_S = 0.5;

/* What the rank does at one moment. */
typedef struct moment {
  uint64_t since_ms;
  bool is_waiting, rests; /* for ranks that do not wait: they have work, this one has none */
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

/* ---- actions ---- */

static void say(const ls_watcher *self, ls_text *line)
{
  self->options.print(self->options.user, ls_text_get(line));
  ls_text_fini(line);
}

static void say_goes_on(const ls_watcher *self)
{
  ls_text line = {0};
  if (ls_watcher_sees_end(self)) return;
  ls_text_add(&line, "rank %d goes on", self->options.rank);
  say(self, &line);
}

static void write_note(const ls_watcher *self, double seconds)
{
  ls_text what = {0};
  ls_watcher_describe(self, seconds, true, &what);
  ls_notes_write(&self->notes, ls_text_get(&what));
  ls_text_fini(&what);
}

static void say_waits(const ls_watcher *self, double seconds)
{
  ls_text line = {0};
  ls_text_add(&line, "rank %d ", self->options.rank);
  ls_watcher_describe(self, seconds, false, &line);
  say(self, &line);
}

static void end_job(const ls_watcher *self)
{
  const ls_watchdog_options *options = &self->options;
  ls_text line = {0};
  ls_text_add(&line, "rank %d has waited longer than train.stall_abort, %g s: ending the job", options->rank,
              options->abort_s);
  ls_notes_write(&self->notes, LS_NOTE_OF_END);
  say(self, &line);
  options->give_up(options->user);
}

void ls_watcher_take(ls_watcher *self, ls_watchdog_event event, double seconds)
{
  const ls_watchdog_transition transition = ls_watchdog_find_transition(self->state, event);
  const unsigned actions = transition.actions;
  self->state = transition.next;
  if (actions & LS_WATCHDOG_SAY_GOES_ON) say_goes_on(self);
  if (actions & LS_WATCHDOG_REMOVE_NOTE) ls_notes_remove(&self->notes);
  if (actions & LS_WATCHDOG_WRITE_NOTE) write_note(self, seconds);
  if (actions & LS_WATCHDOG_SAY_WAITS) say_waits(self, seconds);
  if (actions & LS_WATCHDOG_NAME_OTHERS) say(self, &self->others);
  if (actions & LS_WATCHDOG_END_JOB) end_job(self);
  if (!(actions & LS_WATCHDOG_READ_NOTES)) return;
  if (ls_watcher_is_lowest(self, &self->others)) ls_watcher_take(self, LS_WATCHDOG_IS_LOWEST, seconds);
  ls_text_fini(&self->others);
}

/* ---- events ---- */

/* Short enough to keep the configured times. */
double ls_watcher_period_s(const ls_watcher *self)
{
  const ls_watchdog_options *options = &self->options;
  double shortest_s = 4.0;
  if (options->warn_s > 0 && options->warn_s < shortest_s) shortest_s = options->warn_s;
  if (options->abort_s > 0 && options->abort_s < shortest_s) shortest_s = options->abort_s;
  return shortest_s / 16;
}

/* How long the activity has lasted, without the time that the process was stopped: it did not wait then,
 * others waited for it. */
static double lasted_s(ls_watcher *self)
{
  const double now_s = ls_clock_s(), age_s = now_s - 1e-3 * (double)self->since_ms;
  const double late_s = now_s - self->asleep_s - ls_watcher_period_s(self);
  if (late_s > LATE_S) {
    self->lost_s += late_s;
    self->woken_s = now_s;
  }
  if (self->lost_s > age_s) self->lost_s = age_s; /* it has begun after that */
  return age_s - self->lost_s;
}

static void follow_activity(ls_watcher *self, const moment *now)
{
  if (self->since_ms == now->since_ms) return;
  ls_watcher_take(self, LS_WATCHDOG_NEXT_ACTIVITY, 0);
  self->since_ms = now->since_ms;
  self->lost_s = 0;
  self->next_s = self->options.warn_s;
}

static void look_for_warning(ls_watcher *self, const moment *now, double seconds)
{
  const double warn_s = self->options.warn_s;
  if (warn_s <= 0) return;
  if (seconds >= self->next_s && (!now->rests || ls_watcher_misses_one(self, ls_watcher_silent_s(self)))) {
    while (self->next_s <= seconds) self->next_s *= 2; /* a rest may have been long before one is missed */
    ls_watcher_take(self,
                    now->is_waiting                   ? LS_WATCHDOG_WAITS_LONG
                    : ls_notes_are_kept(&self->notes) ? LS_WATCHDOG_WORKS_LONG
                                                      : LS_WATCHDOG_WORKS_UNHEARD,
                    seconds);
  } else if (seconds >= LS_NOTE_SHARE * warn_s) {
    ls_watcher_take(self, LS_WATCHDOG_NOTE_DUE, seconds);
  }
}

/* The speaker ends the job; the others do if there is none. The moment must still last: looking has taken
 * time. */
static void look_for_limit(ls_watcher *self, const moment *now, double seconds)
{
  const ls_watchdog_options *options = &self->options;
  const bool has_speaker = ls_notes_are_kept(&self->notes) && options->warn_s > 0;
  const bool leaves_it = has_speaker && self->state != LS_WATCHDOG_SPEAKING;
  if (options->abort_s <= 0 || seconds < options->abort_s + (leaves_it ? SPEAKER_S : 0)) return;
  if (!now->is_waiting || (now->rests && !ls_watcher_misses_one(self, options->abort_s))) return;
  if (now_of(self->activity).since_ms == now->since_ms) ls_watcher_take(self, LS_WATCHDOG_LIMIT, seconds);
}

void ls_watcher_look(ls_watcher *self)
{
  if (self->state == LS_WATCHDOG_ENDED) return; /* its silence is a sign, too */
  ls_notes_beat(&self->notes);
  const moment now = now_of(self->activity);
  follow_activity(self, &now);
  const double seconds = lasted_s(self);
  look_for_warning(self, &now, seconds);
  look_for_limit(self, &now, seconds);
}
