/* SPDX-License-Identifier: BSD-3-Clause */
/* The model of scaling, fitted to measurements that are made from known parameters. */
#include "study/scale_model.h"

#include <math.h>
#include <string.h>

#include "cmocka_all.h"
#include "train/balance.h"
#include "base/quantile.h"

enum { LEVELS = 3, SIZES = 4, PROBES = 3, MICROBATCH = 32, BATCH = 1024, ELEMENTS = 50000 };

/* The expected largest of 1, 2 and 4 normal deviates by Blom's formula: norm.ppf((n - 0.375) / (n + 0.25)).
 */
static const double largest[LEVELS] = {0.0, 0.5894558, 1.0491314};

/* What the measurements are made from. */
static const struct {
  double step_s, sample_s, noise_s, spread, update_s, latency_s, element_s, base_s;
} truth = {2e-3, 5e-5, 1e-4, 0.03, 3e-4, 8e-5, 4e-8, 1e-5};

static void set(double windows[LS_SCALE_WINDOWS], double value, double jitter)
{
  static const double turns[LS_SCALE_WINDOWS] = {-1, 0.5, 1, 0, -0.5, 0.25, -0.25}; /* median 0 */
  for (size_t w = 0; w < LS_SCALE_WINDOWS; w++) windows[w] = value * (1.0 + jitter * turns[w]);
}

static double sum_s(size_t hosts, size_t elements)
{
  const double h = (double)hosts;
  return truth.base_s + truth.latency_s * log2(h) + truth.element_s * (double)elements * 2.0 * (h - 1.0) / h;
}

/* A rank on each host. */
static void add_point(ls_scale_data *data, ls_scale_mode mode, size_t level, size_t batch, double jitter)
{
  const size_t ranks = (size_t)1 << level;
  const double compute_s = truth.step_s + truth.sample_s * (double)batch / (double)ranks;
  const double waiting_s = largest[level] * (truth.noise_s + truth.spread * compute_s);
  const double allreduce_s = sum_s(ranks, ELEMENTS);
  ls_scale_point *point = &data->points[data->point_count++];
  *point = (ls_scale_point){.mode = mode, .ranks = ranks, .hosts = ranks, .threads = 1, .batch = batch};
  set(point->seconds[LS_SCALE_COMPUTE], compute_s, jitter);
  set(point->seconds[LS_SCALE_WAITING], waiting_s, jitter);
  set(point->seconds[LS_SCALE_ALLREDUCE], allreduce_s, jitter);
  set(point->seconds[LS_SCALE_UPDATE], truth.update_s, jitter);
  set(point->seconds[LS_SCALE_STEP], compute_s + waiting_s + allreduce_s + truth.update_s, jitter);
}

/* Measurements on up to `levels` powers of two. */
static void measure(ls_scale_data *data, size_t levels, double jitter)
{
  static ls_scale_point points[(LS_SCALE_MODES + PROBES) * LEVELS];
  static ls_scale_sum sums[SIZES * LEVELS];
  *data = (ls_scale_data){.points = points, .sums = sums, .microbatch = MICROBATCH, .elements = ELEMENTS};
  for (size_t level = 0; level < levels; level++) {
    add_point(data, LS_SCALE_STRONG, level, BATCH, jitter);
    add_point(data, LS_SCALE_WEAK, level, (size_t)BATCH << level, jitter);
    for (size_t i = 0; i < SIZES; i++) {
      const size_t elements = ELEMENTS >> (2 * i);
      ls_scale_sum *sum = &data->sums[data->sum_count++];
      *sum = (ls_scale_sum){(size_t)1 << level, (size_t)1 << level, 1, elements, {0}};
      set(sum->seconds, sum_s(sum->hosts, elements), jitter);
    }
  }
  for (size_t i = 0; i < PROBES; i++)
    add_point(data, LS_SCALE_PROBE, levels - 1, (size_t)MICROBATCH << (levels - 1 + i), jitter);
}

