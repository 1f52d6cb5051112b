/* SPDX-License-Identifier: BSD-3-Clause */
/* An ensemble's figures, against numbers worked out by hand. */
#include "eval/ensemble.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "cmocka_all.h"
#include "eval/vote_weights.h"

#define assert_close(a, b) assert_true(fabs((a) - (b)) < 1e-6)

/* Three members, four samples, two classes; the labels are 0 0 1 1. */
static float probabilities[] = {
    0.9F, 0.1F, 0.8F, 0.2F, 0.4F, 0.6F, /* soft 0.7: right; two of three */
    0.9F, 0.1F, 0.4F, 0.6F, 0.4F, 0.6F, /* soft 0.567: right; the majority is wrong */
    0.3F, 0.7F, 0.2F, 0.8F, 0.6F, 0.4F, /* right, right */
    0.6F, 0.4F, 0.7F, 0.3F, 0.1F, 0.9F, /* soft 0.533 for 1: right; the majority is wrong */
};
static uint16_t labels[] = {0, 0, 1, 1};

/* What members say of samples. */
typedef struct votes {
  size_t samples, members, classes;
  const float *probabilities; /* [samples, members, classes] */
  const uint16_t *labels;     /* [samples] */
} votes;

static const votes four = {
    .samples = 4, .members = 3, .classes = 2, .probabilities = probabilities, .labels = labels};

/* Its figures, with weights or NULL, of samples that several threads have added. */
static ls_ensemble *ensemble_of(const votes *of, const double *weights)
{
  enum { THREADS = 3 };
  const size_t row = of->members * of->classes;
  ls_ensemble_sums *sums;
  ls_ensemble *ensemble;
  assert_int_equal(ls_ensemble_sums_new(&sums, of->members, of->classes, THREADS, weights), LS_OK);
  for (size_t s = 0; s < of->samples; s++)
    ls_ensemble_add(sums, s % THREADS, of->probabilities + s * row, of->classes, of->labels[s]);
  assert_int_equal(ls_ensemble_new(&ensemble, sums), LS_OK);
  ls_ensemble_sums_free(sums);
  return ensemble;
}

static void members_and_ways_of_voting(void **state)
{
  (void)state;
  ls_ensemble *ensemble = ensemble_of(&four, NULL);
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
  const votes two = {.samples = 1, .members = 2, .classes = 3, .probabilities = tied, .labels = &label};
  ls_ensemble *ensemble = ensemble_of(&two, NULL);
  assert_close(ensemble->hard, 1.0);
  ls_ensemble_free(ensemble);
}

/* What a hard vote must do, by its definition. */
static size_t hard_class(const float *p, size_t members, size_t classes)
{
  size_t best = 0, counts[8] = {0};
  double sums[8] = {0};
  for (size_t m = 0; m < members; m++) {
    size_t choice = 0;
    for (size_t k = 0; k < classes; k++) {
      sums[k] += (double)p[m * classes + k];
      if (p[m * classes + k] > p[m * classes + choice]) choice = k;
    }
    counts[choice]++;
  }
  for (size_t k = 1; k < classes; k++)
    if (counts[k] > counts[best] || (counts[k] == counts[best] && sums[k] > sums[best])) best = k;
  return best;
}

/* Members of few words: each is all but undecided between two classes, or sure of one. */
static void draw_member(const ls_rng *rng, uint32_t number, float *p, size_t classes)
{
  uint32_t words[4];
  ls_rng_block(rng, number, words);
  const size_t first = words[0] % classes, second = (first + 1 + words[1] % (classes - 1)) % classes;
  const float lead = words[2] % 3 == 0 ? 0.5F : 0.001F + 0.02F * (float)(words[3] % 8) / 8;
  for (size_t k = 0; k < classes; k++) p[k] = 0;
  p[first] = 0.5F + lead;
  p[second] = 0.5F - lead;
}

