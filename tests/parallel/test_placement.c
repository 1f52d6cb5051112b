/* SPDX-License-Identifier: BSD-3-Clause */
/* Places on any number of ranks of this machine, which tests/mpirun.sh leaves unbound: the ranks bind
 * themselves here, as a launcher would, and see each other. */
#include "parallel/mpi_main.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "comm/placement/placement.h"

typedef struct fixture {
  ls_comm *comm;
  cpu_set_t allowed; /* at the start */
} fixture;

static int set_up(void **state)
{
  fixture *f = *state;
  unsetenv("OMP_NUM_THREADS");
  return sched_setaffinity(0, sizeof f->allowed, &f->allowed);
}

/* Bind this process to one core: the index-th that it was allowed at the start, round and round. */
static void bind_to_one(const fixture *f, size_t index)
{
  size_t wanted = index % (size_t)CPU_COUNT(&f->allowed);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (size_t core = 0; core < CPU_SETSIZE; core++)
    if (CPU_ISSET(core, &f->allowed) && wanted-- == 0) CPU_SET(core, &one);
  assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
}

static void unbound_ranks_divide_the_cores(void **state)
{
  const fixture *f = *state;
  const size_t ranks = (size_t)ls_comm_size(f->comm), cores = (size_t)CPU_COUNT(&f->allowed);
  ls_placement placement;
  assert_ok(ls_placement_find(f->comm, &placement));
  assert_int_equal(placement.core_count, cores);
  assert_int_equal(placement.host_ranks, ranks);
  assert_int_equal(placement.sharing, ranks);
  assert_int_equal(placement.threads, cores / ranks > 0 ? cores / ranks : 1);
  assert_int_equal(placement.crowd_threads, ranks * placement.threads);
  assert_true(placement.host_cores >= cores);
  char host[64] = "";
  gethostname(host, sizeof host - 1);
  assert_string_equal(placement.host, host);
}

static void bound_ranks_see_who_shares_their_core(void **state)
{
  const fixture *f = *state;
  const size_t ranks = (size_t)ls_comm_size(f->comm), rank = (size_t)ls_comm_rank(f->comm);
  const size_t cores = (size_t)CPU_COUNT(&f->allowed);
  bind_to_one(f, rank);
  size_t same = 0;
  for (size_t r = 0; r < ranks; r++) same += r % cores == rank % cores;
  ls_placement placement;
  assert_ok(ls_placement_find(f->comm, &placement));
  assert_int_equal(placement.core_count, 1);
  assert_int_equal(placement.sharing, same);
  assert_int_equal(placement.threads, 1);
  assert_int_equal(placement.crowd_threads, same);
  assert_int_equal(strspn(placement.cores, "0123456789"), strlen(placement.cores));
}

static void the_environment_chooses_the_threads(void **state)
{
  const fixture *f = *state;
  ls_placement placement;
  setenv("OMP_NUM_THREADS", ls_comm_rank(f->comm) == 0 ? "3" : "5,2", 1);
  assert_ok(ls_placement_find(f->comm, &placement));
  assert_int_equal(placement.threads, ls_comm_rank(f->comm) == 0 ? 3 : 5);
  assert_int_equal(placement.crowd_threads, 3 + 5 * (ls_comm_size(f->comm) - 1));
}

static void nonsense_in_the_environment_of_one_rank_is_refused_on_all(void **state)
{
  const fixture *f = *state;
  static const char *const bad[] = {"0",  "",    "-1", "two",   "2x",
                                    " 2", "3.0", ",2", "99999", "184467440737095516160000000000000000000"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    setenv("OMP_NUM_THREADS", ls_comm_rank(f->comm) == ls_comm_size(f->comm) - 1 ? bad[i] : "1", 1);
    ls_placement placement;
    assert_int_equal(ls_placement_find(f->comm, &placement), LS_E_INPUT);
    char named[96];
    snprintf(named, sizeof named, "OMP_NUM_THREADS is '%s'", bad[i]);
    assert_non_null(strstr(ls_error_last()->text, named));
  }
}

static void placements_are_gathered_on_rank_0(void **state)
{
  const fixture *f = *state;
  const size_t ranks = (size_t)ls_comm_size(f->comm);
  char threads[16];
  snprintf(threads, sizeof threads, "%d", ls_comm_rank(f->comm) + 1);
  setenv("OMP_NUM_THREADS", threads, 1);
  ls_placement mine, *all;
  assert_ok(ls_placement_find(f->comm, &mine));
  assert_ok(ls_placement_gather(f->comm, &mine, &all));
  if (ls_comm_rank(f->comm) > 0) {
    assert_null(all);
    return;
  }
  for (size_t r = 0; r < ranks; r++) assert_int_equal(all[r].threads, r + 1);
  assert_string_equal(all[ranks - 1].host, mine.host);
  free(all);
}

static int run(ls_comm *comm)
{
  fixture f = {.comm = comm};
  if (sched_getaffinity(0, sizeof f.allowed, &f.allowed) != 0) return 1;
  const struct CMUnitTest tests[] = {
      {"unbound ranks divide the cores", unbound_ranks_divide_the_cores, set_up, set_up, &f},
      {"bound ranks see who shares their core", bound_ranks_see_who_shares_their_core, set_up, set_up, &f},
      {"the environment chooses the threads", the_environment_chooses_the_threads, set_up, set_up, &f},
      {"nonsense in the environment is refused", nonsense_in_the_environment_of_one_rank_is_refused_on_all,
       set_up, set_up, &f},
      {"placements are gathered on rank 0", placements_are_gathered_on_rank_0, set_up, set_up, &f},
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
  return mpi_main(argc, argv, run);
}
