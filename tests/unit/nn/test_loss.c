/* SPDX-License-Identifier: BSD-3-Clause */
/* Losses: values worked out by hand or by PyTorch, extremes, counts, and what is not a number. Their
 * gradients are checked by test_gradients.c. */
#include "net.h"

#include <math.h>
#include <string.h>

#include "loss.h"
#include "nn/probability.h"

static void expect_near(double actual, double expected, double tolerance)
{
  if (!(fabs(actual - expected) <= tolerance)) fail_msg("%.12g is not %.12g", actual, expected);
}

static void known_values(void **state)
{
  (void)state;
  const float logits[] = {1.0F, 2.0F, 3.0F, 0.0F, 0.0F, 0.0F};
  const uint16_t labels[] = {2, 1};
  float gradient[6];
  const ls_loss_sums sums = cross_entropy(logits, labels, 2, 3, 0.0, 0.5, gradient);
  const double total = exp(1.0) + exp(2.0) + exp(3.0);
  expect_near(sums.loss, log(total) - 3.0 + log(3.0), 1e-6);
  assert_int_equal(sums.correct, 1); /* of equal logits the first one counts, not the label's */
  expect_near((double)gradient[0], 0.5 * exp(1.0) / total, 1e-7);
  expect_near((double)gradient[2], 0.5 * (exp(3.0) / total - 1.0), 1e-7);
  expect_near((double)gradient[4], 0.5 * (1.0 / 3.0 - 1.0), 1e-7);
}

/* t = (1 - s) onehot + s / classes. */
static void smoothing(void **state)
{
  (void)state;
  const float logits[] = {1.0F, 2.0F, 3.0F};
  const uint16_t label = 0;
  float gradient[3];
  const double log_total = log(exp(1.0) + exp(2.0) + exp(3.0));
  const ls_loss_sums sums = cross_entropy(logits, &label, 1, 3, 0.3, 1.0, gradient);
  const double expected = 0.8 * (log_total - 1.0) + 0.1 * (log_total - 2.0) + 0.1 * (log_total - 3.0);
  expect_near(sums.loss, expected, 1e-6);
  assert_int_equal(sums.correct, 0);
  expect_near((double)gradient[0], exp(1.0 - log_total) - 0.8, 1e-7);
  expect_near((double)gradient[1], exp(2.0 - log_total) - 0.1, 1e-7);
  expect_near((double)gradient[0] + (double)gradient[1] + (double)gradient[2], 0.0, 1e-7);
}

/* Logits that would overflow an exponential, or vanish in it. */
static void extremes(void **state)
{
  (void)state;
  const float logits[] = {10000.0F, 0.0F, -10000.0F, -3e38F, -3e38F, -3e38F, 0.0F, 3e38F, 0.0F};
  const uint16_t labels[] = {1, 0, 1};
  float gradient[9];
  ls_loss_sums sums = cross_entropy(logits, labels, 1, 3, 0.0, 1.0, gradient);
  expect_near(sums.loss, 10000.0, 1e-2);
  expect_near((double)gradient[0], 1.0, 1e-7);
  expect_near((double)gradient[1], -1.0, 1e-7);
  sums = cross_entropy(logits + 3, labels + 1, 2, 3, 0.0, 1.0, gradient);
  expect_near(sums.loss, log(3.0), 1e-6);
  assert_int_equal(sums.correct, 2);
}

/* A sure and right answer costs little, and what it costs is not lost to rounding at 1. */
static void a_small_loss_is_exact(void **state)
{
  (void)state;
  const float logits[] = {12.0F, 0.0F, 0.0F};
  const uint16_t label = 0;
  const ls_loss_sums sums = cross_entropy(logits, &label, 1, 3, 0.0, 1.0, NULL);
  expect_near(sums.loss / log1p(2.0 * exp(-12.0)), 1.0, 1e-5);
}

/* Many samples: the sum is kept in double. */
static void sums_in_double(void **state)
{
  (void)state;
  enum { N = 4096 };
  static float logits[N * 2];
  static uint16_t labels[N];
  const double one = log1p(exp(-1.0));
  for (int i = 0; i < N; i++) logits[2 * i] = 1.0F;
  const ls_loss_sums sums = cross_entropy(logits, labels, N, 2, 0.0, 1.0, NULL);
  assert_int_equal(sums.correct, N);
  expect_near(sums.loss / (N * one), 1.0, 1e-7);
}

