/* SPDX-License-Identifier: BSD-3-Clause */
/* Teams of threads: every part is run, on a thread of its own where OpenMP gives one, and a team that is too
 * small is reported with the cause. */
#include "comm/team.h"

#include <omp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"

enum { THREADS = 3 };

static atomic_int runs[THREADS], here;

/* Waits until all parts are being run. */
static void meet(void *user, size_t part)
{
  (void)user;
  atomic_fetch_add(&runs[part], 1);
  atomic_fetch_add(&here, 1);
  while (atomic_load(&here) < THREADS) continue;
}

static void count(void *user, size_t part)
{
  (void)user;
  atomic_fetch_add(&runs[part], 1);
}

static void check_runs(int expected)
{
  for (size_t i = 0; i < THREADS; i++) assert_int_equal(atomic_exchange(&runs[i], 0), expected);
}

static void parts_that_wait_for_each_other_meet(void **state)
{
  (void)state;
  omp_set_dynamic(1); /* the user's OMP_DYNAMIC is no reason for fewer */
  assert_int_equal(ls_team_check(THREADS), LS_OK);
  ls_team_run(THREADS, meet, NULL);
  assert_true(omp_get_dynamic());
  omp_set_dynamic(0);
  check_runs(1);
}

static void check_shortage(size_t threads, const char *expected)
{
  char text[LS_TEAM_SHORTAGE_CHARS];
  ls_team_shortage(threads, text, sizeof text);
  assert_string_equal(text, expected);
  assert_int_equal(ls_team_check(threads), *expected ? LS_E_INPUT : LS_OK);
  if (*expected) assert_string_equal(ls_error_last()->text, expected);
}

static void no_levels_are_reported(void **state)
{
  (void)state;
  const int levels = omp_get_max_active_levels();
  omp_set_max_active_levels(0);
  check_shortage(1, "");
  check_shortage(THREADS, "OpenMP gives this rank 1 of 3 threads: OMP_MAX_ACTIVE_LEVELS is 0; try: unset "
                          "OMP_MAX_ACTIVE_LEVELS, or ask for 1 (OMP_NUM_THREADS=1)");
  ls_team_run(THREADS, count, NULL); /* in turn */
  omp_set_max_active_levels(levels);
  check_runs(1);
  check_shortage(THREADS, "");
}

/* A program that uses the library in a parallel region of its own. */
static void a_region_of_the_caller_is_reported(void **state)
{
  (void)state;
  const int levels = omp_get_max_active_levels();
  omp_set_max_active_levels(1);
  char text[LS_TEAM_SHORTAGE_CHARS] = "";
  size_t given = 0;
#pragma omp parallel num_threads(2)
  {
    if (omp_get_thread_num() == 0) {
      given = (size_t)omp_get_num_threads();
      ls_team_shortage(THREADS, text, sizeof text);
      ls_team_run(THREADS, count, NULL);
    }
  }
  omp_set_max_active_levels(levels);
  check_runs(1);
  if (given < 2) skip(); /* OMP_THREAD_LIMIT=1 */
  assert_string_equal(text,
                      "OpenMP gives this rank 1 of 3 threads: the caller is in 1 parallel region, and "
                      "OMP_MAX_ACTIVE_LEVELS is 1; try: OMP_MAX_ACTIVE_LEVELS=2, or a call from outside of "
                      "them, or ask for 1 (OMP_NUM_THREADS=1)");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parts_that_wait_for_each_other_meet),
      cmocka_unit_test(no_levels_are_reported),
      cmocka_unit_test(a_region_of_the_caller_is_reported),
  };
  return cmocka_run_group_tests_name("team", tests, NULL, NULL);
}
