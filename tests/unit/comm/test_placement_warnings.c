/* SPDX-License-Identifier: BSD-3-Clause */
/* Warnings on bad placements, with the remedy; good ones give none. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "comm/placement/placement.h"

static ls_text lines;

static const char *warnings_of(const ls_placement *placements, size_t count)
{
  ls_text_fini(&lines);
  ls_placement_warnings(placements, count, &lines);
  return ls_text_get(&lines);
}

static size_t line_count(const char *text)
{
  size_t count = 0;
  for (; *text; text++) count += *text == '\n';
  return count;
}

/* A rank alone on the four cores of a host, one thread each. */
static ls_placement good_placement(void)
{
  return (ls_placement){.host = "vm",
                        .cores = "0-3",
                        .core_count = 4,
                        .host_cores = 4,
                        .host_ranks = 1,
                        .sharing = 1,
                        .threads = 4,
                        .crowd_threads = 4};
}

/* A launcher's environment is no part of what is tested. */
static int set_up(void **state)
{
  static const char *const variables[] = {"SLURM_NTASKS", "SLURM_STEP_ID", "SLURM_JOB_NUM_NODES",
                                          "SLURM_STEP_NUM_NODES"};
  (void)state;
  for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
    if (unsetenv(variables[i]) != 0) return 1;
  return 0;
}

static int tear_down(void **state)
{
  ls_text_fini(&lines);
  return set_up(state);
}

static void good_places_give_no_warning(void **state)
{
  (void)state;
  ls_placement alone = good_placement();
  assert_string_equal(warnings_of(&alone, 1), "");
  alone.is_pinned = true;
  assert_string_equal(warnings_of(&alone, 1), "");
  ls_placement pair[2] = {good_placement(), good_placement()}; /* unbound, and a core for each thread */
  for (size_t i = 0; i < 2; i++) {
    pair[i].host_ranks = pair[i].sharing = pair[i].threads = 2;
    pair[i].crowd_threads = 4;
  }
  assert_string_equal(warnings_of(pair, 2), "");
}

/* mpirun's default: one rank, two threads, bound to one core of two. */
static void too_many_threads_are_reported(void **state)
{
  (void)state;
  ls_placement placement = good_placement();
  strcpy(placement.cores, "0");
  placement.core_count = 1;
  placement.host_cores = placement.threads = placement.crowd_threads = 2;
  assert_string_equal(
      warnings_of(&placement, 1),
      "more threads than cores (1 of 1 rank, first rank 0 on vm): 2 threads on 1 bound core (0); try: "
      "mpirun --map-by slot:PE=2 --bind-to core, or srun --cpus-per-task=2, or OMP_NUM_THREADS=1\n");
  placement.launcher = LS_LAUNCHER_SLURM;
  placement.siblings = 2;
  placement.threads = placement.host_cores = 16;
  assert_non_null(strstr(warnings_of(&placement, 1),
                         "try: srun --cpus-per-task=16 or export SRUN_CPUS_PER_TASK=16"
                         ", or OMP_NUM_THREADS=1\n"));
}

static void more_cores_than_the_host_has_are_no_remedy(void **state)
{
  (void)state;
  ls_placement placement = good_placement();
  placement.threads = placement.crowd_threads = 16;
  const char *text = warnings_of(&placement, 1);
  assert_non_null(strstr(text, "16 threads on 4 bound cores (0-3); try: OMP_NUM_THREADS=4\n"));
  assert_null(strstr(text, "mpirun"));
}

static void ranks_that_crowd_a_core_are_reported(void **state)
{
  (void)state;
  ls_placement placements[2] = {good_placement(), good_placement()};
  for (size_t i = 0; i < 2; i++) {
    strcpy(placements[i].cores, "1");
    placements[i].core_count = placements[i].threads = 1;
    placements[i].host_ranks = placements[i].sharing = placements[i].crowd_threads = 2;
  }
  assert_string_equal(
      warnings_of(placements, 2),
      "several ranks share a core (2 of 2 ranks, first rank 0 on vm): 2 ranks share 1 core (1), which 2 "
      "threads have to live on; try: mpirun --map-by slot:PE=1 --bind-to core, or srun "
      "--cpus-per-task=1\n");
}

static void a_full_host_asks_for_fewer_ranks(void **state)
{
  (void)state;
  ls_placement placements[8];
  for (size_t i = 0; i < 8; i++) {
    placements[i] = good_placement();
    placements[i].threads = 1;
    placements[i].host_ranks = placements[i].sharing = placements[i].crowd_threads = 8;
  }
  const char *text = warnings_of(placements, 8);
  assert_int_equal(line_count(text), 1);
  assert_non_null(strstr(text, "8 ranks share 4 cores (0-3), which 8 threads have to live on"));
  assert_non_null(strstr(text, "fewer ranks or threads, the host has 4 cores"));
}

