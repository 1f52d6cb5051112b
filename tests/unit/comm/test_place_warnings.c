/* SPDX-License-Identifier: BSD-3-Clause */
/* What is told of bad places, with the remedy; and that good ones are left in peace. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "comm/place.h"

static ls_text lines;

static const char *warnings_of(const ls_place *places, size_t count)
{
  ls_text_fini(&lines);
  ls_place_warnings(places, count, &lines);
  return ls_text_get(&lines);
}

static size_t line_count(const char *text)
{
  size_t count = 0;
  for (; *text; text++) count += *text == '\n';
  return count;
}

/* A rank alone on the four cores of a host, one thread each. */
static ls_place good_place(void)
{
  return (ls_place){.host = "vm",
                    .cores = "0-3",
                    .core_count = 4,
                    .host_cores = 4,
                    .host_ranks = 1,
                    .sharing = 1,
                    .threads = 4,
                    .crowd_threads = 4};
}

static int set_up(void **state)
{
  (void)state;
  return unsetenv("SLURM_NTASKS");
}

static int tear_down(void **state)
{
  (void)state;
  ls_text_fini(&lines);
  return unsetenv("SLURM_NTASKS");
}

static void good_places_give_no_warning(void **state)
{
  (void)state;
  ls_place alone = good_place();
  assert_string_equal(warnings_of(&alone, 1), "");
  alone.is_pinned = true;
  assert_string_equal(warnings_of(&alone, 1), "");
  ls_place pair[2] = {good_place(), good_place()}; /* unbound, and a core for each thread */
  for (size_t i = 0; i < 2; i++) {
    pair[i].host_ranks = pair[i].sharing = pair[i].threads = 2;
    pair[i].crowd_threads = 4;
  }
  assert_string_equal(warnings_of(pair, 2), "");
}

/* mpirun's default: one rank, two threads, bound to one core of two. */
static void too_many_threads_are_told(void **state)
{
  (void)state;
  ls_place place = good_place();
  strcpy(place.cores, "0");
  place.core_count = 1;
  place.host_cores = place.threads = place.crowd_threads = 2;
  assert_string_equal(
      warnings_of(&place, 1),
      "more threads than cores (1 of 1 rank, first rank 0 on vm): 2 threads on 1 bound core (0); try: "
      "mpirun --map-by slot:PE=2 or --bind-to none, srun --cpus-per-task=2, or OMP_NUM_THREADS=1\n");
}

static void more_cores_than_the_host_has_are_no_remedy(void **state)
{
  (void)state;
  ls_place place = good_place();
  place.threads = place.crowd_threads = 16;
  const char *text = warnings_of(&place, 1);
  assert_non_null(strstr(text, "16 threads on 4 bound cores (0-3); try: OMP_NUM_THREADS=4\n"));
  assert_null(strstr(text, "mpirun"));
}

static void ranks_that_crowd_a_core_are_told(void **state)
{
  (void)state;
  ls_place places[2] = {good_place(), good_place()};
  for (size_t i = 0; i < 2; i++) {
    strcpy(places[i].cores, "1");
    places[i].core_count = places[i].threads = 1;
    places[i].host_ranks = places[i].sharing = places[i].crowd_threads = 2;
  }
  assert_string_equal(
      warnings_of(places, 2),
      "several ranks share a core (2 of 2 ranks, first rank 0 on vm): 2 ranks share 1 core (1), which 2 "
      "threads have to live on; try: mpirun --map-by slot:PE=1 --bind-to core, or srun "
      "--cpus-per-task=1\n");
}

static void a_full_host_asks_for_fewer_ranks(void **state)
{
  (void)state;
  ls_place places[8];
  for (size_t i = 0; i < 8; i++) {
    places[i] = good_place();
    places[i].threads = 1;
    places[i].host_ranks = places[i].sharing = places[i].crowd_threads = 8;
  }
  const char *text = warnings_of(places, 8);
  assert_int_equal(line_count(text), 1);
  assert_non_null(strstr(text, "8 ranks share 4 cores (0-3), which 8 threads have to live on"));
  assert_non_null(strstr(text, "fewer ranks or threads, the host has 4 cores"));
}

static void pinning_on_shared_cores_is_told(void **state)
{
  (void)state;
  ls_place places[2] = {good_place(), good_place()};
  for (size_t i = 0; i < 2; i++) {
    places[i].threads = places[i].host_ranks = places[i].sharing = 2;
    places[i].is_pinned = true;
  }
  const char *text = warnings_of(places, 2);
  assert_int_equal(line_count(text), 1);
  assert_non_null(strstr(text, "unset OMP_PROC_BIND and OMP_PLACES, or mpirun --map-by slot:PE=2"));
}

static void many_ranks_with_one_trouble_take_one_line(void **state)
{
  (void)state;
  enum { RANKS = 100 };
  ls_place places[RANKS];
  for (size_t i = 0; i < RANKS; i++) {
    places[i] = good_place();
    if (i >= 30) places[i].threads = 5;
  }
  const char *text = warnings_of(places, RANKS);
  assert_int_equal(line_count(text), 1);
  assert_non_null(strstr(text, "(70 of 100 ranks, first rank 30 on vm): 5 threads"));
}

static void slurm_tasks_without_mpi_are_told(void **state)
{
  (void)state;
  const ls_place places[2] = {good_place(), good_place()};
  setenv("SLURM_NTASKS", "8", 1);
  const char *text = warnings_of(places, 1);
  assert_non_null(strstr(text, "8 tasks"));
  assert_non_null(strstr(text, "srun --mpi=pmix"));
  assert_non_null(strstr(text, "mpirun"));
  assert_string_equal(warnings_of(places, 2), "");
  setenv("SLURM_NTASKS", "1", 1);
  assert_string_equal(warnings_of(places, 1), "");
  setenv("SLURM_NTASKS", "junk", 1);
  assert_string_equal(warnings_of(places, 1), "");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(good_places_give_no_warning, set_up, tear_down),
      cmocka_unit_test_setup_teardown(too_many_threads_are_told, set_up, tear_down),
      cmocka_unit_test_setup_teardown(more_cores_than_the_host_has_are_no_remedy, set_up, tear_down),
      cmocka_unit_test_setup_teardown(ranks_that_crowd_a_core_are_told, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_full_host_asks_for_fewer_ranks, set_up, tear_down),
      cmocka_unit_test_setup_teardown(pinning_on_shared_cores_is_told, set_up, tear_down),
      cmocka_unit_test_setup_teardown(many_ranks_with_one_trouble_take_one_line, set_up, tear_down),
      cmocka_unit_test_setup_teardown(slurm_tasks_without_mpi_are_told, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
