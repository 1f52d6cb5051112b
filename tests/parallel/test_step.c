/* SPDX-License-Identifier: BSD-3-Clause */
/* The training step over ranks that share memory and over ranks that do not: hosts are emulated by forbidding
 * that more than so many ranks share theirs. */
#include <math.h>
#include <string.h>

#include "step_bench.h"

enum { ROUNDS = 4, NODE_RANKS = 3, BUCKETS = 3 };

/* No buckets; some of many elements, beginning in the midst of layers; hundreds. */
static const double buckets_mb[BUCKETS] = {0.0, 0x1p-10, 0x1p-15};

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

static bool same(const float *a, const float *b, size_t count)
{
  return memcmp(a, b, count * sizeof *a) == 0;
}

static void hosts_do_not_change_a_bit(void **state)
{
  ls_comm *comm = *state;
  size_t count;
  float *expected = train(&(bench_options){.comm = comm, .threads = 1, .reduction = "exact"}, &count);
  const size_t all = ls_comm_size(comm) <= 3 ? NODE_RANKS * BUCKETS : NODE_RANKS; /* time */
  for (size_t i = 0; i < all; i++) {
    const bench_options options = {.comm = comm,
                                   .threads =
                                       1 + (size_t)ls_comm_rank(comm) % 2, /* not the same everywhere */
                                   .node_ranks = 1 + i % NODE_RANKS,
                                   .reduction = "exact",
                                   .bucket_mb = buckets_mb[(i + i / NODE_RANKS) % BUCKETS]};
    float *params = train(&options, &count);
    assert_all(comm, same(params, expected, count));
    free(params);
  }
  free(expected);
}

/* Whether buckets are sent beside the backward pass or after it, two hosts add the same floats. */
static void overlap_does_not_change_a_bit(void **state)
{
  ls_comm *comm = *state;
  if (ls_comm_size(comm) != 2) return;
  size_t count;
  const bench_options at_the_end = {.comm = comm, .threads = 2, .node_ranks = 1, .reduction = "fast"};
  float *expected = train(&at_the_end, &count);
  for (size_t i = 1; i < BUCKETS; i++) {
    bench_options options = at_the_end;
    options.bucket_mb = buckets_mb[i];
    float *params = train(&options, &count);
    assert_all(comm, same(params, expected, count));
    free(params);
  }
  free(expected);
}

static void fast_is_exact_on_one_host_and_rounds_between_hosts(void **state)
{
  ls_comm *comm = *state;
  size_t count;
  float *expected = train(&(bench_options){.comm = comm, .threads = 1, .reduction = "exact"}, &count);
  float *host = train(&(bench_options){.comm = comm, .threads = 2, .reduction = "fast"}, &count);
  assert_all(comm, same(host, expected, count));
  const bench_options apart = {.comm = comm, .threads = 1, .node_ranks = 1, .reduction = "fast"};
  float *hosts = train(&apart, &count);
  float *again = train(&apart, &count);
  assert_all(comm, same(hosts, again, count));
  double worst = 0.0;
  for (size_t i = 0; i < count; i++) worst = fmax(worst, fabs((double)hosts[i] - (double)expected[i]));
  assert_all(comm, worst < 5e-3); /* a dozen steps of Adam with a rate of 0.01 */
  float *all[] = {expected, host, hosts, again};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) free(all[i]);
}

/* Weights after some steps differ a little, and are the same everywhere. */
static void bfloat16_rounds_more(void **state)
{
  ls_comm *comm = *state;
  if (ls_comm_size(comm) == 1) return;
  size_t count;
  bench_options options = {.comm = comm, .threads = 1, .node_ranks = 1, .reduction = "fast"};
  float *expected = train(&options, &count);
  options.bfloat16 = true;
  float *brief = train(&options, &count);
  options.bucket_mb = buckets_mb[1];
  float *overlapped = train(&options, &count);
  double worst = 0.0;
  for (size_t i = 0; i < count; i++) worst = fmax(worst, fabs((double)brief[i] - (double)expected[i]));
  assert_all(comm, worst > 1e-6 && worst < 5e-2);
  assert_all(comm, ls_comm_size(comm) > 2 || same(brief, overlapped, count));
  free(expected), free(brief), free(overlapped);
}

static int run(ls_comm *comm)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_prestate(hosts_do_not_change_a_bit, comm),
      cmocka_unit_test_prestate(overlap_does_not_change_a_bit, comm),
      cmocka_unit_test_prestate(bfloat16_rounds_more, comm),
      cmocka_unit_test_prestate(fast_is_exact_on_one_host_and_rounds_between_hosts, comm),
  };
  return cmocka_run_group_tests_name("step", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
  return mpi_main(argc, argv, run);
}
