/* SPDX-License-Identifier: BSD-3-Clause */
/* Sums over nodes that go on while others compute; here every rank is a node. */
#include "comm/iallreduce.h"

#include "base/bfloat16.h"
#include "parallel/mpi_main.h"

enum { COUNT = 100003, SUMS = 3 }; /* several blocks of every kind, the last one short */

typedef struct fixture {
  ls_node *node;
  ls_iallreduce *sum;
  void *values;
  size_t rank, ranks;
} fixture;

static fixture setup(ls_comm *comm, ls_wire wire, size_t value_bytes)
{
  fixture f = {.rank = (size_t)ls_comm_rank(comm), .ranks = (size_t)ls_comm_size(comm)};
  const ls_node_options options = {.max_ranks = 1, .bytes = 64, .common_bytes = 64};
  f.values = calloc(COUNT, value_bytes);
  assert_non_null(f.values);
  assert_ok(ls_node_new(&f.node, comm, &options));
  assert_ok(ls_iallreduce_new(&f.sum, f.node, wire, f.values, COUNT));
  return f;
}

static void teardown(fixture *f)
{
  ls_iallreduce_free(f->sum);
  ls_node_free(f->node);
  free(f->values);
}

/* In strides that have nothing to do with the blocks, and differ from rank to rank. */
static void run_sum(fixture *f)
{
  const size_t stride = 7001 + 1000 * f->rank;
  assert_ok(ls_iallreduce_begin(f->sum));
  for (size_t first = COUNT; first > 0;) {
    first = first > stride ? first - stride : 0;
    assert_ok(ls_iallreduce_start(f->sum, first));
    assert_ok(ls_iallreduce_progress(f->sum));
  }
  assert_ok(ls_iallreduce_end(f->sum));
}

static uint64_t integer_of(size_t rank, size_t turn, size_t i)
{
  return (i + 1) * 0x9e3779b97f4a7c15 * (rank + 3 * turn + 1); /* overflows, as two's complement may */
}

static void integers_add_up(void **state)
{
  ls_comm *comm = *state;
  fixture f = setup(comm, LS_WIRE_U64, sizeof(uint64_t));
  uint64_t *values = f.values;
  bool right = true;
  for (size_t turn = 0; turn < SUMS; turn++) {
    for (size_t i = 0; i < COUNT; i++) values[i] = integer_of(f.rank, turn, i);
    run_sum(&f);
    for (size_t i = 0; i < COUNT; i++) {
      uint64_t expected = 0;
      for (size_t r = 0; r < f.ranks; r++) expected += integer_of(r, turn, i);
      right = right && values[i] == expected;
    }
  }
  assert_all(comm, right);
  teardown(&f);
}

static float float_of(size_t rank, size_t i)
{
  return (float)((i * 2654435761U + rank * 40503U) % 20011) / 997.0F - 10.0F;
}

/* In the order of the nodes, so that each has the same bits. */
static void floats_add_up_in_order(void **state)
{
  ls_comm *comm = *state;
  fixture f = setup(comm, LS_WIRE_F32, sizeof(float));
  float *values = f.values;
  bool right = true;
  for (size_t i = 0; i < COUNT; i++) values[i] = float_of(f.rank, i);
  run_sum(&f);
  for (size_t i = 0; i < COUNT; i++) {
    float expected = float_of(0, i);
    for (size_t r = 1; r < f.ranks; r++) expected += float_of(r, i);
    right = right && values[i] == expected;
  }
  assert_all(comm, right);
  teardown(&f);
}

static float rounded(float value)
{
  uint16_t half;
  ls_bfloat16_from_float(&value, 1, &half);
  ls_bfloat16_to_float(&half, 1, &value);
  return value;
}

/* Each rank's value is rounded once, and their sum once. */
static void bfloat16_rounds_twice(void **state)
{
  ls_comm *comm = *state;
  fixture f = setup(comm, LS_WIRE_BF16, sizeof(float));
  float *values = f.values;
  bool right = true;
  for (size_t i = 0; i < COUNT; i++) values[i] = float_of(f.rank, i);
  run_sum(&f);
  for (size_t i = 0; i < COUNT; i++) {
    float expected = rounded(float_of(0, i));
    for (size_t r = 1; r < f.ranks; r++) expected += rounded(float_of(r, i));
    right = right && values[i] == rounded(expected);
  }
  assert_all(comm, right);
  teardown(&f);
}

static int run(ls_comm *comm)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_prestate(integers_add_up, comm),
      cmocka_unit_test_prestate(floats_add_up_in_order, comm),
      cmocka_unit_test_prestate(bfloat16_rounds_twice, comm),
  };
  return cmocka_run_group_tests_name("iallreduce", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
  return mpi_main(argc, argv, run);
}
