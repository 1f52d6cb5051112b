/* SPDX-License-Identifier: BSD-3-Clause */
/* Mixtures: what they hold, how the shares are distributed, and what the loss makes of their labels. */
#include "train/mixup.h"

#include <math.h>

#include "cmocka_all.h"
#include "loss.h"

enum { N = 4, VALUES = 3 };

static ls_mixup *mixup_of(double alpha)
{
  ls_mixup *mixup;
  const ls_mixup_options options = {
      .alpha = alpha, .values = VALUES, .microbatch = N, .threads = 1, .seed = 5};
  assert_int_equal(ls_mixup_new(&mixup, &options), LS_OK);
  return mixup;
}

static void each_image_is_mixed_with_the_next(void **state)
{
  (void)state;
  const uint64_t samples[N] = {7, 3, 9, 1};
  const uint16_t labels[N] = {0, 1, 2, 3};
  const ls_microbatch microbatch = {.labels = labels, .samples = samples, .n = N};
  float x[N * VALUES], before[N * VALUES];
  for (size_t i = 0; i < N * VALUES; i++) before[i] = x[i] = (float)(i * i);
  ls_mixup *mixup = mixup_of(0.4);
  ls_mixup_apply(mixup, 0, &microbatch, 2, x);
  const ls_loss_mix *mix = ls_mixup_labels(mixup, 0);
  for (size_t i = 0; i < N; i++) {
    const double share = (double)mix->shares[i];
    assert_true(share >= 0.5 && share <= 1.0);
    assert_int_equal(mix->others[i], labels[(i + 1) % N]);
    for (size_t k = 0; k < VALUES; k++) {
      const double mixed =
          share * (double)before[i * VALUES + k] + (1 - share) * (double)before[(i + 1) % N * VALUES + k];
      assert_true(fabs((double)x[i * VALUES + k] - mixed) < 1e-4);
    }
  }
  ls_mixup_free(mixup);
  assert_null(mixup_of(0));
  assert_null(ls_mixup_labels(NULL, 0));
}

/* E[max(b, 1 - b)] of Beta(a, a): 3/4 for a = 1; 1/2 + 1/pi for a = 1/2. */
static void shares_are_beta_distributed(void **state)
{
  (void)state;
  const struct {
    double alpha, mean;
  } cases[] = {{1.0, 0.75}, {0.5, 0.5 + 0.3183098862}};
  for (size_t c = 0; c < 2; c++) {
    enum { DRAWS = 20000 };
    ls_mixup *mixup = mixup_of(cases[c].alpha);
    double sum = 0;
    for (uint64_t sample = 0; sample < DRAWS; sample++) {
      float x[VALUES] = {0};
      const uint16_t label = 0;
      const ls_microbatch one = {.labels = &label, .samples = &sample, .n = 1};
      ls_mixup_apply(mixup, 0, &one, 0, x);
      sum += (double)ls_mixup_labels(mixup, 0)->shares[0];
    }
    assert_true(fabs(sum / DRAWS - cases[c].mean) < 0.005);
    ls_mixup_free(mixup);
  }
}

/* The loss is linear in the targets: share times that of the label and the rest times that of the other. */
static void the_loss_is_the_mixture_of_losses(void **state)
{
  (void)state;
  const float logits[] = {0.5F, -1.0F, 2.0F, 0.1F, 0.2F, 0.3F}, shares[] = {0.7F, 1.0F};
  const uint16_t labels[] = {0, 2}, others[] = {2, 1};
  const ls_loss_mix mix = {others, shares};
  float mixed[6], own[6], other[6];
  const double smoothing = 0.1;
  const ls_loss loss = loss_named("cross_entropy");
  const ls_targets targets = {.n = 2, .classes = 3, .labels = labels, .mix = &mix, .smoothing = smoothing};
  const ls_loss_sums all = ls_loss_run(&loss, logits, &targets, 0.5, mixed);
  double expected = 0;
  for (size_t s = 0; s < 2; s++) {
    const double share = (double)shares[s];
    expected += share * cross_entropy(logits + 3 * s, labels + s, 1, 3, smoothing, 0.5, own + 3 * s).loss;
    expected +=
        (1 - share) * cross_entropy(logits + 3 * s, others + s, 1, 3, smoothing, 0.5, other + 3 * s).loss;
    for (size_t k = 3 * s; k < 3 * s + 3; k++)
      assert_true(fabs((double)mixed[k] - share * (double)own[k] - (1 - share) * (double)other[k]) < 1e-6);
  }
  assert_true(fabs(all.loss - expected) < 1e-6);
  assert_int_equal(all.correct, 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_image_is_mixed_with_the_next),
      cmocka_unit_test(shares_are_beta_distributed),
      cmocka_unit_test(the_loss_is_the_mixture_of_losses),
  };
  return cmocka_run_group_tests_name("mixup", tests, NULL, NULL);
}
