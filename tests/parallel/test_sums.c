/* SPDX-License-Identifier: BSD-3-Clause */
/* The sums of a step: their range, their rounding, and what happens beyond, whichever rank brings it. */
#include <float.h>
#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/size.h"
#include "parallel/mpi_main.h"
#include "train/sums/sums.h"

enum { GRADS = 5, STATS = 3, SAMPLES = 8, FEW = 2048, MANY = 4096 };

/* All ranks share memory; none does, and integers travel; in buckets; floats; by one call of MPI. */
typedef enum way { SHARED, APART, BUCKETS, FLOATS, BY_MPI, WAYS } way;

static ls_sums *sums_of(ls_comm *comm, size_t microbatches, way by)
{
  const ls_sums_options options = {.comm = comm,
                                   .grads = GRADS,
                                   .stats = STATS,
                                   .threads = 1,
                                   .microbatches = microbatches,
                                   .node_ranks = by == SHARED ? 0 : 1,
                                   .bucket = by == BUCKETS ? 3 : 0,
                                   .is_fast = by == FLOATS,
                                   .by_mpi = by == BY_MPI};
  ls_sums *sums = NULL;
  assert_ok(ls_sums_new(&sums, &options));
  ls_sums_begin(sums, SAMPLES);
  return sums;
}

static bool is_mine(const ls_comm *comm)
{
  return ls_comm_rank(comm) == ls_comm_size(comm) - 1;
}

/* Reduce, and begin the next step. */
static void end_step(ls_sums *sums)
{
  ls_sums_finish(sums, 0);
  assert_ok(ls_sums_reduce(sums));
  ls_sums_begin(sums, SAMPLES);
}

static float *next_zeros(ls_sums *sums)
{
  return memset(ls_sums_next(sums, 0), 0, (GRADS + STATS) * sizeof(float));
}

/* The last rank brings one value, in its first of two micro-batches or in the second; was it outside? */
static bool is_outside(ls_comm *comm, ls_sums *sums, size_t index, float value, size_t turn)
{
  for (size_t i = 0; i < 2; i++) {
    float *grads = next_zeros(sums);
    if (i == turn && is_mine(comm)) grads[index] = value;
  }
  end_step(sums);
  const bool outside = ls_sums_total(sums, LS_TALLY_OUTSIDE) > 0;
  const double unit = index < GRADS ? 1.0 : SAMPLES; /* statistics are means over the samples */
  if (!outside) assert_true(ls_sums_result(sums)[index] == (float)((double)value / unit));
  return outside;
}

static void check_range(ls_comm *comm, ls_sums *sums, size_t index, float limit)
{
  const float below = nextafterf(limit, 0.0F);
  for (size_t turn = 0; turn < 2; turn++) {
    assert_false(is_outside(comm, sums, index, below, turn));
    assert_false(is_outside(comm, sums, index, -below, turn));
    const float wrong[] = {limit, -limit, FLT_MAX, -FLT_MAX, INFINITY, -INFINITY, NAN};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
      assert_true(is_outside(comm, sums, index, wrong[i], turn));
    assert_false(is_outside(comm, sums, index, 0.0F, turn)); /* nothing of a step is left for the next */
  }
}

static void check_loss(ls_comm *comm, ls_sums *sums, double limit)
{
  const double below = nextafter(limit, 0.0);
  const double losses[] = {0.25, -3.0, below, -below, limit, -limit, INFINITY, NAN};
  for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
    if (is_mine(comm)) ls_sums_add_loss(sums, 0, losses[i]);
    end_step(sums);
    const bool is_held = fabs(losses[i]) < limit;
    assert_int_equal(ls_sums_total(sums, LS_TALLY_OUTSIDE) == 0, is_held);
    if (is_held) assert_true(fabs(ls_sums_loss(sums) - losses[i]) <= 0x1p-32);
  }
}

static void what_is_beyond_the_limits_is_counted(void **state)
{
  ls_comm *comm = *state;
  for (size_t by = 0; by < WAYS; by++)
    for (size_t microbatches = FEW; microbatches <= MANY; microbatches *= 2) {
      ls_sums *sums = sums_of(comm, microbatches, (way)by);
      const ls_sums_limits limits = ls_sums_find_limits(sums);
      const double shrunk = (double)FEW / (double)microbatches;
      assert_true(limits.grad == 2048.0 * shrunk);
      assert_true(limits.stat == 0x1p23 * SAMPLES * shrunk);
      assert_true(limits.loss == 0x1p19 * shrunk);
      for (size_t i = 0; i < GRADS; i++) check_range(comm, sums, i, (float)limits.grad);
      for (size_t i = 0; i < STATS; i++) check_range(comm, sums, GRADS + i, (float)limits.stat);
      check_loss(comm, sums, limits.loss);
      ls_sums_free(sums);
    }
}