static void pinning_on_shared_cores_is_reported(void **state)
{
  (void)state;
  ls_placement placements[2] = {good_placement(), good_placement()};
  for (size_t i = 0; i < 2; i++) {
    placements[i].threads = placements[i].host_ranks = placements[i].sharing = 2;
    placements[i].is_pinned = true;
  }
  const char *text = warnings_of(placements, 2);
  assert_int_equal(line_count(text), 1);
  assert_non_null(strstr(text, "try: unset OMP_PROC_BIND, or mpirun --map-by slot:PE=2"));
  for (size_t i = 0; i < 2; i++) {
    placements[i].launcher = LS_LAUNCHER_SLURM;
    placements[i].siblings = 2;
    strcpy(placements[i].omp_binding, "OMP_PLACES=cores");
  }
  assert_non_null(strstr(warnings_of(placements, 2), "try: unset OMP_PLACES, or srun --cpus-per-task=2 or"));
  for (size_t i = 0; i < 2; i++) placements[i].launcher = LS_LAUNCHER_OPENMPI;
  assert_non_null(strstr(warnings_of(placements, 2), "or mpirun --map-by slot:PE=1 --bind-to core\n"));
}

static void many_ranks_with_one_trouble_take_one_line(void **state)
{
  (void)state;
  enum { RANKS = 100 };
  ls_placement placements[RANKS];
  for (size_t i = 0; i < RANKS; i++) {
    placements[i] = good_placement();
    if (i >= 30) placements[i].threads = 5;
  }
  const char *text = warnings_of(placements, RANKS);
  assert_int_equal(line_count(text), 1);
  assert_non_null(strstr(text, "(70 of 100 ranks, first rank 30 on vm): 5 threads"));
}

static void slurm_tasks_without_mpi_are_reported(void **state)
{
  (void)state;
  const ls_placement placements[2] = {good_placement(), good_placement()};
  setenv("SLURM_NTASKS", "8", 1);
  const char *text = warnings_of(placements, 1);
  assert_non_null(strstr(text, "8 tasks"));
  assert_non_null(strstr(text, "srun --mpi=pmix"));
  assert_non_null(strstr(text, "mpirun"));
  assert_string_equal(warnings_of(placements, 2), "");
  setenv("SLURM_NTASKS", "1", 1);
  assert_string_equal(warnings_of(placements, 1), "");
  setenv("SLURM_NTASKS", "junk", 1);
  assert_string_equal(warnings_of(placements, 1), "");
}

static void a_step_on_a_part_of_the_nodes_is_fine(void **state)
{
  (void)state;
  const ls_placement placement = good_placement();
  setenv("SLURM_JOB_NUM_NODES", "2", 1);
  assert_non_null(strstr(warnings_of(&placement, 1), "Slurm has 2 nodes for this job (SLURM_JOB_NUM_NODES)"));
  setenv("SLURM_STEP_NUM_NODES", "1", 1);
  assert_string_equal(warnings_of(&placement, 1), "");
  setenv("SLURM_STEP_NUM_NODES", "2", 1);
  assert_non_null(strstr(warnings_of(&placement, 1), "(SLURM_STEP_NUM_NODES)"));
}

/* A rank on one core of a host with 64, without a given number of threads. */
static ls_placement lonely_placement(ls_launcher launcher)
{
  return (ls_placement){.host = "vm",
                        .cores = "0",
                        .core_count = 1,
                        .host_cores = 128,
                        .host_ranks = 1,
                        .sharing = 1,
                        .threads = 1,
                        .crowd_threads = 1,
                        .launcher = launcher,
                        .offered_cores = 64,
                        .used_cores = 1,
                        .siblings = 2};
}

