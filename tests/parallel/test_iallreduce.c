/* SPDX-License-Identifier: BSD-3-Clause */
/* Sums over nodes that go on while others compute; here every rank is a node. */
#include "comm/iallreduce.h"

#include "base/bfloat16.h"
#include "parallel/mpi_main.h"

enum { SUMS = 3 };

/* Fewer than ranks; one block of most kinds, just full and just not; several of every kind, the last one
 * short. */
static const size_t counts[] = {1, 3, 8192, 8193, 100003};
enum { COUNTS = sizeof counts / sizeof *counts };

typedef struct fixture {
  ls_node *node;
  ls_iallreduce *sum;
  void *values;
  size_t count, rank, ranks;
} fixture;

static fixture setup(ls_comm *comm, ls_wire wire, size_t count, size_t value_bytes)
{
  fixture f = {.count = count, .rank = (size_t)ls_comm_rank(comm), .ranks = (size_t)ls_comm_size(comm)};
  const ls_node_options options = {.max_ranks = 1, .bytes = 64, .common_bytes = 64};
  f.values = calloc(count, value_bytes);
  assert_non_null(f.values);
  assert_ok(ls_node_new(&f.node, comm, &options));
  assert_ok(ls_iallreduce_new(&f.sum, f.node, wire, f.values, count));
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
  for (size_t first = f->count; first > 0;) {
    first = first > stride ? first - stride : 0;
    assert_ok(ls_iallreduce_start(f->sum, first));
    assert_ok(ls_iallreduce_advance(f->sum));
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
  for (size_t c = 0; c < COUNTS; c++) {
    fixture f = setup(comm, LS_WIRE_U64, counts[c], sizeof(uint64_t));
    uint64_t *values = f.values;
    bool right = true;
    for (size_t turn = 0; turn < SUMS; turn++) {
      for (size_t i = 0; i < f.count; i++) values[i] = integer_of(f.rank, turn, i);
      run_sum(&f);
      for (size_t i = 0; i < f.count; i++) {
        uint64_t expected = 0;
        for (size_t r = 0; r < f.ranks; r++) expected += integer_of(r, turn, i);
        right = right && values[i] == expected;
      }
    }
    assert_all(comm, right);
    teardown(&f);
  }
}

static float float_of(size_t rank, size_t turn, size_t i)
{
  return (float)((i * 2654435761U + rank * 40503U + turn * 977U) % 20011) / 997.0F - 10.0F;
}

static float as_it_is(float value)
{
  return value;
}

static float rounded(float value)
{
  uint16_t half;
  ls_bfloat16_from_float(&value, 1, &half);
  ls_bfloat16_to_float(&half, 1, &value);
  return value;
}

/* In the order of the nodes, so that each has the same bits; `round` is what a value goes through on its way.
 */
static void check_floats(ls_comm *comm, ls_wire wire, size_t count, float (*round)(float value))
{
  fixture f = setup(comm, wire, count, sizeof(float));
  float *values = f.values;
  bool right = true;
  for (size_t turn = 0; turn < SUMS; turn++) {
    for (size_t i = 0; i < count; i++) values[i] = float_of(f.rank, turn, i);
    run_sum(&f);
    for (size_t i = 0; i < count; i++) {
      float expected = round(float_of(0, turn, i));
      for (size_t r = 1; r < f.ranks; r++) expected += round(float_of(r, turn, i));
      right = right && values[i] == round(expected);
    }
  }
  assert_all(comm, right);
  teardown(&f);
}

static void floats_add_up_in_order(void **state)
{
  for (size_t c = 0; c < COUNTS; c++) check_floats(*state, LS_WIRE_F32, counts[c], as_it_is);
}

static void bfloat16_rounds_twice(void **state)
{
  for (size_t c = 0; c < COUNTS; c++) check_floats(*state, LS_WIRE_BF16, counts[c], rounded);
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