/* As many micro-batches as there may be, each with the largest values: no total wraps. */
static void check_largest(ls_comm *comm, way by)
{
  const size_t rank = (size_t)ls_comm_rank(comm), ranks = (size_t)ls_comm_size(comm);
  ls_sums *sums = sums_of(comm, MANY, by);
  const float grad = nextafterf(1024.0F, 0.0F);
  for (size_t i = ls_part_first(MANY, ranks, rank); i < ls_part_first(MANY, ranks, rank + 1); i++) {
    float *grads = next_zeros(sums);
    grads[0] = grad;
    grads[GRADS - 1] = -grad;
    ls_sums_add_loss(sums, 0, -0x1p17);
    ls_sums_count(sums, 0, LS_TALLY_SAMPLES, 3);
  }
  end_step(sums);
  assert_int_equal(ls_sums_total(sums, LS_TALLY_OUTSIDE), 0);
  if (by != FLOATS) { /* which round */
    assert_true(ls_sums_result(sums)[0] == MANY * grad);
    assert_true(ls_sums_result(sums)[1] == 0.0F);
    assert_true(ls_sums_result(sums)[GRADS - 1] == -MANY * grad);
  }
  assert_true(ls_sums_loss(sums) == -0x1p17 * MANY);
  assert_int_equal(ls_sums_total(sums, LS_TALLY_SAMPLES), 3 * MANY);
  ls_sums_free(sums);
}

static void the_largest_totals_fit(void **state)
{
  for (size_t by = 0; by < WAYS; by++) check_largest(*state, (way)by);
}

/* A value becomes the nearest multiple of 2^-40, of two the even one, before anything is added. */
static void every_value_is_rounded_by_itself(void **state)
{
  static const struct {
    double value, rounded; /* in units of the resolution */
  } cases[] = {{0.75, 1}, {0.5, 0}, {1.5, 2}, {2.5, 2}, {0.49, 0}, {7, 7}};
  ls_comm *comm = *state;
  const double twice = 2.0 * (double)ls_comm_size(comm);
  ls_sums *sums = sums_of(comm, FEW, SHARED);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    for (size_t turn = 0; turn < 2; turn++) {
      float *grads = next_zeros(sums);
      grads[0] = (float)(cases[i].value * 0x1p-40);
      grads[1] = -grads[0];
      grads[GRADS] = (float)(cases[i].value * SAMPLES * 0x1p-28);
      grads[GRADS + 1] = -grads[GRADS];
    }
    end_step(sums);
    const float *result = ls_sums_result(sums);
    const double total = twice * cases[i].rounded;
    assert_true((double)result[0] == total * 0x1p-40 && (double)result[1] == -total * 0x1p-40);
    assert_true((double)result[GRADS] == total * 0x1p-28 && (double)result[GRADS + 1] == -total * 0x1p-28);
  }
  ls_sums_free(sums);
}

/* A team of one thread for two parts, on one rank: they would wait for each other. */
static void a_team_that_is_too_small_is_refused_on_all_ranks(void **state)
{
  ls_comm *comm = *state;
  const ls_sums_options options = {.comm = comm, .grads = GRADS, .threads = 2, .microbatches = FEW};
  const int levels = omp_get_max_active_levels();
  ls_sums *sums = NULL;
  if (is_mine(comm)) omp_set_max_active_levels(0);
  assert_int_equal(ls_sums_new(&sums, &options), LS_E_INPUT);
  omp_set_max_active_levels(levels);
  assert_null(sums);
  assert_non_null(strstr(ls_error_last()->text, "1 of 2 threads: OMP_MAX_ACTIVE_LEVELS is 0"));
}

static int run(ls_comm *comm)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_prestate(what_is_beyond_the_limits_is_counted, comm),
      cmocka_unit_test_prestate(the_largest_totals_fit, comm),
      cmocka_unit_test_prestate(every_value_is_rounded_by_itself, comm),
      cmocka_unit_test_prestate(a_team_that_is_too_small_is_refused_on_all_ranks, comm),
  };
  return cmocka_run_group_tests_name("sums", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
  return mpi_main(argc, argv, run);
}
