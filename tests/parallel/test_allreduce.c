/* SPDX-License-Identifier: BSD-3-Clause */
/* What a training step asks of MPI, call by call and byte by byte, and that no way of summing changes a bit.
 * Hosts are emulated by forbidding that more than so many ranks share memory. */
#include <string.h>

#include "base/size.h"
#include "preload/mpi_calls.h"
#include "step_bench.h"
#include "study/stepper.h"
#include "train/sums/sums.h"

enum { ROUNDS = 3, THREADS = 3 };

/* Of the summed vector: gradient and batch statistics. */
static uint64_t element_count(const step_bench *bench)
{
  const ls_model_counts *counts = ls_model_count(bench->model);
  return counts->grads + counts->buffers;
}

/* What this rank asks of MPI in a step. */
static mpi_calls take_step(const step_bench *bench, size_t index)
{
  const ls_step request = {
      .loader = bench->loader, .epoch_step = index, .lr = 0.01, .optimizer_step = index + 1};
  const mpi_calls before = mpi_calls_read();
  ls_step_result result;
  assert_ok(ls_engine_step(bench->engine, &request, &result));
  mpi_calls taken = mpi_calls_read();
  for (size_t i = 0; i < MPI_CALL_COUNT; i++) {
    taken.calls[i] -= before.calls[i];
    taken.bytes[i] -= before.bytes[i];
  }
  return taken;
}

/* What a step is to ask. Allreduces: of every rank, or of the first one of each host. */
typedef struct demand {
  uint64_t allreduces;
  double bytes; /* of all allreduces, for each element */
  uint64_t more_bytes;
  double sent; /* bytes of messages that all ranks send, for each element */
} demand;

static void check_steps(bench_options options, demand wanted)
{
  step_bench bench;
  ls_comm *comm = options.comm;
  bench_make(&bench, options);
  const uint64_t elements = element_count(&bench);
  const size_t rank = (size_t)ls_comm_rank(comm), ranks = (size_t)ls_comm_size(comm);
  const size_t most = options.node_ranks > 0 ? options.node_ranks : ranks, first = rank - rank % most;
  const bool leads = options.allreduce || rank == first;
  for (size_t i = 0; i < ls_loader_steps(bench.loader); i++) {
    const mpi_calls taken = take_step(&bench, i);
    const uint64_t bytes = (uint64_t)(wanted.bytes * (double)elements) + wanted.more_bytes;
    uint64_t sent = taken.bytes[MPI_CALL_SEND];
    assert_all(comm, taken.calls[MPI_CALL_ALLREDUCE] == (leads ? wanted.allreduces : 0));
    assert_all(comm, taken.bytes[MPI_CALL_ALLREDUCE] == (leads ? bytes : 0));
    assert_all(comm, taken.calls[MPI_CALL_BARRIER] == 0); /* the ranks of a host meet in shared memory */
    assert_all(comm, taken.calls[MPI_CALL_IALLREDUCE] == 0 && taken.calls[MPI_CALL_OTHER] == 0);
    assert_all(comm, taken.calls[MPI_CALL_EXCHANGE] == 0);
    assert_ok(ls_comm_sum_u64(comm, &sent, 1));
    assert_int_equal(sent, (uint64_t)(wanted.sent * (double)elements));
  }
  bench_free(&bench);
}

static void mpi_is_one_allreduce_over_all_ranks(void **state)
{
  const char *const reductions[] = {"fast", "exact"};
  for (size_t threads = 1; threads <= THREADS; threads++)
    for (size_t i = 0; i < 2; i++) {
      const bench_options options = {.comm = *state,
                                     .threads = threads,
                                     .reduction = reductions[i],
                                     .allreduce = "mpi",
                                     .bucket_mb = 0x1p-10};
      const demand wanted = {
          .allreduces = 1, .bytes = sizeof(uint64_t), .more_bytes = LS_TALLY_COUNT * sizeof(uint64_t)};
      check_steps(options, wanted);
    }
}

static void ranks_of_a_host_only_wait(void **state)
{
  const bench_options options = {.comm = *state, .threads = 2};
  check_steps(options, (demand){.allreduces = 0});
}

/* Every rank is a host, or the first two are one. */
static void hosts_make_one_allreduce_at_the_end(void **state)
{
  const size_t ranks = (size_t)ls_comm_size(*state);
  for (size_t node_ranks = 1; node_ranks <= 2 && node_ranks < ranks; node_ranks++) {
    bench_options options = {.comm = *state, .threads = 1, .node_ranks = node_ranks};
    demand wanted = {.allreduces = 1,
                     .bytes = sizeof(float),
                     .more_bytes = LS_TALLY_COUNT * sizeof(uint64_t) * sizeof(float)};
    check_steps(options, wanted);
    options.reduction = "exact";
    wanted.bytes = sizeof(uint64_t);
    wanted.more_bytes = LS_TALLY_COUNT * sizeof(uint64_t);
    check_steps(options, wanted);
  }
}