static void divergence_is_seen(void **state)
{
  (void)state;
  const float bad[] = {NAN, INFINITY};
  const uint16_t label = 1;
  const float values[4] = {0};
  const ls_targets targets = {.n = 1, .classes = 4, .labels = &label, .values = values};
  for (const ls_loss_kind *const *kind = ls_loss_kinds; *kind; kind++) {
    ls_spec *spec = net_spec_with("[{type: relu}]", "train.loss", (*kind)->schema.name);
    const ls_loss of_kind = ls_loss_of(&spec->train.loss);
    for (size_t i = 0; i < 2; i++)
      for (size_t at = 0; at < 4; at++) {
        float logits[] = {0.5F, 1.0F, -1.0F, 0.0F};
        logits[at] = bad[i];
        const double loss = ls_loss_run(&of_kind, logits, &targets, 1.0, NULL).loss;
        assert_true(isnan(bad[i]) ? isnan(loss) : !isfinite(loss));
      }
    ls_spec_free(spec);
  }
}

/* Adding a constant to all logits of a sample changes nothing, so each sample's gradient sums to 0. */
static void gradients_sum_to_zero(void **state)
{
  (void)state;
  enum { N = 3, MAX_CLASSES = 100 };
  static const size_t classes[] = {2, 3, 10, MAX_CLASSES};
  static const double smoothings[] = {0.0, 0.1, 0.9};
  float logits[N * MAX_CLASSES], gradient[N * MAX_CLASSES];
  const uint16_t labels[N] = {0, 1, 1};
  for (size_t i = 0; i < N * MAX_CLASSES; i++) logits[i] = 5.0F * sinf((float)i);
  for (size_t i = 0; i < 4; i++)
    for (size_t j = 0; j < 3; j++) {
      cross_entropy(logits, labels, N, classes[i], smoothings[j], 1.0, gradient);
      for (size_t s = 0; s < N; s++) {
        double sum = 0.0;
        for (size_t k = 0; k < classes[i]; k++) sum += (double)gradient[s * classes[i] + k];
        /* The log of the sum, at most 5, is rounded to float: 2.4e-7 of each p; so is each p itself. */
        expect_near(sum, 0.0, 1e-6);
      }
    }
}

static double odds(float logit, double apart)
{
  const float logits[] = {logit, (float)((double)logit - apart), (float)((double)logit - apart)};
  return ls_log_odds(logits, 0, 3);
}

/* -log p is 0 in double from 37 on; the odds go on. */
static void log_odds_do_not_saturate(void **state)
{
  (void)state;
  const float logits[] = {1.0F, 2.0F, 3.0F};
  const double p = exp(2.0) / (exp(1.0) + exp(2.0) + exp(3.0));
  expect_near(ls_log_odds(logits, 1, 3), log(p / (1.0 - p)), 1e-12);
  expect_near(odds(0.0F, 50.0), 50.0 - log(2.0), 1e-12);
  expect_near(odds(5.0F, 4000.0), 4000.0 - log(2.0), 1e-9);
  expect_near(odds(0.0F, -4000.0), -4000.0 - log(2.0), 1e-9);
  assert_true(odds(0.0F, 1000.0) < odds(0.0F, 1001.0));
}

/* Where float32 resolves it: the gradient without its factor 1 - p. */
static void the_direction_is_that_of_the_gradient(void **state)
{
  (void)state;
  enum { N = 40, CLASSES = 7 };
  float logits[N * CLASSES], gradient[N * CLASSES], direction[N * CLASSES];
  uint16_t labels[N];
  for (size_t i = 0; i < N * CLASSES; i++) logits[i] = 3.0F * sinf((float)(i * i));
  for (size_t s = 0; s < N; s++) labels[s] = (uint16_t)(s % CLASSES);
  cross_entropy(logits, labels, N, CLASSES, 0.0, 1.0, gradient);
  cross_entropy_direction(logits, labels, N, CLASSES, 0.25, direction);
  for (size_t s = 0; s < N; s++) {
    const double rest = -(double)gradient[s * CLASSES + labels[s]];
    for (size_t k = 0; k < CLASSES; k++)
      expect_near((double)direction[s * CLASSES + k], 0.25 * (double)gradient[s * CLASSES + k] / rest, 1e-5);
  }
}

