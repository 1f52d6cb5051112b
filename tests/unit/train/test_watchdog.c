/* SPDX-License-Identifier: BSD-3-Clause */
/* What a waiting rank says of the others, by the notes that they left. Wrappers that the linker puts around
 * the clock and the watching thread's sleep make time pass as the tests say, whatever else the machine does.
 */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmocka_all.h"
#include "train/watchdog/notes.h"
#include "train/watchdog/states.h"
#include "train/watchdog/watchdog.h"

double __wrap_ls_clock_s(void);
int __real_pthread_cond_timedwait(pthread_cond_t *wake, pthread_mutex_t *mutex, const struct timespec *until);
int __wrap_pthread_cond_timedwait(pthread_cond_t *wake, pthread_mutex_t *mutex, const struct timespec *until);

int __real_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes);
int __wrap_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes);
int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);

/* A mutex that knows who has it: to unlock one that one does not have, or to lock it twice, ends the test. */
int __wrap_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes)
{
  pthread_mutexattr_t checked;
  assert_null(attributes);
  pthread_mutexattr_init(&checked);
  pthread_mutexattr_settype(&checked, PTHREAD_MUTEX_ERRORCHECK);
  const int code = __real_pthread_mutex_init(mutex, &checked);
  pthread_mutexattr_destroy(&checked);
  return code;
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
  if (__real_pthread_mutex_lock(mutex) != 0) abort();
  return 0;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
  if (__real_pthread_mutex_unlock(mutex) != 0) abort();
  return 0;
}

static _Atomic double now_s = 1, wakes_s; /* the thread sleeps until then */

/* How often a watchdog looks that has to warn or to abort after 4 s or more. */
static const double LOOK_S = 0.25;

double __wrap_ls_clock_s(void)
{
  return now_s;
}

/* The real sleeps are short, and only to see that time has passed. */
int __wrap_pthread_cond_timedwait(pthread_cond_t *wake, pthread_mutex_t *mutex, const struct timespec *until)
{
  const double until_s = (double)until->tv_sec + 1e-9 * (double)until->tv_nsec;
  while (now_s < until_s) {
    struct timespec soon;
    wakes_s = until_s;
    clock_gettime(CLOCK_MONOTONIC, &soon);
    soon.tv_nsec += 1000000;
    if (soon.tv_nsec >= 1000000000) soon.tv_nsec -= 1000000000, soon.tv_sec++;
    if (__real_pthread_cond_timedwait(wake, mutex, &soon) != ETIMEDOUT) return 0;
  }
  return ETIMEDOUT;
}

/* So much time passes at once, and the watchdog has then looked. */
static void jump(double seconds)
{
  now_s = now_s + seconds;
  while (wakes_s <= now_s) usleep(100);
}

/* So much time passes, and the watchdog looks as often as it means to. */
static void pass(double seconds)
{
  for (double left_s = seconds; left_s > 0; left_s -= LOOK_S) jump(fmin(left_s, LOOK_S));
}

/* Everything that a watchdog reports. */
typedef struct ear {
  pthread_mutex_t mutex;
  char heard[4096];
  int given_up;
} ear;

static bool exists(const char *path)
{
  return access(path, F_OK) == 0;
}

static void hear(void *user, const char *line)
{
  ear *self = user;
  pthread_mutex_lock(&self->mutex);
  const size_t length = strlen(self->heard);
  snprintf(self->heard + length, sizeof self->heard - length, "%s\n", line);
  pthread_mutex_unlock(&self->mutex);
}

static void give_up(void *user)
{
  ear *self = user;
  pthread_mutex_lock(&self->mutex);
  self->given_up++;
  pthread_mutex_unlock(&self->mutex);
}

static bool has_heard(ear *self, const char *words)
{
  pthread_mutex_lock(&self->mutex);
  const bool found = strstr(self->heard, words) != NULL;
  pthread_mutex_unlock(&self->mutex);
  return found;
}

static void expect(ear *self, const char *words)
{
  if (!has_heard(self, words)) fail_msg("'%s' not in: %s", words, self->heard);
}

static char folder[64];