/* Each element goes to the host that adds it up, and back: 2 (n - 1) times in all. The tally goes by itself.
 */
static void hosts_send_buckets_meanwhile(void **state)
{
  static const struct {
    const char *reduction;
    bool bfloat16;
    double bytes;
  } wires[] = {{"exact", false, 8.0}, {"fast", false, 4.0}, {"fast", true, 2.0}};
  const double times = 2.0 * ((double)ls_comm_size(*state) - 1.0);
  if (ls_comm_size(*state) == 1) return;
  for (size_t i = 0; i < sizeof wires / sizeof *wires; i++) {
    const bench_options options = {.comm = *state,
                                   .threads = 2,
                                   .node_ranks = 1,
                                   .reduction = wires[i].reduction,
                                   .bfloat16 = wires[i].bfloat16,
                                   .bucket_mb = 0x1p-10};
    const demand wanted = {
        .allreduces = 1, .more_bytes = LS_TALLY_COUNT * sizeof(uint64_t), .sent = times * wires[i].bytes};
    check_steps(options, wanted);
  }
}

/* Parameters after some steps, in a copy that the caller frees. */
static float *train(const bench_options *options, size_t *count)
{
  step_bench bench;
  double first = 0.0, last = 0.0;
  bench_make(&bench, *options);
  bench_run(&bench, ROUNDS, &first, &last);
  *count = ls_model_count(bench.model)->params;
  float *params = bench.network.params;
  bench.network.params = NULL;
  bench_free(&bench);
  return params;
}

static void no_way_changes_a_bit(void **state)
{
  ls_comm *comm = *state;
  size_t count;
  float *expected = train(&(bench_options){.comm = comm, .threads = 1}, &count);
  for (size_t threads = 1; threads <= THREADS; threads++)
    for (size_t node_ranks = 0; node_ranks < 2; node_ranks++) {
      const bench_options options = {
          .comm = comm, .threads = threads, .node_ranks = node_ranks, .allreduce = "mpi"};
      float *params = train(&options, &count);
      assert_all(comm, memcmp(params, expected, count * sizeof *params) == 0);
      free(params);
    }
  free(expected);
}

/* What `lockstep bench` measures in turn is what it says. */
static void a_stepper_reduces_as_it_is_reported(void **state)
{
  static const ls_allreduce ways[] = {LS_ALLREDUCE_AUTO, LS_ALLREDUCE_MPI, LS_ALLREDUCE_MPI,
                                      LS_ALLREDUCE_AUTO};
  ls_comm *comm = *state;
  step_bench bench;
  ls_stepper *stepper;
  bench_make(&bench, (bench_options){.comm = comm, .threads = 1});
  const ls_stepper_options options = {.comm = comm,
                                      .spec = bench.spec,
                                      .source = bench.source,
                                      .model = bench.model,
                                      .batch = 20,
                                      .threads = 1};
  assert_ok(ls_stepper_new(&stepper, &options));
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    ls_step_result result;
    assert_ok(ls_stepper_reduce_by(stepper, ways[i]));
    const uint64_t before = mpi_calls_read().calls[MPI_CALL_ALLREDUCE];
    assert_ok(ls_stepper_take(stepper, NULL, &result));
    const uint64_t taken = mpi_calls_read().calls[MPI_CALL_ALLREDUCE] - before;
    assert_all(comm, taken == (ways[i] == LS_ALLREDUCE_MPI) && result.samples == 20);
  }
  ls_stepper_free(stepper);
  bench_free(&bench);
}

static int run(ls_comm *comm)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_prestate(mpi_is_one_allreduce_over_all_ranks, comm),
      cmocka_unit_test_prestate(ranks_of_a_host_only_wait, comm),
      cmocka_unit_test_prestate(hosts_make_one_allreduce_at_the_end, comm),
      cmocka_unit_test_prestate(hosts_send_buckets_meanwhile, comm),
      cmocka_unit_test_prestate(no_way_changes_a_bit, comm),
      cmocka_unit_test_prestate(a_stepper_reduces_as_it_is_reported, comm),
  };
  return cmocka_run_group_tests_name("allreduce", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
  return mpi_main(argc, argv, run);
}