/* However sure, and whatever the scale of the logits: by a power of ten it is the same. */
static void the_direction_does_not_vanish(void **state)
{
  (void)state;
  static const float scales[] = {1.0F, 10.0F, 100.0F, 1000.0F, 1e6F, 1e30F};
  const uint16_t label = 2;
  const double total = 1.0 + exp(-1.0) + exp(-4.0);
  for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
    float logits[] = {-10.0F, -11.0F, 30.0F, -14.0F}, direction[4];
    for (size_t k = 0; k < 4; k++) logits[k] *= scales[i];
    cross_entropy_direction(logits, &label, 1, 4, 8.0, direction);
    expect_near((double)direction[0], 8.0 / total, 1e-5);
    expect_near((double)direction[1], 8.0 * exp(-1.0) / total, 1e-5);
    expect_near((double)direction[2], -8.0, 1e-5);
    expect_near((double)direction[3], 8.0 * exp(-4.0) / total, 1e-5);
  }
}

static void the_direction_at_the_extremes(void **state)
{
  (void)state;
  const uint16_t label = 0;
  const float alone[] = {5.0F}, lost[] = {NAN, 0.0F}, far[] = {3e38F, -3e38F, -3e38F};
  float direction[3] = {7.0F, 7.0F, 7.0F};
  cross_entropy_direction(alone, &label, 1, 1, 1.0, direction); /* no other class */
  assert_float_equal(direction[0], 0.0F, 0.0F);
  cross_entropy_direction(far, &label, 1, 3, 1.0, direction);
  expect_near((double)direction[0], -1.0, 1e-7);
  expect_near((double)direction[1], 0.5, 1e-7);
  cross_entropy_direction(lost, &label, 1, 2, 1.0, direction); /* ends, whatever comes */
}

static void probabilities(void **state)
{
  (void)state;
  float logits[] = {1.0F, 2.0F, 3.0F, 500.0F, 500.0F, -500.0F};
  const double total = exp(1.0) + exp(2.0) + exp(3.0);
  ls_softmax(logits, 2, 3, logits); /* in place */
  expect_near((double)logits[0], exp(1.0) / total, 1e-7);
  expect_near((double)logits[2], exp(3.0) / total, 1e-7);
  expect_near((double)logits[3], 0.5, 1e-7);
  expect_near((double)logits[5], 0.0, 0.0);
}

/* Every kind by logits 0.5, -1, 2, 0.25: of label 0, or of the labels or values 1, 0, 0, 1, and of a mixture
 * of 0.75 of it with label 2 at a smoothing of 0.1, as PyTorch has them (a kind of labels alone: 0). */
static const struct {
  const char *kind;
  double of_label, of_mixture;
} values_of_kinds[] = {{"cross_entropy", 1.869278998448, 1.538028998448},
                       {"focal", 1.337130280610, 1.064345079374},
                       {"bce", 0.872551525655, 0},
                       {"mse", 1.453125, 0}};

static void every_kind_has_known_values(void **state)
{
  (void)state;
  const float logits[] = {0.5F, -1.0F, 2.0F, 0.25F}, share = 0.75F, values[] = {1.0F, 0.0F, 0.0F, 1.0F};
  const uint16_t label = 0, other = 2;
  const ls_loss_mix mix = {&other, &share};
  const ls_targets alone = {.n = 1, .classes = 4, .labels = &label, .values = values};
  const ls_targets mixed = {.n = 1, .classes = 4, .labels = &label, .mix = &mix, .smoothing = 0.1};
  for (const ls_loss_kind *const *kind = ls_loss_kinds; *kind; kind++) {
    const char *name = (*kind)->schema.name;
    const size_t count = sizeof values_of_kinds / sizeof values_of_kinds[0];
    ls_spec *spec = net_spec_with("[{type: relu}]", "train.loss", name);
    const ls_loss loss = ls_loss_of(&spec->train.loss);
    size_t i = 0;
    while (i < count && strcmp(values_of_kinds[i].kind, name) != 0) i++;
    if (i == count)
      fail_msg("%s has no case: add its values to `values_of_kinds` in tests/unit/nn/test_loss.c", name);
    expect_near(ls_loss_run(&loss, logits, &alone, 1.0, NULL).loss, values_of_kinds[i].of_label, 1e-6);
    if ((*kind)->target == LS_TARGET_PROBABILITIES)
      expect_near(ls_loss_run(&loss, logits, &mixed, 1.0, NULL).loss, values_of_kinds[i].of_mixture, 1e-6);
    ls_spec_free(spec);
  }
}