/* One vote more decides, however sure the others are; only between equals do probabilities count. */
static void one_vote_more_wins(void **state)
{
  (void)state;
  float p[7 * 5];
  const ls_rng rng = ls_rng_stream(4, LS_RNG_INIT, 0, 0);
  size_t against_the_mean = 0;
  for (uint32_t i = 0; i < 4000; i++) {
    const size_t members = 2 + i % 6, classes = 2 + i / 6 % 4;
    for (size_t m = 0; m < members; m++) draw_member(&rng, 8 * i + (uint32_t)m, p + m * classes, classes);
    uint16_t label = (uint16_t)hard_class(p, members, classes);
    const votes one = {
        .samples = 1, .members = members, .classes = classes, .probabilities = p, .labels = &label};
    ls_ensemble *ensemble = ensemble_of(&one, NULL);
    if (!(ensemble->hard == 1.0)) fail_msg("vote %u of %zu members", i, members);
    against_the_mean += ls_calibration_accuracy(&ensemble->soft) < 1;
    ls_ensemble_free(ensemble);
  }
  assert_in_range(against_the_mean, 100, 3900); /* the two ways of voting differ often */
}

/* Also where nearly half are sure, and the others all but undecided between the same two classes. */
static void a_narrow_majority_wins_at_any_size(void **state)
{
  (void)state;
  float p[2 * 41];
  uint16_t label = 0;
  for (size_t members = 3; members <= 41; members += 2) {
    for (size_t m = 0; m < members; m++) {
      const bool is_sure = 2 * m + 1 < members;
      p[2 * m] = is_sure ? 0 : 0.501F;
      p[2 * m + 1] = is_sure ? 1 : 0.499F;
    }
    const votes one = {.samples = 1, .members = members, .classes = 2, .probabilities = p, .labels = &label};
    ls_ensemble *ensemble = ensemble_of(&one, NULL);
    assert_true(ensemble->hard == 1.0 && ls_calibration_accuracy(&ensemble->soft) < 1);
    ls_ensemble_free(ensemble);
  }
}

/* The largest likelihood of two members that are right on other samples, found by trying all weights. */
static void fitted_weights_are_the_most_likely(void **state)
{
  (void)state;
  float p[] = {0.9F, 0.1F, 0.3F, 0.7F, 0.2F, 0.8F, 0.6F, 0.4F, 0.8F, 0.2F, 0.5F, 0.5F};
  uint16_t truth[] = {0, 0, 0};
  const votes two = {.samples = 3, .members = 2, .classes = 2, .probabilities = p, .labels = truth};
  double best = 0, most = -INFINITY;
  for (int i = 0; i <= 10000; i++) {
    const double w = i / 10000.0;
    const double likelihood =
        log(0.9 * w + 0.3 * (1 - w)) + log(0.2 * w + 0.6 * (1 - w)) + log(0.8 * w + 0.5 * (1 - w));
    if (likelihood > most) most = likelihood, best = w;
  }
  const float likelihoods[] = {0.9F, 0.3F, 0.2F, 0.6F, 0.8F, 0.5F};
  double weights[2];
  assert_int_equal(ls_vote_weights_find(weights, likelihoods, 3, 2), LS_OK);
  ls_ensemble *ensemble = ensemble_of(&two, weights);
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
  const votes pair = {.samples = 1, .members = 2, .classes = 2, .probabilities = two, .labels = &label};
  ls_ensemble *ensemble = ensemble_of(&pair, NULL);
  ls_text text = {0};
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
      cmocka_unit_test(one_vote_more_wins),
      cmocka_unit_test(a_narrow_majority_wins_at_any_size),
      cmocka_unit_test(fitted_weights_are_the_most_likely),
      cmocka_unit_test(calibration_error_is_the_distance_to_the_truth),
      cmocka_unit_test(long_names_are_marked_and_differ),
  };
  return cmocka_run_group_tests_name("ensemble", tests, NULL, NULL);
}
