/* SPDX-License-Identifier: BSD-3-Clause */
/* An ensemble's figures, against numbers worked out by hand. */
#include "eval/ensemble.h"

#include <math.h>
#include <string.h>

#include "cmocka_all.h"

#define assert_close(a, b) assert_true(fabs((a) - (b)) < 1e-6)

/* Three members, four samples, two classes; the labels are 0 0 1 1. */
static float probabilities[] = {
    0.9F, 0.1F, 0.8F, 0.2F, 0.4F, 0.6F, /* soft 0.7: right; two of three */
    0.9F, 0.1F, 0.4F, 0.6F, 0.4F, 0.6F, /* soft 0.567: right; the majority is wrong */
    0.3F, 0.7F, 0.2F, 0.8F, 0.6F, 0.4F, /* right, right */
    0.6F, 0.4F, 0.7F, 0.3F, 0.1F, 0.9F, /* soft 0.533 for 1: right; the majority is wrong */
};
static uint16_t labels[] = {0, 0, 1, 1};
static const ls_votes votes = {
    .samples = 4, .members = 3, .classes = 2, .probabilities = probabilities, .labels = labels};

static void members_and_ways_of_voting(void **state)
{
  (void)state;
  ls_ensemble *ensemble;
  assert_int_equal(ls_ensemble_new(&ensemble, &votes, NULL), LS_OK);
  assert_close(ls_calibration_accuracy(&ensemble->each[0]), 0.75);
  assert_close(ls_calibration_accuracy(&ensemble->each[1]), 0.5);
  assert_close(ls_calibration_accuracy(&ensemble->each[2]), 0.25);
  assert_close(ls_ensemble_mean_accuracy(ensemble), 0.5);
  assert_close(ls_ensemble_best_accuracy(ensemble), 0.75);
  assert_close(ls_calibration_accuracy(&ensemble->soft), 1.0);
  assert_close(ensemble->hard, 0.5);
  assert_close(ls_calibration_nll(&ensemble->each[0]), -(log(0.9) + log(0.9) + log(0.7) + log(0.4)) / 4);
  assert_close(ls_calibration_brier(&ensemble->each[0]), 2 * (0.01 + 0.01 + 0.09 + 0.36) / 4);
  /* members 0 and 1 differ on sample 1; 0 and 2 on all; 1 and 2 on 0, 2 and 3 */
  assert_close(ensemble->disagreement[1], 0.25);
  assert_close(ensemble->disagreement[2], 1.0);
  assert_close(ensemble->disagreement[5], 0.75);
  assert_close(ls_ensemble_disagreement(ensemble), (0.25 + 1.0 + 0.75) / 3);
  assert_null(ensemble->weights);
  ls_ensemble_free(ensemble);
}

/* A tie of one vote each goes to the class that is more probable on the whole. */
static void ties_go_to_the_mean_probability(void **state)
{
  (void)state;
  float tied[] = {0.6F, 0.4F, 0.0F, 0.1F, 0.9F, 0.0F};
  uint16_t label = 1;
  const ls_votes two = {.samples = 1, .members = 2, .classes = 3, .probabilities = tied, .labels = &label};
  ls_ensemble *ensemble;
  assert_int_equal(ls_ensemble_new(&ensemble, &two, NULL), LS_OK);
  assert_close(ensemble->hard, 1.0);
  ls_ensemble_free(ensemble);
}

/* The largest likelihood of two members that are right on other samples, found by trying all weights. */
static void fitted_weights_are_the_most_likely(void **state)
{
  (void)state;
  float p[] = {0.9F, 0.1F, 0.3F, 0.7F, 0.2F, 0.8F, 0.6F, 0.4F, 0.8F, 0.2F, 0.5F, 0.5F};
  uint16_t truth[] = {0, 0, 0};
  const ls_votes two = {.samples = 3, .members = 2, .classes = 2, .probabilities = p, .labels = truth};
  double best = 0, most = -INFINITY;
  for (int i = 0; i <= 10000; i++) {
    const double w = i / 10000.0;
    const double likelihood =
        log(0.9 * w + 0.3 * (1 - w)) + log(0.2 * w + 0.6 * (1 - w)) + log(0.8 * w + 0.5 * (1 - w));
    if (likelihood > most) most = likelihood, best = w;
  }
  ls_ensemble *ensemble;
  assert_int_equal(ls_ensemble_new(&ensemble, &two, &two), LS_OK);
  assert_true(fabs(ensemble->weights[0] - best) < 1e-3);
  assert_close(ensemble->weights[0] + ensemble->weights[1], 1.0);
  assert_true(ls_calibration_nll(&ensemble->fitted) <= ls_calibration_nll(&ensemble->soft));
  ls_ensemble_free(ensemble);
}

/* Ten samples said with 0.95, nine of them right, and ten with 0.65, half right. */
static void calibration_error_is_the_distance_to_the_truth(void **state)
{
  (void)state;
  ls_calibration figures = {0};
  for (int i = 0; i < 10; i++) {
    ls_calibration_add(&figures, (const double[]){0.95, 0.05}, 2, 0, i < 9 ? 0 : 1);
    ls_calibration_add(&figures, (const double[]){0.35, 0.65}, 2, 1, i < 5 ? 0 : 1);
  }
  assert_close(ls_calibration_error(&figures), (0.05 + 0.15) / 2);
  ls_calibration_add(&figures, (const double[]){1.0, 0.0}, 2, 0,
                     1); /* sure, and wrong: finite all the same */
  assert_true(isfinite(ls_calibration_nll(&figures)));
  assert_int_equal(figures.bins[LS_CALIBRATION_BINS - 1].samples, 11);
}

static void assert_shows(const char *const *names, const char *first, const char *second)
{
  static float two[] = {0.9F, 0.1F, 0.2F, 0.8F};
  static uint16_t label = 0;
  const ls_votes pair = {.samples = 1, .members = 2, .classes = 2, .probabilities = two, .labels = &label};
  ls_ensemble *ensemble;
  ls_text text = {0};
  assert_int_equal(ls_ensemble_new(&ensemble, &pair, NULL), LS_OK);
  ls_ensemble_report(ensemble, names, &text);
  if (!strstr(ls_text_get(&text), first) || !strstr(ls_text_get(&text), second))
    fail_msg("'%s' and '%s' expected in\n%s", first, second, ls_text_get(&text));
  ls_text_fini(&text);
  ls_ensemble_free(ensemble);
}

#define LONG "0123456789012345678901234567890123456789/best.h5"

static void long_names_are_marked_and_differ(void **state)
{
  (void)state;
  assert_shows((const char *[]){"a/best.h5", "runs/of-a-study/with/seed-2/and/more/best.h5"},
               "\n  a/best.h5                                  100.00",
               "\n  ...-a-study/with/seed-2/and/more/best.h5     0.00");
  assert_shows((const char *[]){"a" LONG, "b" LONG}, "\n  a" LONG "   100.00", "\n  b" LONG "     0.00");
  assert_shows((const char *[]){"runs/a" LONG, "runs/b" LONG}, "\n  ...a" LONG "   100.00",
               "\n  ...b" LONG "     0.00");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(members_and_ways_of_voting),
      cmocka_unit_test(ties_go_to_the_mean_probability),
      cmocka_unit_test(fitted_weights_are_the_most_likely),
      cmocka_unit_test(calibration_error_is_the_distance_to_the_truth),
      cmocka_unit_test(long_names_are_marked_and_differ),
  };
  return cmocka_run_group_tests_name("ensemble", tests, NULL, NULL);
}