/* Of the same logits, label and mixture. */
typedef struct focal_case {
  const char *options;
  double of_label, of_mixture;
  double gradient[4], mixed_gradient[4];
} focal_case;

/* By PyTorch's autograd in float64, of the formula. */
static const focal_case focal_cases[] = {
    {"{type: focal, gamma: 0}",
     1.869278998448,
     1.538028998448,
     {-0.8457651747, 0.0344144413, 0.6912325307, 0.1201182027},
     {-0.5457651747, 0.0094144413, 0.4412325307, 0.0951182027}},
    {"{type: focal, gamma: 0.5}",
     1.719091630657,
     1.387131364593,
     {-0.9103840040, 0.0370438010, 0.7440446330, 0.1292955700},
     {-0.5988300473, 0.0084664520, 0.4967633714, 0.0936002239}},
    {"{type: focal, gamma: 2, alpha: [0.25, 0.5, 1, 2]}",
     0.334282570153,
     0.364102830651,
     {-0.2543639454, 0.0103501460, 0.2078882401, 0.0361255593},
     {-0.1566464024, -0.0024315264, 0.1782254107, -0.0191474819}},
    {"{type: focal, alpha: [0.25]}",
     0.334282570153,
     0.266086269844,
     {-0.2543639454, 0.0103501460, 0.2078882401, 0.0361255593},
     {-0.1733234914, 0.0010740517, 0.1509153588, 0.0213340810}},
};

static void expect_loss(const ls_loss *loss, const ls_targets *targets, double expected,
                        const double gradient[4])
{
  const float logits[] = {0.5F, -1.0F, 2.0F, 0.25F};
  float found[4];
  expect_near(ls_loss_run(loss, logits, targets, 0.5, found).loss, expected, 1e-9);
  for (size_t k = 0; k < 4; k++) expect_near((double)found[k], 0.5 * gradient[k], 1e-7);
}

static void focal_is_that_of_pytorch(void **state)
{
  (void)state;
  const float share = 0.75F;
  const uint16_t label = 0, other = 2;
  const ls_loss_mix mix = {&other, &share};
  const ls_targets alone = {.n = 1, .classes = 4, .labels = &label};
  const ls_targets mixed = {.n = 1, .classes = 4, .labels = &label, .mix = &mix, .smoothing = 0.1};
  for (size_t i = 0; i < sizeof focal_cases / sizeof *focal_cases; i++) {
    const focal_case *one = &focal_cases[i];
    ls_spec *spec = net_spec_with("[{type: relu}]", "train.loss", one->options);
    const ls_loss loss = ls_loss_of(&spec->train.loss);
    expect_loss(&loss, &alone, one->of_label, one->gradient);
    expect_loss(&loss, &mixed, one->of_mixture, one->mixed_gradient);
    ls_spec_free(spec);
  }
}

/* By PyTorch in float64, BCEWithLogitsLoss and MSELoss, of the same logits. */
static const struct {
  const char *options;
  float values[4];
  double loss, gradient[4];
} cases_of_values[] = {
    {"bce", {1, 0, 0, 1}, 0.872551525655, {-0.0943851672, 0.0672353553, 0.2201992695, -0.1094558748}},
    {"{type: bce, pos_weight: [2.5]}",
     {1, 0, 0, 1},
     1.266307677177,
     {-0.2359629180, 0.0672353553, 0.2201992695, -0.2736396869}},
    {"{type: bce, pos_weight: [0.25, 1, 2, 4]}",
     {1, 0, 0, 1},
     1.215616656030,
     {-0.0235962918, 0.0672353553, 0.2201992695, -0.4378234991}},
    {"{type: bce, pos_weight: [0.25, 1, 2, 4]}",
     {0, 1, 1, 0},
     0.841783528416,
     {0.1556148328, -0.1827646447, -0.0596014610, 0.1405441252}},
    {"mse", {1, 0, 0, 1}, 1.453125, {-0.25, -0.5, 1, -0.375}},
    {"mse", {1.5F, -0.25F, 3, 0}, 0.65625, {-0.5, -0.375, -0.5, 0.125}},
};

