/* SPDX-License-Identifier: BSD-3-Clause */
/* The bins of a reliability diagram at their edges, probabilities that are none, and sums of parts. */
#include "eval/metrics/calibration.h"

#include <math.h>
#include <string.h>

#include "cmocka_all.h"

/* Sums are in fixed point, of 2^-28. */
static void assert_near(double actual, double expected)
{
  if (!(fabs(actual - expected) <= 1e-8)) fail_msg("%.17g expected, %.17g found", expected, actual);
}

/* The bin of a sample that is said with this confidence, and is right. */
static size_t bin_of(double confidence)
{
  ls_calibration figures = {0};
  size_t found = LS_CALIBRATION_BINS, count = 0;
  ls_calibration_add(&figures, (const double[]){confidence, 1 - confidence}, 2, 0, 0);
  for (size_t i = 0; i < LS_CALIBRATION_BINS; i++) {
    if (figures.bins[i].samples > 0) found = i;
    count += figures.bins[i].samples;
    assert_int_equal(figures.bins[i].samples, figures.bins[i].correct);
  }
  assert_int_equal(count, 1);
  return found;
}

/* Bins are (i / 15, (i + 1) / 15], as in Guo et al. 2017; what lies outside belongs to the outermost. */
static void bins_end_with_their_upper_edge(void **state)
{
  (void)state;
  for (size_t i = 0; i < LS_CALIBRATION_BINS; i++) {
    const double middle = ((double)i + 0.5) / LS_CALIBRATION_BINS;
    assert_int_equal(bin_of(middle), i);
  }
  assert_int_equal(bin_of(0.2), 2); /* 3 / 15 is an edge, and 0.2 the double next to it */
  assert_int_equal(bin_of(0.2 + 1e-9), 3);
  assert_int_equal(bin_of(1.0), LS_CALIBRATION_BINS - 1);
  assert_int_equal(bin_of(0.0), 0);
  assert_int_equal(bin_of(1.5), LS_CALIBRATION_BINS - 1);
  assert_int_equal(bin_of(-1), 0);
}

static void the_figures_of_one_sample(void **state)
{
  (void)state;
  ls_calibration figures = {0};
  ls_calibration_add(&figures, (const double[]){0.2, 0.7, 0.1}, 3, 1, 2);
  assert_near(ls_calibration_accuracy(&figures), 0);
  assert_near(ls_calibration_nll(&figures), -log(0.1));
  assert_near(ls_calibration_brier(&figures), 0.04 + 0.49 + 0.81);
  assert_near(ls_calibration_error(&figures), 0.7);
  const ls_reliability_bin *bin = &figures.bins[10];
  assert_near(ls_reliability_confidence(bin), 0.7);
  assert_near(ls_reliability_accuracy(bin), 0);
}

/* Nothing becomes infinite, negative or no number. */
static void probabilities_that_are_none_give_finite_figures(void **state)
{
  (void)state;
  static const double cases[][2] = {{NAN, NAN}, {1, 0}, {INFINITY, -INFINITY}, {1.25, -0.25}, {0, 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (uint16_t label = 0; label < 2; label++) {
      ls_calibration figures = {0};
      ls_calibration_add(&figures, cases[i], 2, 0, label);
      const double nll = ls_calibration_nll(&figures), brier = ls_calibration_brier(&figures),
                   error = ls_calibration_error(&figures);
      if (!(nll >= 0 && nll < 88 && brier >= 0 && brier <= 2 && error >= 0 && error <= 1))
        fail_msg("case %zu, label %u: %g, %g, %g", i, label, nll, brier, error);
    }
}

/* Two halves together are the whole, to the last bit. */
static void parts_add_up(void **state)
{
  (void)state;
  ls_calibration whole = {0}, half[2] = {{0}, {0}};
  for (size_t i = 0; i < 100; i++) {
    const double p[] = {0.5 + 0.005 * (double)i, 0.5 - 0.005 * (double)i};
    ls_calibration_add(&whole, p, 2, 0, i % 3 == 0);
    ls_calibration_add(&half[i % 2], p, 2, 0, i % 3 == 0);
  }
  ls_calibration_merge(&half[0], &half[1]);
  assert_int_equal(half[0].samples, 100);
  assert_int_equal(half[0].correct, 66);
  assert_memory_equal(&half[0], &whole, sizeof whole);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bins_end_with_their_upper_edge),
      cmocka_unit_test(the_figures_of_one_sample),
      cmocka_unit_test(probabilities_that_are_none_give_finite_figures),
      cmocka_unit_test(parts_add_up),
  };
  return cmocka_run_group_tests_name("calibration", tests, NULL, NULL);
}
