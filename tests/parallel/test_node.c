/* SPDX-License-Identifier: BSD-3-Clause */
/* Ranks of a host share memory; where they cannot, each is a node of its own, and none hangs. */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "comm/node.h"
#include "parallel/mpi_main.h"

enum { WORDS = 1000 };

static uint64_t word_of(size_t rank, size_t i)
{
  return 1000003 * (rank + 1) + i;
}

static bool holds(const uint64_t *words, size_t rank)
{
  for (size_t i = 0; i < WORDS; i++)
    if (words[i] != word_of(rank, i)) return false;
  return true;
}

/* Every rank writes its segment, the first of a node the common one; every rank reads all of its node. */
static void check_sharing(ls_comm *comm, ls_node *node)
{
  const size_t rank = ls_node_rank(node);
  uint64_t *own = ls_node_segment(node, rank), *common = ls_node_common(node);
  bool right = own[0] == 0 && own[WORDS - 1] == 0 && (uintptr_t)own % 64 == 0;
  ls_node_barrier(node);
  for (size_t i = 0; i < WORDS; i++) own[i] = word_of(rank, i);
  if (rank == 0)
    for (size_t i = 0; i < WORDS; i++) common[i] = word_of(99, i);
  ls_node_barrier(node);
  for (size_t r = 0; r < ls_node_size(node); r++) right = right && holds(ls_node_segment(node, r), r);
  assert_all(comm, right && holds(common, 99));
  uint64_t sum = ls_node_size(node);
  assert_ok(ls_node_sum_u64(node, &sum, 1)); /* by the first ranks alone */
  assert_all(comm, rank > 0 || sum == (uint64_t)ls_comm_size(comm));
}

static void a_host_is_one_node(void **state)
{
  ls_comm *comm = *state;
  const size_t ranks = (size_t)ls_comm_size(comm);
  for (size_t most = 0; most <= 3; most++) {
    ls_node *node;
    const ls_node_options options = {
        .max_ranks = most, .bytes = WORDS * sizeof(uint64_t), .common_bytes = WORDS * sizeof(uint64_t)};
    assert_ok(ls_node_new(&node, comm, &options));
    assert_int_equal(ls_node_count(node), most == 0 ? 1 : (ranks + most - 1) / most);
    assert_null(ls_node_split_reason(node));
    check_sharing(comm, node);
    ls_node_free(node);
  }
}

/* In turn one rank comes so late that the others have gone to sleep: none misses it, and none runs ahead. */
static void a_late_rank_wakes_those_that_sleep(void **state)
{
  ls_comm *comm = *state;
  ls_node *node;
  const ls_node_options options = {.bytes = sizeof(uint64_t)};
  const struct timespec late = {.tv_nsec = 2000000};
  bool right = true;
  assert_ok(ls_node_new(&node, comm, &options));
  uint64_t *own = ls_node_segment(node, ls_node_rank(node));
  for (uint64_t round = 1; round <= 100; round++) {
    if (round % ls_node_size(node) == ls_node_rank(node)) nanosleep(&late, NULL);
    *own = round;
    ls_node_barrier(node);
    for (size_t r = 0; r < ls_node_size(node); r++)
      right = right && *(uint64_t *)ls_node_segment(node, r) == round;
    ls_node_barrier(node);
  }
  assert_all(comm, right);
  ls_node_free(node);
}

/* More than any machine has, on one rank. */
static void no_memory_is_an_error_everywhere(void **state)
{
  ls_comm *comm = *state;
  ls_node *node = NULL;
  const bool greedy = ls_comm_rank(comm) == ls_comm_size(comm) - 1;
  const ls_node_options options = {.bytes = greedy ? (size_t)1 << 50 : 8, .common_bytes = 8};
  assert_int_equal(ls_node_new(&node, comm, &options), LS_E_MEMORY);
  assert_null(node);
}

/* Own segments can be made, but those of others not opened: no descriptors are left. */
static void without_sharing_each_rank_is_a_node(void **state)
{
  ls_comm *comm = *state;
  ls_node *node;
  struct rlimit before = {0}, few;
  const ls_node_options options = {.bytes = WORDS * sizeof(uint64_t),
                                   .common_bytes = WORDS * sizeof(uint64_t)};
  if (ls_comm_size(comm) == 1) return;
  const int next = open("/dev/null", O_RDONLY);
  assert_true(next >= 0 && close(next) == 0 && getrlimit(RLIMIT_NOFILE, &before) == 0);
  few = before;
  few.rlim_cur = (rlim_t)next + 2; /* rank 0 makes two segments, and has to open the others' */
  if (ls_comm_rank(comm) == 0) assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
  const ls_status status = ls_node_new(&node, comm, &options);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
  assert_int_equal(status, LS_OK);
  assert_non_null(ls_node_split_reason(node));
  assert_non_null(strstr(ls_node_split_reason(node), "shared memory"));
  assert_int_equal(ls_node_count(node), ls_comm_size(comm));
  check_sharing(comm, node);
  ls_node_free(node);
}

static int run(ls_comm *comm)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_prestate(a_host_is_one_node, comm),
      cmocka_unit_test_prestate(a_late_rank_wakes_those_that_sleep, comm),
      cmocka_unit_test_prestate(no_memory_is_an_error_everywhere, comm),
      cmocka_unit_test_prestate(without_sharing_each_rank_is_a_node, comm),
  };
  return cmocka_run_group_tests_name("node", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
  return mpi_main(argc, argv, run);
}