static void losses_of_values_are_those_of_pytorch(void **state)
{
  (void)state;
  const uint16_t label = 0;
  for (size_t i = 0; i < sizeof cases_of_values / sizeof *cases_of_values; i++) {
    ls_spec *spec = net_spec_with("[{type: relu}]", "train.loss", cases_of_values[i].options);
    const ls_loss loss = ls_loss_of(&spec->train.loss);
    const ls_targets targets = {.n = 1, .classes = 4, .labels = &label, .values = cases_of_values[i].values};
    expect_loss(&loss, &targets, cases_of_values[i].loss, cases_of_values[i].gradient);
    ls_spec_free(spec);
  }
}

/* Logits whose exponentials overflow, or vanish; and which of two samples has all its labels. */
static void several_labels(void **state)
{
  (void)state;
  const ls_loss loss = loss_named("bce");
  const float logits[] = {10000.0F, -10000.0F, 3e38F, -3e38F, 0.0F, 1e-30F, 10000.0F, -1.0F};
  const float values[] = {1, 0, 1, 0, 0, 1, 0, 0};
  const uint16_t labels[] = {0, 0};
  float gradient[8];
  ls_spec *spec = net_spec_with("[{type: relu}]", "train.loss", "bce");
  const ls_loss of_spec = ls_loss_of(&spec->train.loss);
  const ls_targets targets = {.n = 2, .classes = 4, .labels = labels, .values = values};
  assert_ptr_equal(of_spec.kind, loss.kind);
  const ls_loss_sums sums = ls_loss_run(&of_spec, logits, &targets, 4.0, gradient);
  expect_near(sums.loss, (2 * log(2.0) + 10000.0 + log1p(exp(-1.0))) / 4, 1e-9);
  assert_int_equal(sums.correct, 1);
  for (size_t k = 0; k < 4; k++) expect_near((double)gradient[k], 0.0, 0.0);
  expect_near((double)gradient[4], 0.5, 1e-7);
  expect_near((double)gradient[5], -0.5, 1e-7);
  expect_near((double)gradient[6], 1.0, 0.0);
  ls_spec_free(spec);
}

static void what_outputs_say(void **state)
{
  (void)state;
  const float logits[] = {0.0F, 1.0F, -2.0F, 100.0F};
  float out[4];
  loss_named("bce").kind->outputs(logits, 2, 2, out);
  for (size_t k = 0; k < 4; k++) expect_near((double)out[k], 1.0 / (1.0 + exp(-(double)logits[k])), 1e-7);
  loss_named("mse").kind->outputs(logits, 2, 2, out);
  assert_memory_equal(out, logits, sizeof out);
  loss_named("focal").kind->outputs(logits, 2, 2, out);
  expect_near((double)out[0], 1.0 / (1.0 + exp(1.0)), 1e-7);
}

/* Sure and right, sure and wrong, and logits that would overflow an exponential. */
static void focal_at_the_extremes(void **state)
{
  (void)state;
  static const char *const options[] = {"{type: focal, gamma: 0.5}", "focal", "{type: focal, gamma: 50}"};
  const float logits[] = {10000.0F, 0.0F, -10000.0F, 3e38F, -3e38F, -3e38F, -3e38F, -3e38F, -3e38F};
  for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
    ls_spec *spec = net_spec_with("[{type: relu}]", "train.loss", options[i]);
    const ls_loss loss = ls_loss_of(&spec->train.loss);
    const double gamma = i == 0 ? 0.5 : i == 1 ? 2 : 50;
    const uint16_t right[] = {0, 0}, wrong = 1;
    float gradient[6];
    ls_targets targets = {.n = 2, .classes = 3, .labels = right};
    expect_near(ls_loss_run(&loss, logits, &targets, 1.0, gradient).loss, 0.0, 0.0);
    for (size_t k = 0; k < 6; k++) expect_near((double)gradient[k], 0.0, 0.0);
    targets = (ls_targets){.n = 1, .classes = 3, .labels = &wrong};
    expect_near(ls_loss_run(&loss, logits, &targets, 1.0, gradient).loss, 10000.0, 1e-2);
    expect_near((double)gradient[0], 1.0, 1e-6);
    expect_near((double)gradient[1], -1.0, 1e-6);
    expect_near(ls_loss_run(&loss, logits + 6, &targets, 1.0, gradient).loss,
                pow(2.0 / 3.0, gamma) * log(3.0), 1e-9);
    ls_spec_free(spec);
  }
}