static void assert_near(double actual, double expected, double relative)
{
  if (fabs(actual - expected) > relative * fabs(expected)) fail_msg("%.9g is not %.9g", actual, expected);
}

static void the_parameters_are_found(void **state)
{
  (void)state;
  for (size_t levels = 2; levels <= LEVELS; levels++) {
    ls_scale_data data;
    ls_scale_model model;
    measure(&data, levels, 0.01);
    ls_scale_fit(&model, &data, 1);
    assert_near(model.step_s, truth.step_s, 1e-6);
    assert_near(model.sample_s, truth.sample_s, 1e-6);
    assert_near(model.noise_s, truth.noise_s, 1e-5);
    assert_near(model.spread, truth.spread, 1e-5);
    assert_near(model.update_s, truth.update_s, 1e-6);
    assert_near(model.sum_s[4], truth.latency_s, 1e-4);
    assert_near(model.sum_s[5], truth.element_s, 1e-4);
    assert_near(model.single, 1.0, 1e-5);
    assert_true(model.misfit < 1e-5);
  }
}

/* Measurements on two hosts predict a thousand, and the error bars contain the true value. */
static void predictions_follow_the_formulas(void **state)
{
  (void)state;
  ls_scale_data data;
  ls_scale_model model;
  ls_scale_prediction out[LS_SCALE_PREDICTIONS];
  measure(&data, 2, 0.05);
  ls_scale_fit(&model, &data, 1);
  assert_int_equal(ls_scale_predict_all(&data, &model, LS_SCALE_STRONG, BATCH, out), LS_OK);
  for (size_t i = 0; i < LS_SCALE_PREDICTIONS; i++) {
    const size_t ranks = (size_t)1 << i;
    const double samples = fmax(MICROBATCH, BATCH / (double)ranks); /* no less than a micro-batch */
    const double *parts = out[i].times.parts;
    assert_int_equal(out[i].ranks, ranks);
    assert_int_equal(out[i].hosts, ranks);
    assert_near(parts[LS_SCALE_COMPUTE], truth.step_s + truth.sample_s * samples, 1e-4);
    assert_near(parts[LS_SCALE_ALLREDUCE], sum_s(ranks, ELEMENTS), 1e-3);
    assert_true(out[i].low_s < parts[LS_SCALE_STEP] && parts[LS_SCALE_STEP] < out[i].high_s);
    assert_true(out[i].high_s < 1.2 * parts[LS_SCALE_STEP]);
  }
  assert_near(out[0].efficiency, 1.0, 1e-9);
  assert_near(out[3].efficiency, out[0].times.parts[0] / (8.0 * out[3].times.parts[0]), 1e-9);
}

static void limits_are_where_the_efficiency_falls(void **state)
{
  (void)state;
  ls_scale_data data;
  ls_scale_model model;
  measure(&data, 2, 0.01);
  ls_scale_fit(&model, &data, 1);
  for (size_t batch = BATCH; batch <= 64 * BATCH; batch *= 4) {
    const size_t ranks = ls_scale_limit(&model, LS_SCALE_STRONG, batch, 0.8);
    assert_true(ls_scale_efficiency(&model, LS_SCALE_STRONG, ranks, batch) >= 0.8);
    if (ranks < LS_SCALE_MOST_RANKS)
      assert_true(ls_scale_efficiency(&model, LS_SCALE_STRONG, 2 * ranks, batch) < 0.8);
    assert_true(ranks <= ls_scale_limit(&model, LS_SCALE_STRONG, 2 * batch, 0.8));
  }
}

/* Members side by side beat members one after the other, unless there are more groups than pay. */
static void ensembles_are_split_for_speed(void **state)
{
  (void)state;
  ls_scale_data data;
  ls_scale_model model;
  measure(&data, 2, 0.01);
  ls_scale_fit(&model, &data, 1);
  const ls_scale_split split = ls_scale_split_best(&model, 16, 4, BATCH);
  assert_int_equal(split.groups, 4);
  assert_int_equal(split.group_ranks, 4);
  assert_int_equal(split.turns, 1);
  const double alone_s = 4.0 * ls_scale_predict(&model, 16, BATCH).parts[LS_SCALE_STEP];
  assert_near(split.gain, alone_s / ls_scale_predict(&model, 4, BATCH).parts[LS_SCALE_STEP], 1e-9);
  assert_int_equal(ls_scale_split_best(&model, 1, 4, BATCH).turns, 4);
}

