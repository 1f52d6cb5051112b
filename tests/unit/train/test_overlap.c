/* SPDX-License-Identifier: BSD-3-Clause */
/* Reduction beside the backward pass, over as many steps as a long run has. */
#include <stdlib.h>

#include "parallel/mpi_main.h"
#include "train/sums/overlap.h"

enum { COUNT = 70, BUCKET = 20, BUCKETS = 4, THREADS = 2, STEPS = 6 };

/* Where bucket k begins. */
static size_t first_of(size_t k)
{
  return k + 1 < BUCKETS ? COUNT - (k + 1) * BUCKET : 0;
}

/* A step whose threads make values that no other step makes; all are summed. */
static void take_step(ls_overlap *overlap, ls_workers *workers, float value)
{
  float *grads[THREADS];
  for (size_t part = 0; part < THREADS; part++) grads[part] = ls_workers_next(workers, part);
  ls_overlap_begin(overlap);
  for (size_t k = 0; k < BUCKETS; k++)
    for (size_t part = 0; part < THREADS; part++) {
      for (size_t i = first_of(k); i < COUNT; i++) grads[part][i] = value + (float)i;
      ls_overlap_ready(overlap, part, first_of(k));
    }
  for (size_t part = 0; part < THREADS; part++) ls_overlap_finish(overlap, part);
  for (size_t i = 0; i < COUNT; i++) assert_true(workers->result[i] == THREADS * (value + (float)i));
  ls_workers_turn(workers);
}

/* Counts of steps must not run out of bits: a thread would wait for ever for a bucket that it has made. */
static void steps_go_on_beyond_any_number(void **state)
{
  static const uint64_t begins[] = {0, (1 << 24) - 3, (UINT64_C(1) << 32) - 3, UINT64_C(1) << 40};
  const ls_node_options memory = {.threads = THREADS, .bytes = ls_workers_bytes(COUNT, THREADS, 0)};
  for (size_t b = 0; b < sizeof begins / sizeof *begins; b++) {
    float result[COUNT] = {0};
    const ls_fixed format = ls_fixed_make(0x1p40, 1.0, THREADS);
    ls_workers workers = {.grads = COUNT,
                          .count = COUNT,
                          .formats = {format, format},
                          .threads = THREADS,
                          .result = result,
                          .step = begins[b]};
    ls_overlap *overlap;
    assert_ok(ls_node_new(&workers.node, *state, &memory));
    ls_workers_announce(&workers, 0);
    assert_ok(ls_workers_find(&workers));
    void *shared = calloc(1, ls_overlap_bytes(COUNT, BUCKET));
    assert_non_null(shared);
    const ls_overlap_options options = {
        .workers = &workers, .comm = *state, .bucket = BUCKET, .shared = shared};
    assert_ok(ls_overlap_new(&overlap, &options));
    for (size_t step = 0; step < STEPS; step++) take_step(overlap, &workers, (float)step + 0.5F);
    assert_true(ls_overlap_outside(overlap) == 0);
    ls_overlap_free(overlap);
    free(shared);
    ls_workers_fini(&workers);
    ls_node_free(workers.node);
  }
}

static int run(ls_comm *comm)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test_prestate(steps_go_on_beyond_any_number, comm)};
  return cmocka_run_group_tests_name("overlap", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
  return mpi_main(argc, argv, run);
}