static void focal_has_a_weight_for_each_class(void **state)
{
  (void)state;
  static const struct {
    const char *options;
    size_t classes;
    ls_status expected;
  } cases[] = {{"focal", 10, LS_OK},
               {"{type: focal, alpha: [0.5]}", 10, LS_OK},
               {"{type: focal, alpha: [1, 2, 3]}", 3, LS_OK},
               {"{type: focal, alpha: [1, 2, 3]}", 4, LS_E_CONFIG},
               {"{type: bce, pos_weight: [1, 2, 3]}", 3, LS_OK},
               {"{type: bce, pos_weight: [1, 2, 3]}", 4, LS_E_CONFIG},
               {"{type: focal, alpha: [1, 2, 3]}", 2, LS_E_CONFIG}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ls_spec *spec = net_spec_with("[{type: relu}]", "train.loss", cases[i].options);
    const ls_loss loss = ls_loss_of(&spec->train.loss);
    assert_int_equal(ls_loss_check_classes(&loss, cases[i].classes), cases[i].expected);
    ls_spec_free(spec);
  }
  assert_non_null(strstr(ls_error_last()->text, "train.loss.alpha: 3 weights, but there are 2 classes"));
}

/* A loss of labels alone. */
static double count_samples(const void *options, const float *logits, size_t classes, const ls_target *target,
                            double scale, float *gradient)
{
  (void)options, (void)logits;
  for (size_t k = 0; gradient && k < classes; k++) gradient[k] = k == target->label ? (float)scale : 0.0F;
  return 1.0;
}

static void losses_of_labels_take_no_mixtures(void **state)
{
  (void)state;
  static const ls_loss_kind kind = {
      .schema = {.name = "count"}, .target = LS_TARGET_LABEL, .sample = count_samples};
  const ls_loss labels = {.kind = &kind}, any = loss_named("cross_entropy");
  assert_int_equal(ls_loss_check(&any, 0.1, 0.2), LS_OK);
  assert_int_equal(ls_loss_check(&labels, 0.0, 0.0), LS_OK);
  assert_int_equal(ls_loss_check(&labels, 0.1, 0.0), LS_E_CONFIG);
  assert_non_null(
      strstr(ls_error_last()->text, "train.label_smoothing: the loss count takes labels as they are"));
  assert_int_equal(ls_loss_check(&labels, 0.0, 0.2), LS_E_CONFIG);
  assert_non_null(
      strstr(ls_error_last()->text, "data.augment.mixup: the loss count takes labels as they are"));
}

/* Without a direction of its own, a loss is followed by its gradient. */
static void a_direction_is_the_gradient_by_default(void **state)
{
  (void)state;
  static const ls_loss_kind kind = {.target = LS_TARGET_LABEL, .sample = count_samples};
  const ls_loss loss = {.kind = &kind};
  const float logits[6] = {0};
  const uint16_t labels[] = {2, 0};
  const ls_targets targets = {.n = 2, .classes = 3, .labels = labels};
  float direction[6];
  ls_loss_direction(&loss, logits, &targets, 8.0, direction);
  assert_memory_equal(direction, ((const float[]){0, 0, 8, 8, 0, 0}), sizeof direction);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(known_values),
      cmocka_unit_test(smoothing),
      cmocka_unit_test(extremes),
      cmocka_unit_test(a_small_loss_is_exact),
      cmocka_unit_test(sums_in_double),
      cmocka_unit_test(divergence_is_seen),
      cmocka_unit_test(gradients_sum_to_zero),
      cmocka_unit_test(log_odds_do_not_saturate),
      cmocka_unit_test(the_direction_is_that_of_the_gradient),
      cmocka_unit_test(the_direction_does_not_vanish),
      cmocka_unit_test(the_direction_at_the_extremes),
      cmocka_unit_test(probabilities),
      cmocka_unit_test(every_kind_has_known_values),
      cmocka_unit_test(losses_of_values_are_those_of_pytorch),
      cmocka_unit_test(several_labels),
      cmocka_unit_test(what_outputs_say),
      cmocka_unit_test(focal_is_that_of_pytorch),
      cmocka_unit_test(focal_at_the_extremes),
      cmocka_unit_test(focal_has_a_weight_for_each_class),
      cmocka_unit_test(losses_of_labels_take_no_mixtures),
      cmocka_unit_test(a_direction_is_the_gradient_by_default),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
