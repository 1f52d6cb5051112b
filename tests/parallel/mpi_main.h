/* SPDX-License-Identifier: BSD-3-Clause */
/* The main() of a cmocka program that runs on several ranks. A failed assertion leaves its test by a jump
 * while the other ranks wait in a collective, so on more than one rank it aborts the job instead. Rank 0
 * alone reports progress; the rank that has a failure reports it. */
#ifndef LS_TESTS_PARALLEL_MPI_MAIN_H
#define LS_TESTS_PARALLEL_MPI_MAIN_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmocka_all.h"
#include "comm/comm.h"

/** Does `mine` hold on every rank? Collective. */
static inline bool mpi_all(ls_comm *comm, bool mine)
{
  uint64_t failing = !mine;
  if (ls_comm_sum_u64(comm, &failing, 1) != LS_OK) return false;
  return failing == 0;
}

/** Fail on every rank unless `condition` holds on every rank. Collective. */
#define assert_all(comm, condition) assert_true(mpi_all((comm), (condition)))

/** Assert that a call succeeds, and print its error chain if it does not. */
#define assert_ok(call)                                                                                      \
  do {                                                                                                       \
    ls_status assert_ok_status_ = (call);                                                                    \
    if (assert_ok_status_ != LS_OK) fail_msg("%s: %s", #call, ls_error_last()->text);                        \
  } while (0)

/** Start MPI, run the tests, and return the exit status of the program. `run` gets the communicator to hand
 * to its tests as their state: cmocka_unit_test_prestate(test, comm). */
static inline int mpi_main(int argc, char **argv, int (*run)(ls_comm *comm))
{
  ls_comm *comm;
  if (ls_comm_start(&comm, &argc, &argv) != LS_OK) {
    fprintf(stderr, "%s\n", ls_error_last()->text);
    return 1;
  }
  if (ls_comm_size(comm) > 1) setenv("CMOCKA_TEST_ABORT", "1", 1);
  if (ls_comm_rank(comm) > 0 && !freopen("/dev/null", "w", stdout)) return 1;
  const int failed = run(comm);
  ls_comm_finish(comm);
  return failed;
}

#endif