static const char *path_of(const char *name)
{
  static char path[128];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static void put(const char *name, const char *text)
{
  FILE *file = fopen(path_of(name), "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

static ls_directory run_dir;

static int make_folder(void **state)
{
  (void)state;
  snprintf(folder, sizeof folder, "/tmp/lockstep-notes-XXXXXX");
  return mkdtemp(folder) && ls_directory_open(&run_dir, folder) == LS_OK ? 0 : 1;
}

static int remove_folder(void **state)
{
  (void)state;
  ls_notes_clear(&run_dir);
  unlink(path_of("checkpoint-1.h5"));
  ls_directory_close(&run_dir);
  return rmdir(folder);
}

static void notes_of_an_ended_job_are_removed(void **state)
{
  (void)state;
  put("stalled.0", "is waiting");
  put("stalled.17", "");
  put("stalled.2.tmp", "is wai");
  put("checkpoint-1.h5", "");
  ls_notes_clear(&run_dir);
  assert_false(exists(path_of("stalled.0")));
  assert_false(exists(path_of("stalled.17")));
  assert_false(exists(path_of("stalled.2.tmp")));
  assert_true(exists(path_of("checkpoint-1.h5")));
}

/* Start to watch a rank, in `folder` if `has_notes`. */
static ls_watchdog *start(const ls_watchdog_options *options, bool has_notes)
{
  ls_watchdog *watchdog;
  wakes_s = 0;
  assert_int_equal(ls_watchdog_start(&watchdog, options), LS_OK);
  jump(0); /* its thread is there */
  if (has_notes) assert_int_equal(ls_watchdog_use_directory(watchdog, &run_dir), LS_OK);
  return watchdog;
}

static void a_rank_without_a_note_is_missing_and_an_empty_one_says_nothing(void **state)
{
  (void)state;
  ear listener = {.mutex = PTHREAD_MUTEX_INITIALIZER};
  const ls_watchdog_options options = {.size = 4, .warn_s = 10, .user = &listener, .print = hear};
  put("stalled.1", "");
  put("stalled.3", "is working in step 3 of epoch 2 for 9 s");
  ls_watchdog *watchdog = start(&options, true);
  ls_activity *activity = ls_watchdog_activity(watchdog);
  ls_activity_step(activity, 2, 2);
  ls_activity_pass(activity);
  ls_activity_step(activity, 2, 3);
  assert_null(ls_activity_enter(activity, "validating"));
  ls_activity_wait(activity, "summing over the ranks");
  pass(10);
  expect(&listener, "rank 0 is waiting in step 3 of epoch 2 for 10 s (validating: summing over the ranks)");
  expect(&listener,
         "no word from rank 2 since step 2 of epoch 2: stopped, dead, or on a host that does not see /");
  expect(&listener, "; rank 1 says nothing; rank 3 is working in step 3 of epoch 2 for 9 s");
  assert_true(exists(path_of("stalled.0")));
  assert_false(exists(path_of("stalled.0.tmp")));
  ls_activity_work(activity);
  pass(LOOK_S);
  expect(&listener, "rank 0 goes on");
  ls_watchdog_stop(watchdog);
  assert_false(exists(path_of("stalled.0")));
}

/* The notes are there when the time of the warning comes. */
static void the_missing_rank_is_named_with_the_warning(void **state)
{
  (void)state;
  ear listener = {.mutex = PTHREAD_MUTEX_INITIALIZER};
  const ls_watchdog_options options = {.size = 2, .warn_s = 10, .user = &listener, .print = hear};
  ls_notes_clear(&run_dir);
  ls_watchdog *watchdog = start(&options, true);
  ls_activity *activity = ls_watchdog_activity(watchdog);
  ls_activity_step(activity, 1, 1);
  ls_activity_wait(activity, "summing over the ranks");
  pass(5.5);
  assert_false(exists(path_of("stalled.0")));
  pass(1);
  assert_true(exists(path_of("stalled.0")));
  pass(3);
  assert_string_equal(listener.heard, "");
  pass(0.5);
  expect(&listener, "for 10 s");
  expect(&listener, "no word from rank 1: ");
  pass(9.5);
  assert_false(has_heard(&listener, "for 20 s")); /* said at twice the time, and not before */
  pass(0.5);
  expect(&listener, "for 20 s");
  ls_watchdog_stop(watchdog);
  assert_false(exists(path_of("stalled.0")));
}

/* There are no notes then, so a rank that works says so itself, and none waits for a speaker to end the job.
 */
static void without_a_folder_each_rank_tells_of_itself(void **state)
{
  (void)state;
  ear listener = {.mutex = PTHREAD_MUTEX_INITIALIZER};
  const ls_watchdog_options options = {.rank = 1,
                                       .size = 2,
                                       .warn_s = 10,
                                       .abort_s = 40,
                                       .user = &listener,
                                       .print = hear,
                                       .give_up = give_up};
  ls_watchdog *watchdog = start(&options, false);
  ls_activity *activity = ls_watchdog_activity(watchdog);
  ls_activity_work(activity);
  assert_null(ls_activity_enter(activity, "opening the data"));
  pass(10);
  expect(&listener, "rank 1 is working before the first step for 10 s (opening the data)");
  pass(50);
  assert_int_equal(listener.given_up, 0); /* it is the one that others wait for */
  ls_activity_wait(activity, "agreeing on a status");
  pass(LOOK_S);
  expect(&listener, "rank 1 goes on");
  pass(39.5);
  expect(&listener,
         "rank 1 is waiting before the first step for 10 s (opening the data: agreeing on a status)");
  assert_false(has_heard(&listener, "ending the job"));
  pass(0.5);
  expect(&listener, "ending the job");
  assert_int_equal(listener.given_up, 1);
  ls_watchdog_stop(watchdog);
  assert_false(has_heard(&listener, "no word"));
}

/* To a process that was stopped, time jumps between two looks. */
static void the_time_while_stopped_is_no_waiting(void **state)
{
  (void)state;
  ear listener = {.mutex = PTHREAD_MUTEX_INITIALIZER};
  const ls_watchdog_options options = {.size = 2, .warn_s = 10, .user = &listener, .print = hear};
  ls_watchdog *watchdog = start(&options, false);
  ls_activity *activity = ls_watchdog_activity(watchdog);
  ls_activity_step(activity, 1, 1);
  ls_activity_wait(activity, "summing over the ranks");
  pass(5);
  jump(60);
  pass(4.25);
  assert_string_equal(listener.heard, "");
  pass(1);
  expect(&listener, "is waiting in step 1 of epoch 1 for 10 s");
  ls_watchdog_stop(watchdog);
}

/* Others may work for however long, but a missing one is reported at once. A rank that was stopped itself
 * waits to hear from the others. */
static void a_rest_ends_with_a_missing_rank(void **state)
{
  (void)state;
  ear listener = {.mutex = PTHREAD_MUTEX_INITIALIZER};
  const ls_watchdog_options options = {
      .size = 2, .warn_s = 10, .abort_s = 20, .user = &listener, .print = hear, .give_up = give_up};
  ls_notes_clear(&run_dir);
  put("stalled.1", "is working");
  ls_watchdog *watchdog = start(&options, true);
  ls_activity_rest(ls_watchdog_activity(watchdog), "waiting for the ranks that work");
  pass(170);
  jump(60);
  unlink(path_of("stalled.1"));
  pass(5.75);
  assert_string_equal(listener.heard, "");
  pass(0.5);
  expect(&listener, "rank 0 is resting");
  expect(&listener, "no word from rank 1");
  assert_int_equal(listener.given_up, 0);
  pass(14);
  assert_int_equal(listener.given_up, 1);
  ls_watchdog_stop(watchdog);
  ls_notes_clear(&run_dir);
}

/* A rank that gives up reports it once, and nothing later. */
static void who_gives_up_falls_silent(void **state)
{
  (void)state;
  ear listener = {.mutex = PTHREAD_MUTEX_INITIALIZER};
  const ls_watchdog_options options = {
      .size = 2, .warn_s = 10, .abort_s = 20, .user = &listener, .print = hear, .give_up = give_up};
  ls_watchdog *watchdog = start(&options, true);
  ls_activity *activity = ls_watchdog_activity(watchdog);
  ls_activity_step(activity, 1, 1);
  ls_activity_wait(activity, "summing over the ranks");
  pass(20);
  expect(&listener, "longer than train.stall_abort, 20 s: ending the job");
  pass(20);
  ls_activity_work(activity);
  pass(1);
  ls_watchdog_stop(watchdog);
  assert_int_equal(listener.given_up, 1);
  assert_false(has_heard(&listener, "goes on"));
  ls_notes_clear(&run_dir);
}

/* What the end of the job does to the others is no news. */
static void nothing_goes_on_once_another_has_given_up(void **state)
{
  (void)state;
  ear listener = {.mutex = PTHREAD_MUTEX_INITIALIZER};
  const ls_watchdog_options options = {.size = 3, .warn_s = 10, .user = &listener, .print = hear};
  ls_watchdog *watchdog = start(&options, true);
  ls_activity *activity = ls_watchdog_activity(watchdog);
  ls_activity_step(activity, 1, 1);
  ls_activity_wait(activity, "summing over the ranks");
  pass(10);
  expect(&listener, "rank 0 is waiting");
  put("stalled.2", "has given up");
  ls_activity_work(activity);
  pass(LOOK_S);
  assert_false(exists(path_of("stalled.0")));
  ls_watchdog_stop(watchdog);
  assert_false(has_heard(&listener, "goes on"));
  ls_notes_clear(&run_dir);
}

/* Who speaks falls silent when a lower rank waits, too, and leaves the end of the job to it for three
 * seconds. */
static void the_speaker_yields_to_a_lower_rank(void **state)
{
  (void)state;
  ear listener = {.mutex = PTHREAD_MUTEX_INITIALIZER};
  const ls_watchdog_options options = {.rank = 1,
                                       .size = 3,
                                       .warn_s = 10,
                                       .abort_s = 30,
                                       .user = &listener,
                                       .print = hear,
                                       .give_up = give_up};
  ls_notes_clear(&run_dir);
  put("stalled.0", "is working");
  put("stalled.2", "is waiting");
  ls_watchdog *watchdog = start(&options, true);
  ls_activity *activity = ls_watchdog_activity(watchdog);
  ls_activity_step(activity, 1, 1);
  ls_activity_wait(activity, "summing over the ranks");
  pass(10);
  expect(&listener, "rank 0 is working");
  put("stalled.0", "is waiting");
  unlink(path_of("stalled.2"));
  pass(20.25);
  expect(&listener, "rank 1 is waiting in step 1 of epoch 1 for 20 s");
  assert_false(has_heard(&listener, "no word from rank 2"));
  pass(2.5);
  assert_int_equal(listener.given_up, 0);
  pass(0.5);
  assert_int_equal(listener.given_up, 1);
  ls_watchdog_stop(watchdog);
  assert_true(exists(path_of("stalled.1"))); /* it silences the others */
  ls_notes_clear(&run_dir);
}

/* A rank that is not missed any more before the limit ends nothing. */
static void an_activity_that_ends_at_the_limit_ends_no_job(void **state)
{
  (void)state;
  ear listener = {.mutex = PTHREAD_MUTEX_INITIALIZER};
  const ls_watchdog_options options = {
      .size = 2, .warn_s = 10, .abort_s = 20, .user = &listener, .print = hear, .give_up = give_up};
  ls_watchdog *watchdog = start(&options, true);
  ls_activity *activity = ls_watchdog_activity(watchdog);
  ls_activity_wait(activity, "summing over the ranks");
  pass(19.75);
  ls_activity_work(activity);
  ls_activity_wait(activity, "summing over the ranks");
  pass(19.75);
  assert_int_equal(listener.given_up, 0);
  pass(0.25);
  assert_int_equal(listener.given_up, 1);
  ls_watchdog_stop(watchdog);
  ls_notes_clear(&run_dir);
}

static atomic_bool is_printing, may_print;

static void print_slowly(void *user, const char *line)
{
  (void)user, (void)line;
  is_printing = true;
  while (!may_print) usleep(100);
}

/* A terminal or a file that hangs holds up the watching thread alone. */
static void nobody_waits_for_what_the_watching_thread_writes(void **state)
{
  (void)state;
  const ls_watchdog_options options = {.size = 2, .warn_s = 10, .print = print_slowly};
  ls_watchdog *watchdog = start(&options, false);
  ls_activity_wait(ls_watchdog_activity(watchdog), "summing over the ranks");
  now_s = now_s + 0.25; /* for each look in turn: one alone would be the end of a stop */
  while (!is_printing) {
    if (wakes_s > now_s) now_s = now_s + 0.25;
    usleep(100);
  }
  ls_watchdog_set_times(watchdog, 20, 0);
  assert_int_equal(ls_watchdog_use_directory(watchdog, &run_dir), LS_OK);
  may_print = true;
  ls_watchdog_stop(watchdog);
  ls_notes_clear(&run_dir);
}

/* The training thread changes times and notes while the watching thread looks: by ThreadSanitizer, nothing is
 * shared without order. */
static void times_change_at_any_moment(void **state)
{
  (void)state;
  ear listener = {.mutex = PTHREAD_MUTEX_INITIALIZER};
  const ls_watchdog_options options = {.size = 2, .warn_s = 10, .user = &listener, .print = hear};
  ls_watchdog *watchdog = start(&options, false);
  for (int i = 0; i < 2000; i++) {
    now_s = now_s + LOOK_S;
    ls_watchdog_set_times(watchdog, i % 2 ? 1e6 : 2e6, 0);
    if (i == 1000) assert_int_equal(ls_watchdog_use_directory(watchdog, &run_dir), LS_OK);
    if (i % 100 == 0) usleep(1000); /* now and then it comes to a look */
  }
  ls_watchdog_stop(watchdog);
  assert_string_equal(listener.heard, "");
}

/* What is done in each state, whatever happens. */
static void transitions_keep_their_rules(void **state)
{
  (void)state;
  for (ls_watchdog_state s = 0; s < LS_WATCHDOG_STATES; s++) {
    const bool has_note = s != LS_WATCHDOG_QUIET, has_ended = s == LS_WATCHDOG_ENDED;
    const bool has_warned = s == LS_WATCHDOG_WARNED || s == LS_WATCHDOG_SPEAKING;
    for (ls_watchdog_event e = 0; e < LS_WATCHDOG_EVENTS; e++) {
      const ls_watchdog_transition t = ls_watchdog_find_transition(s, e);
      const bool is_over = e == LS_WATCHDOG_NEXT_ACTIVITY || e == LS_WATCHDOG_STOP;
      const bool warns = e == LS_WATCHDOG_WAITS_LONG || e == LS_WATCHDOG_WORKS_UNHEARD;
      const bool leaves_note = e == LS_WATCHDOG_WORKS_LONG || (e == LS_WATCHDOG_NOTE_DUE && !has_note);
      assert_true(t.next < LS_WATCHDOG_STATES);
      assert_int_equal(t.actions & LS_WATCHDOG_REMOVE_NOTE, is_over && has_note && !has_ended ? 2 : 0);
      assert_int_equal(t.actions & LS_WATCHDOG_SAY_GOES_ON, has_warned && e == LS_WATCHDOG_NEXT_ACTIVITY);
      assert_int_equal(!!(t.actions & LS_WATCHDOG_WRITE_NOTE), !has_ended && (warns || leaves_note));
      assert_int_equal(!!(t.actions & LS_WATCHDOG_SAY_WAITS), !has_ended && warns);
      assert_int_equal(!!(t.actions & LS_WATCHDOG_READ_NOTES), !has_ended && e == LS_WATCHDOG_WAITS_LONG);
      assert_int_equal(!!(t.actions & LS_WATCHDOG_NAME_OTHERS),
                       s == LS_WATCHDOG_WARNED && e == LS_WATCHDOG_IS_LOWEST);
      assert_int_equal(!!(t.actions & LS_WATCHDOG_END_JOB), !has_ended && e == LS_WATCHDOG_LIMIT);
      assert_int_equal(t.next == LS_WATCHDOG_ENDED, has_ended || e == LS_WATCHDOG_LIMIT);
      if (!has_ended && is_over) assert_int_equal(t.next, LS_WATCHDOG_QUIET);
      if (!has_ended && warns)
        assert_int_equal(t.next == LS_WATCHDOG_SPEAKING,
                         s == LS_WATCHDOG_SPEAKING && e == LS_WATCHDOG_WORKS_UNHEARD);
    }
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(notes_of_an_ended_job_are_removed),
      cmocka_unit_test(a_rank_without_a_note_is_missing_and_an_empty_one_says_nothing),
      cmocka_unit_test(the_missing_rank_is_named_with_the_warning),
      cmocka_unit_test(without_a_folder_each_rank_tells_of_itself),
      cmocka_unit_test(the_time_while_stopped_is_no_waiting),
      cmocka_unit_test(a_rest_ends_with_a_missing_rank),
      cmocka_unit_test(who_gives_up_falls_silent),
      cmocka_unit_test(nothing_goes_on_once_another_has_given_up),
      cmocka_unit_test(the_speaker_yields_to_a_lower_rank),
      cmocka_unit_test(an_activity_that_ends_at_the_limit_ends_no_job),
      cmocka_unit_test(nobody_waits_for_what_the_watching_thread_writes),
      cmocka_unit_test(times_change_at_any_moment),
      cmocka_unit_test(transitions_keep_their_rules),
  };
  return cmocka_run_group_tests_name("watchdog", tests, make_folder, remove_folder);
}
