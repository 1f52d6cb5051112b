/* SPDX-License-Identifier: BSD-3-Clause */
/* What a waiting rank says of the others, by the notes that they left. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmocka_all.h"
#include "train/watchdog.h"

/* Everything a watchdog tells. */
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

/* Wait until the words were told. */
static void expect(ear *self, const char *words)
{
  for (int i = 0; i < 500 && !has_heard(self, words); i++) usleep(10000);
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

static int make_folder(void **state)
{
  (void)state;
  snprintf(folder, sizeof folder, "/tmp/lockstep-notes-XXXXXX");
  return mkdtemp(folder) ? 0 : 1;
}

static int remove_folder(void **state)
{
  (void)state;
  ls_watchdog_clear(folder);
  unlink(path_of("checkpoint-1.h5"));
  return rmdir(folder);
}

static void notes_of_an_ended_job_are_removed(void **state)
{
  (void)state;
  put("stalled.0", "is waiting");
  put("stalled.17", "");
  put("stalled.2.tmp", "is wai");
  put("checkpoint-1.h5", "");
  ls_watchdog_clear(folder);
  assert_false(exists(path_of("stalled.0")));
  assert_false(exists(path_of("stalled.17")));
  assert_false(exists(path_of("stalled.2.tmp")));
  assert_true(exists(path_of("checkpoint-1.h5")));
  ls_watchdog_clear("/nonexistent"); /* nothing to remove */
}

static void a_rank_without_a_note_is_missing_and_an_empty_one_says_nothing(void **state)
{
  (void)state;
  ear listener = {.mutex = PTHREAD_MUTEX_INITIALIZER};
  ls_activity activity = {.epoch = 2};
  ls_activity_step(&activity, 2, 2);
  ls_activity_pass(&activity);
  ls_activity_step(&activity, 2, 3);
  const ls_watchdog_options options = {
      .activity = &activity, .size = 4, .warn_s = 0.1, .user = &listener, .tell = hear};
  put("stalled.1", "");
  put("stalled.3", "is working in step 3 of epoch 2 for 9 s");
  assert_null(ls_activity_enter(&activity, "validating"));
  ls_activity_wait(&activity, "summing over the ranks");
  ls_watchdog *watchdog;
  assert_int_equal(ls_watchdog_start(&watchdog, &options), LS_OK);
  assert_int_equal(ls_watchdog_settle(watchdog, folder), LS_OK);
  expect(&listener, "rank 0 is waiting in step 3 of epoch 2 for 0 s (validating: summing over the ranks)");
  expect(&listener,
         "no word from rank 2 since step 2 of epoch 2: stopped, dead, or on a host that does not see /");
  expect(&listener, "; rank 1 says nothing; rank 3 is working in step 3 of epoch 2 for 9 s");
  assert_true(exists(path_of("stalled.0")));
  assert_false(exists(path_of("stalled.0.tmp")));
  ls_activity_work(&activity);
  expect(&listener, "rank 0 goes on");
  ls_watchdog_stop(watchdog);
  assert_false(exists(path_of("stalled.0")));
}

/* The notes are there when the time of the warning comes. */
static void the_missing_rank_is_named_with_the_warning(void **state)
{
  (void)state;
  ear listener = {.mutex = PTHREAD_MUTEX_INITIALIZER};
  ls_activity activity = {.epoch = 1, .step = 1};
  const ls_watchdog_options options = {
      .activity = &activity, .size = 2, .warn_s = 1, .user = &listener, .tell = hear};
  ls_watchdog *watchdog;
  ls_watchdog_clear(folder);
  ls_activity_wait(&activity, "summing over the ranks");
  const double begin_s = ls_clock_s();
  assert_int_equal(ls_watchdog_start(&watchdog, &options), LS_OK);
  assert_int_equal(ls_watchdog_settle(watchdog, folder), LS_OK);
  while (!exists(path_of("stalled.0")) && ls_clock_s() < begin_s + 5) usleep(10000);
  assert_string_equal(listener.heard, "");
  expect(&listener, "no word from rank 1: ");
  const double seconds = ls_clock_s() - begin_s;
  if (seconds > 1.6) fail_msg("named after %.1f s", seconds);
  ls_watchdog_stop(watchdog);
  assert_false(exists(path_of("stalled.0")));
}

/* There are no notes then, so a rank that works says so itself, and none waits for a speaker to end the job.
 */
static void without_a_folder_each_rank_tells_of_itself(void **state)
{
  (void)state;
  ear listener = {.mutex = PTHREAD_MUTEX_INITIALIZER};
  ls_activity activity = {.epoch = 0};
  const ls_watchdog_options options = {.activity = &activity,
                                       .rank = 1,
                                       .size = 2,
                                       .warn_s = 0.1,
                                       .abort_s = 0.4,
                                       .user = &listener,
                                       .tell = hear,
                                       .give_up = give_up};
  ls_watchdog *watchdog;
  ls_activity_work(&activity);
  assert_null(ls_activity_enter(&activity, "opening the data"));
  assert_int_equal(ls_watchdog_start(&watchdog, &options), LS_OK);
  expect(&listener, "rank 1 is working before the first step for 0 s (opening the data)");
  usleep(500000);
  assert_int_equal(listener.given_up, 0); /* it is the one that others wait for */
  ls_activity_wait(&activity, "agreeing on a status");
  const double begin_s = ls_clock_s();
  expect(&listener, "rank 1 goes on");
  expect(&listener,
         "rank 1 is waiting before the first step for 0 s (opening the data: agreeing on a status)");
  expect(&listener, "ending the job");
  assert_true(ls_clock_s() < begin_s + 2);
  ls_watchdog_stop(watchdog);
  assert_false(has_heard(&listener, "no word"));
}

/* A process that is stopped for a second while it waits, and then goes on waiting for a moment. Returns what
 * it says of that. */
static int be_stopped(void)
{
  ear listener = {.mutex = PTHREAD_MUTEX_INITIALIZER};
  ls_activity activity = {.epoch = 1, .step = 1};
  const ls_watchdog_options options = {
      .activity = &activity, .size = 2, .warn_s = 0.8, .user = &listener, .tell = hear};
  ls_watchdog *watchdog;
  ls_activity_wait(&activity, "summing over the ranks");
  if (ls_watchdog_start(&watchdog, &options) != LS_OK) return 9;
  usleep(100000); /* its thread runs */
  raise(SIGSTOP);
  usleep(200000);
  const bool spoke_too_soon = listener.heard[0] != '\0';
  for (int i = 0; i < 500 && !has_heard(&listener, "is waiting"); i++) usleep(10000);
  const bool counted_right = has_heard(&listener, "for 1 s");
  ls_watchdog_stop(watchdog);
  return (spoke_too_soon ? 1 : 0) + (counted_right ? 0 : 2);
}

static void the_time_while_stopped_is_no_waiting(void **state)
{
  (void)state;
  int result;
  const pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) _exit(be_stopped());
  assert_int_equal(waitpid(child, &result, WUNTRACED), child);
  assert_true(WIFSTOPPED(result));
  usleep(1500000);
  assert_int_equal(kill(child, SIGCONT), 0);
  assert_int_equal(waitpid(child, &result, 0), child);
  assert_true(WIFEXITED(result));
  assert_int_equal(WEXITSTATUS(result), 0);
}