static void idle_cores_are_told_with_the_launchers_remedy(void **state)
{
  (void)state;
  static const struct {
    ls_launcher launcher;
    const char *remedy;
  } cases[] = {
      {LS_LAUNCHER_OPENMPI, "try: mpirun --map-by slot:PE=64 --bind-to core; or OMP_NUM_THREADS=1, if"},
      {LS_LAUNCHER_PRRTE, "try: mpirun --map-by slot:PE=64 --bind-to core; or OMP_NUM_THREADS=1, if"},
      {LS_LAUNCHER_SLURM, "try: srun --cpus-per-task=128 or export SRUN_CPUS_PER_TASK=128; or"},
      {LS_LAUNCHER_HYDRA, "try: mpiexec -bind-to core:64; or"},
      {LS_LAUNCHER_INTEL, "try: mpirun -genv I_MPI_PIN_DOMAIN=128; or"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const ls_placement placement = lonely_placement(cases[i].launcher);
    const char *text = warnings_of(&placement, 1);
    assert_int_equal(line_count(text), 1);
    assert_non_null(strstr(text, "1 thread on 1 bound core (0), where 64 cores are there for the 1 rank of"));
    if (!strstr(text, cases[i].remedy)) fail_msg("'%s' is not in: %s", cases[i].remedy, text);
  }
}

static void cores_that_are_meant_to_idle_are_left_alone(void **state)
{
  (void)state;
  ls_placement placement = lonely_placement(LS_LAUNCHER_OPENMPI);
  placement.is_asked = true; /* OMP_NUM_THREADS=1 */
  assert_string_equal(warnings_of(&placement, 1), "");
  placement = lonely_placement(LS_LAUNCHER_NONE);
  placement.offered_cores = 0; /* taskset: more cores are not known */
  assert_string_equal(warnings_of(&placement, 1), "");
  placement = lonely_placement(LS_LAUNCHER_SLURM);
  placement.offered_cores = 1; /* an allocation of one core */
  assert_string_equal(warnings_of(&placement, 1), "");
  placement = lonely_placement(LS_LAUNCHER_OPENMPI);
  placement.host_ranks = placement.used_cores = 60; /* 4 cores left, not one for each rank */
  assert_string_equal(warnings_of(&placement, 1), "");
  placement.host_ranks = placement.used_cores = 32;
  assert_non_null(strstr(warnings_of(&placement, 1), "64 cores are there for the 32 ranks of this host; try: "
                                                     "mpirun --map-by slot:PE=2 --bind-to core"));
}

static void openmps_places_are_named_where_they_leave_a_part(void **state)
{
  (void)state;
  ls_placement placement = lonely_placement(LS_LAUNCHER_NONE);
  placement.is_pinned = true;
  strcpy(placement.omp_binding, "OMP_PLACES={0}");
  assert_non_null(strstr(warnings_of(&placement, 1),
                         "1 bound core (0) by OMP_PLACES={0}, where 64 cores are there "
                         "for the 1 rank of this host; try: unset OMP_PLACES; or"));
  placement.is_asked = true;
  assert_string_equal(warnings_of(&placement, 1), "");
  placement.threads = placement.crowd_threads = 2;
  const char *text = warnings_of(&placement, 1);
  assert_non_null(strstr(text, "2 threads on 1 bound core (0) by OMP_PLACES={0}; try: unset OMP_PLACES, or "
                               "OMP_NUM_THREADS=1\n"));
  assert_null(strstr(text, "mpirun"));
  placement.threads = 1;
  placement.sharing = placement.host_ranks = 2;
  assert_non_null(
      strstr(warnings_of(&placement, 1), "which 2 threads have to live on; try: unset OMP_PLACES\n"));
}

static void threads_beyond_a_quota_are_reported(void **state)
{
  (void)state;
  ls_placement placement = good_placement();
  placement.quota = 4.0;
  placement.quota_threads = 4;
  placement.quota_ranks = 1;
  assert_string_equal(warnings_of(&placement, 1), "");
  placement.quota = 2.5;
  assert_non_null(
      strstr(warnings_of(&placement, 1), "4 threads of this host's ranks under a CPU quota of 2.5 CPUs"));
  assert_non_null(strstr(warnings_of(&placement, 1), "try: OMP_NUM_THREADS=2, or a larger quota"));
  placement.quota = 8.0; /* of two ranks of three */
  placement.quota_threads = 16;
  placement.quota_ranks = 2;
  placement.host_ranks = 3;
  assert_non_null(strstr(warnings_of(&placement, 1), "try: OMP_NUM_THREADS=4, or at most 8 ranks, or"));
}

static void threads_that_openmp_does_not_give_are_reported(void **state)
{
  (void)state;
  ls_placement placement = good_placement();
  strcpy(placement.shortage, "OpenMP gives this rank 1 of 4 threads: ...");
  assert_string_equal(warnings_of(&placement, 1),
                      "fewer threads than asked for (1 of 1 rank, first rank 0 on vm): "
                      "OpenMP gives this rank 1 of 4 threads: ...\n");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(good_places_give_no_warning, set_up, tear_down),
      cmocka_unit_test_setup_teardown(too_many_threads_are_reported, set_up, tear_down),
      cmocka_unit_test_setup_teardown(more_cores_than_the_host_has_are_no_remedy, set_up, tear_down),
      cmocka_unit_test_setup_teardown(ranks_that_crowd_a_core_are_reported, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_full_host_asks_for_fewer_ranks, set_up, tear_down),
      cmocka_unit_test_setup_teardown(pinning_on_shared_cores_is_reported, set_up, tear_down),
      cmocka_unit_test_setup_teardown(many_ranks_with_one_trouble_take_one_line, set_up, tear_down),
      cmocka_unit_test_setup_teardown(slurm_tasks_without_mpi_are_reported, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_step_on_a_part_of_the_nodes_is_fine, set_up, tear_down),
      cmocka_unit_test_setup_teardown(idle_cores_are_told_with_the_launchers_remedy, set_up, tear_down),
      cmocka_unit_test_setup_teardown(cores_that_are_meant_to_idle_are_left_alone, set_up, tear_down),
      cmocka_unit_test_setup_teardown(openmps_places_are_named_where_they_leave_a_part, set_up, tear_down),
      cmocka_unit_test_setup_teardown(threads_beyond_a_quota_are_reported, set_up, tear_down),
      cmocka_unit_test_setup_teardown(threads_that_openmp_does_not_give_are_reported, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
