/* SPDX-License-Identifier: BSD-3-Clause */
/* An attempt in a child process: what it may do, and the report on it. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "h5/guard.h"

enum { MB = 1 << 20 };

static int here; /* what attempts leave in the memory of their process */

static void assert_guarded(ls_h5_attempt attempt, void *user, ls_status status, const char *says)
{
  assert_int_equal(ls_h5_guard("f.h5", 1000, attempt, user), status);
  if (status != LS_OK && !strstr(ls_error_last()->text, says))
    fail_msg("expected '%s' in: %s", says, ls_error_last()->text);
}

static ls_status succeed(void *user)
{
  here = *(int *)user;
  return LS_OK;
}

static void success_leaves_no_trace(void **state)
{
  (void)state;
  int value = 7;
  assert_guarded(succeed, &value, LS_OK, "");
  assert_int_equal(here, 0);
}

static ls_status refuse(void *user)
{
  return ls_fail(LS_E_INPUT, "%s is wrong", (const char *)user);
}

static ls_status fail_to_read(void *user)
{
  (void)user;
  return ls_fail(LS_E_IO, "Input/output error");
}

static void its_own_words_are_reported(void **state)
{
  (void)state;
  char what[] = "label 7";
  assert_guarded(refuse, what, LS_E_INPUT, "label 7 is wrong");
  assert_null(strstr(ls_error_last()->text, "f.h5"));
  assert_guarded(fail_to_read, NULL, LS_E_IO, "Input/output error");
}

static ls_status crash(void *user)
{
  (void)raise(*(int *)user);
  return LS_OK;
}

static void crashes_are_reported(void **state)
{
  (void)state;
  int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
    assert_guarded(crash, &signals[i], LS_E_INPUT, "'f.h5': damaged: the HDF5 library crashes on it");
  int killed = SIGKILL;
  assert_guarded(crash, &killed, LS_E_MEMORY, "was killed");
}

static ls_status go_on_for_ever(void *user)
{
  volatile int *go_on = user;
  while (*go_on) continue;
  return LS_OK;
}

static void endless_ones_are_ended(void **state)
{
  (void)state;
  int go_on = 1;
  assert_guarded(go_on_for_ever, &go_on, LS_E_INPUT,
                 "'f.h5': damaged: the HDF5 library does not come to an end");
}

static ls_status take_memory(void *user)
{
  size_t bytes = *(size_t *)user;
  void *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) return ls_fail(LS_E_MEMORY, "no memory for a test");
  memset(block, 1, bytes);
  return LS_OK;
}

static void memory_goes_by_the_size_of_the_file(void **state)
{
  (void)state;
  size_t little = 16 * (size_t)MB, much = 256 * (size_t)MB;
  assert_guarded(take_memory, &little, LS_OK, "");
  assert_guarded(take_memory, &much, LS_E_INPUT,
                 "more than the 64 MB of memory that are allowed for its size");
  assert_int_equal(ls_h5_guard("f.h5", 400 * (uint64_t)MB, take_memory, &much), LS_OK);
}

/* Ctrl-C goes to the child as well; what the program does then is its own matter. */
static void interrupts_are_no_crashes(void **state)
{
  (void)state;
  int signals[] = {SIGINT, SIGTERM, SIGUSR1, SIGHUP};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) assert_guarded(crash, &signals[i], LS_OK, "");
}

/* A program that uses the library may discard its children's exit statuses: an unknown end is no damage. */
static void nobody_needs_to_wait(void **state)
{
  (void)state;
  int value = 7, segment = SIGSEGV;
  signal(SIGCHLD, SIG_IGN);
  assert_guarded(succeed, &value, LS_OK, "");
  assert_guarded(crash, &segment, LS_E_IO, "'f.h5': the process that was to read it has ended, and this");
  signal(SIGCHLD, SIG_DFL);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(success_leaves_no_trace),
      cmocka_unit_test(its_own_words_are_reported),
      cmocka_unit_test(crashes_are_reported),
      cmocka_unit_test(endless_ones_are_ended),
      cmocka_unit_test(memory_goes_by_the_size_of_the_file),
      cmocka_unit_test(interrupts_are_no_crashes),
      cmocka_unit_test(nobody_needs_to_wait),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