/* A rank that gives up tells it once, and nothing later. */
static void who_gives_up_falls_silent(void **state)
{
  (void)state;
  ear listener = {.mutex = PTHREAD_MUTEX_INITIALIZER};
  ls_activity activity = {.epoch = 1, .step = 1};
  const ls_watchdog_options options = {.activity = &activity,
                                       .size = 2,

                                       .warn_s = 0.1,
                                       .abort_s = 0.2,
                                       .user = &listener,
                                       .tell = hear,
                                       .give_up = give_up};
  ls_watchdog *watchdog;
  ls_activity_wait(&activity, "summing over the ranks");
  assert_int_equal(ls_watchdog_start(&watchdog, &options), LS_OK);
  assert_int_equal(ls_watchdog_settle(watchdog, folder), LS_OK);
  expect(&listener, "longer than train.stall_abort, 0.2 s: ending the job");
  ls_activity_work(&activity);
  usleep(300000);
  ls_watchdog_stop(watchdog);
  assert_int_equal(listener.given_up, 1);
  assert_false(has_heard(&listener, "goes on"));
  ls_watchdog_clear(folder);
}

/* What the end of the job does to the others is no news. */
static void nothing_goes_on_once_another_has_given_up(void **state)
{
  (void)state;
  ear listener = {.mutex = PTHREAD_MUTEX_INITIALIZER};
  ls_activity activity = {.epoch = 1, .step = 1};
  const ls_watchdog_options options = {
      .activity = &activity, .size = 3, .warn_s = 0.1, .user = &listener, .tell = hear};
  ls_watchdog *watchdog;
  ls_activity_wait(&activity, "summing over the ranks");
  assert_int_equal(ls_watchdog_start(&watchdog, &options), LS_OK);
  assert_int_equal(ls_watchdog_settle(watchdog, folder), LS_OK);
  expect(&listener, "rank 0 is waiting");
  put("stalled.2", "has given up");
  ls_activity_work(&activity);
  for (int i = 0; i < 200 && exists(path_of("stalled.0")); i++) usleep(10000);
  ls_watchdog_stop(watchdog);
  assert_false(has_heard(&listener, "goes on"));
  ls_watchdog_clear(folder);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(notes_of_an_ended_job_are_removed),
      cmocka_unit_test(a_rank_without_a_note_is_missing_and_an_empty_one_says_nothing),
      cmocka_unit_test(the_missing_rank_is_named_with_the_warning),
      cmocka_unit_test(without_a_folder_each_rank_tells_of_itself),
      cmocka_unit_test(the_time_while_stopped_is_no_waiting),
      cmocka_unit_test(who_gives_up_falls_silent),
      cmocka_unit_test(nothing_goes_on_once_another_has_given_up),
  };
  return cmocka_run_group_tests_name("watchdog", tests, make_folder, remove_folder);
}
