/* SPDX-License-Identifier: BSD-3-Clause */
/* Launchers by the environment that they leave, the processes that do not know of each other, and the cores
 * that a launcher has, from folders like those of /proc. */
#include "comm/placement/launcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmocka_all.h"

/* Every test sets variables in a process that has none, and takes them away. */
static int clear(void **state)
{
  (void)state;
  return clearenv();
}

/* "A=1 B=2" */
static void set(const char *variables)
{
  char text[512];
  assert_int_equal(clearenv(), 0);
  snprintf(text, sizeof text, "%s", variables);
  for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
    char *value = strchr(word, '=');
    *value++ = '\0';
    assert_int_equal(setenv(word, value, 1), 0);
  }
}

static void launchers_are_known_by_their_marks(void **state)
{
  (void)state;
  static const struct {
    const char *variables;
    ls_launcher launcher;
    size_t processes;
  } cases[] = {
      {"HOME=/root OMP_NUM_THREADS=2", LS_LAUNCHER_NONE, 0},
      {"OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_RANK=1", LS_LAUNCHER_OPENMPI, 4},
      {"OMPI_COMM_WORLD_SIZE=4 PRTE_LAUNCHED=1", LS_LAUNCHER_PRRTE, 4},
      {"OMPI_COMM_WORLD_SIZE=4 SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=2 SLURM_NTASKS=4", LS_LAUNCHER_OPENMPI,
       4},
      {"HYDI_CONTROL_FD=7 MPI_LOCALNRANKS=2 PMI_SIZE=8 PMI_RANK=0", LS_LAUNCHER_HYDRA, 8},
      {"MPI_LOCALNRANKS=2", LS_LAUNCHER_HYDRA, 2},
      {"HYDI_CONTROL_FD=7 PMI_SIZE=8 I_MPI_HYDRA_UUID=1 I_MPI_ROOT=/opt", LS_LAUNCHER_INTEL, 8},
      {"I_MPI_ROOT=/opt", LS_LAUNCHER_NONE, 0}, /* a module is loaded, nothing more */
      {"SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=2 SLURM_NTASKS=8", LS_LAUNCHER_SLURM, 2},
      {"SLURM_STEP_ID=0 PMI_SIZE=2 SLURM_NTASKS=2", LS_LAUNCHER_SLURM, 2}, /* --mpi=pmi2 */
      {"SLURM_JOB_ID=17 SLURM_NTASKS=8", LS_LAUNCHER_NONE, 0},             /* a batch script */
      {"PMI_SIZE=2 PMI_RANK=1", LS_LAUNCHER_PMI, 2},
      {"PMI_SIZE=junk", LS_LAUNCHER_PMI, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    set(cases[i].variables);
    const ls_launch launch = ls_launcher_find();
    if (launch.launcher != cases[i].launcher || launch.processes != cases[i].processes)
      fail_msg("%s: %s, %zu processes", cases[i].variables, ls_launcher_name(launch.launcher),
               launch.processes);
  }
}

/* Hydra opens a socket for each of its processes; what such a process starts usually has none. */
static void a_launcher_of_another_program_is_none(void **state)
{
  (void)state;
  char variables[96];
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  snprintf(variables, sizeof variables, "MPI_LOCALNRANKS=2 PMI_SIZE=2 PMI_FD=%d", ends[0]);
  set(variables);
  assert_int_equal(ls_launcher_find().launcher, LS_LAUNCHER_HYDRA);
  close(ends[0]);
  close(ends[1]);
  assert_int_equal(ls_launcher_find().launcher, LS_LAUNCHER_NONE);
}

static void processes_that_do_not_know_of_each_other_are_reported(void **state)
{
  (void)state;
  ls_text text = {0};
  set("HYDI_CONTROL_FD=7 MPI_LOCALNRANKS=2 PMI_SIZE=8 PMI_RANK=3");
  ls_launch launch = ls_launcher_find();
  assert_false(launch.is_first);
  ls_launcher_warn_apart(&launch, 8, "Open MPI v4", &text);
  assert_int_equal(text.length, 0);
  ls_launcher_warn_apart(&launch, 1, "Open MPI v4", &text);
  assert_string_equal(
      ls_text_get(&text),
      "mpiexec (MPICH's Hydra) has started 8 processes (PMI_SIZE), but the MPI library of this "
      "program, Open MPI v4, knows of 1: each would do the whole work by itself; try: the mpirun "
      "of Open MPI v4; if each is to work by itself: env -u PMI_SIZE -u MPI_LOCALNRANKS lockstep "
      "...");
  ls_text_fini(&text);
  set("SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=2 SLURM_PROCID=0");
  launch = ls_launcher_find();
  assert_true(launch.is_first);
  ls_launcher_warn_apart(&launch, 1, "Open MPI v4", &text);
  assert_non_null(strstr(ls_text_get(&text), "srun has started 2 processes"));
  assert_non_null(strstr(ls_text_get(&text), "try: srun --mpi=pmix"));
  assert_non_null(strstr(ls_text_get(&text), "env -u SLURM_STEP_NUM_TASKS lockstep"));
  ls_text_fini(&text);
  set("SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=1 SLURM_NTASKS=1");
  launch = ls_launcher_find();
  ls_launcher_warn_apart(&launch, 1, "Open MPI v4", &text);
  assert_int_equal(text.length, 0);
  ls_text_fini(&text);
}

static void put_process(const char *proc, int pid, int parent, const char *name)
{
  char path[128];
  snprintf(path, sizeof path, "%s/%d", proc, pid);
  assert_int_equal(mkdir(path, 0777), 0);
  snprintf(path, sizeof path, "%s/%d/status", proc, pid);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fprintf(file, "Name:\t%s\nUmask:\t0022\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", name, pid, pid,
          parent);
  assert_int_equal(fclose(file), 0);
}

static void the_launcher_is_found_behind_scripts(void **state)
{
  (void)state;
  char proc[] = "/tmp/lockstep-launcher-XXXXXX", command[64];
  assert_non_null(mkdtemp(proc));
  put_process(proc, 1, 0, "init");
  put_process(proc, 10, 1, "bash");
  put_process(proc, 20, 10, "mpirun");
  put_process(proc, 30, 20, "timeout");
  put_process(proc, 40, 30, "lockstep");
  assert_int_equal(ls_launcher_process(LS_LAUNCHER_OPENMPI, proc, 40), 20);
  assert_int_equal(ls_launcher_process(LS_LAUNCHER_NONE, proc, 40), 30);
  assert_int_equal(ls_launcher_process(LS_LAUNCHER_OPENMPI, proc, 10), 0); /* there is none above */
  assert_int_equal(ls_launcher_process(LS_LAUNCHER_OPENMPI, proc, 50), 0); /* no such process */
  put_process(proc, 60, 60, "snake");
  assert_int_equal(ls_launcher_process(LS_LAUNCHER_OPENMPI, proc, 60), 0); /* it ends */
  snprintf(command, sizeof command, "/bin/rm -rf %s", proc);
  assert_int_equal(system(command), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(launchers_are_known_by_their_marks, clear, clear),
      cmocka_unit_test_setup_teardown(a_launcher_of_another_program_is_none, clear, clear),
      cmocka_unit_test_setup_teardown(processes_that_do_not_know_of_each_other_are_reported, clear, clear),
      cmocka_unit_test(the_launcher_is_found_behind_scripts),
  };
  return cmocka_run_group_tests_name("launcher", tests, NULL, NULL);
}
