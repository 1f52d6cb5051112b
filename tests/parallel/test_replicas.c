/* SPDX-License-Identifier: BSD-3-Clause */
/* The comparison of replicas names the rank that differs, on every rank. */
#include <stdio.h>
#include <string.h>

#include "parallel/mpi_main.h"
#include "train/replicas.h"

/* The digest of a rank that holds what the others hold, or not. */
static const char *digest(bool is_odd)
{
  return is_odd ? "00000000000000000000000000000bad" : "0123456789abcdef0123456789abcdef";
}

static void equal_replicas_pass(void **state)
{
  assert_ok(ls_check_replicas(*state, digest(false)));
}

static void the_odd_one_is_named(void **state)
{
  ls_comm *comm = *state;
  const int ranks = ls_comm_size(comm);
  if (ranks < 3) return;
  for (int odd = 0; odd < ranks; odd++) {
    char expected[96];
    snprintf(expected, sizeof expected, "on rank %d are no longer those of the other %d ranks", odd,
             ranks - 1);
    assert_int_equal(ls_check_replicas(comm, digest(ls_comm_rank(comm) == odd)), LS_E_NONFINITE);
    if (!strstr(ls_error_last()->text, expected)) fail_msg("%s", ls_error_last()->text);
    assert_int_equal(ls_error_last()->rank, -1); /* no other rank is blamed for reporting it */
  }
}

static void without_a_majority_nobody_is_blamed(void **state)
{
  ls_comm *comm = *state;
  const int ranks = ls_comm_size(comm);
  if (ranks % 2 != 0) return;
  assert_int_equal(ls_check_replicas(comm, digest(ls_comm_rank(comm) % 2 == 0)), LS_E_NONFINITE);
  assert_non_null(strstr(ls_error_last()->text, "no majority"));
  assert_int_equal(ls_error_last()->rank, -1);
}

static int run(ls_comm *comm)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_prestate(equal_replicas_pass, comm),
      cmocka_unit_test_prestate(the_odd_one_is_named, comm),
      cmocka_unit_test_prestate(without_a_majority_nobody_is_blamed, comm),
  };
  return cmocka_run_group_tests_name("replicas", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
  return mpi_main(argc, argv, run);
}