/* One column is the double of another, and one would want to be negative. */
static void squares_leave_out_what_does_not_belong(void **state)
{
  (void)state;
  ls_squares_row rows[5];
  double c[LS_SQUARES_COLUMNS];
  for (size_t i = 0; i < 5; i++) {
    const double x = (double)i;
    rows[i] =
        (ls_squares_row){.x = {1.0, x, 2.0 * x, x * x}, .y = 3.0 + 2.0 * x - 0.01 * x * x, .scale = 1.0};
  }
  ls_squares_fit(rows, 5, c);
  assert_true(c[1] == 0.0 || c[2] == 0.0);
  assert_true(c[3] == 0.0);
  assert_near(c[0], 3.02, 1e-9); /* numpy.polyfit([0..4], y, 1) */
  assert_near(c[1] + 2.0 * c[2], 1.96, 1e-9);
}

/* Ranks that come late spend least time in the reduction. */
static void the_straggler_is_the_rank_that_is_busy(void **state)
{
  (void)state;
  ls_load loads[4] = {
      {{1.0, 1.1, 0.1}, "a"}, {{1.2, 0.9, 0.1}, "b"}, {{1.9, 0.2, 0.1}, "c"}, {{1.1, 1.0, 0.1}, "d"}};
  const ls_balance balance = {.steps = 10, .ranks = 4, .loads = loads};
  ls_straggler slowest;
  assert_int_equal(ls_balance_slowest(&balance, &slowest), LS_OK);
  assert_int_equal(slowest.rank, 2);
  assert_true(slowest.is_marked);
  assert_near(slowest.ratio, 2.0 / 1.2, 1e-9);
  assert_near(slowest.waited_s, 0.8, 1e-9);
  assert_near(ls_balance_waited_s(&balance, 0), 0.9, 1e-9);
  loads[2].times = (ls_step_times){1.2, 0.9, 0.1};
  assert_int_equal(ls_balance_slowest(&balance, &slowest), LS_OK);
  assert_false(slowest.is_marked);
  for (size_t r = 0; r < 4; r++) loads[r].times = (ls_step_times){0.01, 0.09, 0.0};
  loads[2].times = (ls_step_times){0.09, 0.01, 0.0}; /* nine times as busy, for a moment */
  assert_int_equal(ls_balance_slowest(&balance, &slowest), LS_OK);
  assert_near(slowest.ratio, 9.0, 1e-9);
  assert_false(slowest.is_marked);
  const ls_balance alone = {.steps = 10, .ranks = 1, .loads = loads};
  assert_int_equal(ls_balance_slowest(&alone, &slowest), LS_OK);
  assert_false(slowest.is_marked);
}

static void quantiles_lie_between(void **state)
{
  (void)state;
  double values[] = {5, 1, 4, 2};
  assert_near(ls_quantile(values, 4, 0.5), 3.0, 1e-12);
  assert_near(ls_quantile(values, 4, 0.0), 1.0, 1e-12);
  assert_near(ls_quantile(values, 4, 1.0), 5.0, 1e-12);
  assert_near(ls_quantile(values, 4, 0.05), 1.15, 1e-12); /* numpy.quantile */
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_parameters_are_found),
      cmocka_unit_test(predictions_follow_the_formulas),
      cmocka_unit_test(limits_are_where_the_efficiency_falls),
      cmocka_unit_test(ensembles_are_split_for_speed),
      cmocka_unit_test(squares_leave_out_what_does_not_belong),
      cmocka_unit_test(the_straggler_is_the_rank_that_is_busy),
      cmocka_unit_test(quantiles_lie_between),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
