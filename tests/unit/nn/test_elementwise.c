/* SPDX-License-Identifier: BSD-3-Clause */
/* What users rely on in layers without weights: dropout's masks follow the sample and not its index, values
 * that are not numbers go through activations, evaluation uses running statistics. */
#include "net.h"

enum { FEATURES = 4096, MICROBATCH = 4 };

/* Run dropout over ones; y is borrowed. */
static const float *drop(test_net *n)
{
  static float ones[MICROBATCH * FEATURES];
  for (size_t i = 0; i < MICROBATCH * FEATURES; i++) ones[i] = 1.0F;
  return net_forward(n, ones);
}

static size_t zeros(const float *y, size_t count)
{
  size_t found = 0;
  for (size_t i = 0; i < count; i++) found += y[i] == 0.0F;
  return found;
}

static void dropout_drops_its_rate(void **state)
{
  (void)state;
  static const struct {
    const char *layers;
    double rate;
  } cases[] = {{"[{type: dropout}]", 0.5},
               {"[{type: dropout, rate: 0.1}]", 0.1},
               {"[{type: dropout, rate: 0.9}]", 0.9},
               {"[{type: dropout, rate: 0}]", 0.0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    test_net n;
    net_init(&n, cases[i].layers, (ls_shape){FEATURES, 1, 1}, MICROBATCH);
    const float *y = drop(&n);
    const double count = MICROBATCH * FEATURES, rate = cases[i].rate;
    /* Five standard deviations: about one run in two million would fail, and the masks are always the same.
     */
    const double margin = 5 * sqrt(count * rate * (1 - rate));
    const double dropped = (double)zeros(y, MICROBATCH * FEATURES);
    assert_true(fabs(dropped - count * rate) <= margin);
    for (size_t k = 0; k < MICROBATCH * FEATURES; k++)
      assert_true(y[k] == 0.0F || fabs((double)y[k] * (1 - rate) - 1.0) < 1e-4);
    net_fini(&n);
  }
}

/* The expectation is kept even where sixteen bits cannot express the rate. */
static void dropout_survives_extreme_rates(void **state)
{
  (void)state;
  test_net n;
  net_init(&n, "[{type: dropout, rate: 0.9999999}]", (ls_shape){FEATURES, 1, 1}, MICROBATCH);
  const float *y = drop(&n);
  for (size_t k = 0; k < MICROBATCH * FEATURES; k++) assert_true(y[k] == 0.0F || y[k] == 65536.0F);
  net_fini(&n);
}

static void dropout_follows_the_sample(void **state)
{
  (void)state;
  static float first[FEATURES], other[FEATURES];
  const size_t bytes = sizeof first;
  test_net n;
  net_init(&n, "[{type: dropout}]", (ls_shape){FEATURES, 1, 1}, MICROBATCH);
  memcpy(first, drop(&n), bytes);
  memcpy(other, drop(&n) + FEATURES, bytes);
  assert_memory_not_equal(first, other, bytes);
  n.samples[2] = n.samples[0]; /* the same sample at another index, in a smaller micro-batch */
  n.pass.n = 3;
  assert_memory_equal(drop(&n) + 2 * FEATURES, first, bytes);
  n.pass.epoch++;
  assert_memory_not_equal(drop(&n), first, bytes);
  n.pass.epoch--;
  n.pass.seed++;
  assert_memory_not_equal(drop(&n), first, bytes);
  n.pass.seed--;
  assert_memory_equal(drop(&n), first, bytes);
  n.pass.training = false;
  assert_int_equal(zeros(drop(&n), FEATURES), 0);
  net_fini(&n);
}

/* Two dropout layers have masks of their own: together they keep a quarter. */
static void dropout_layers_are_independent(void **state)
{
  (void)state;
  test_net n;
  net_init(&n, "[{type: dropout}, {type: dropout}]", (ls_shape){FEATURES, 1, 1}, MICROBATCH);
  const double kept = 1.0 - (double)zeros(drop(&n), MICROBATCH * FEATURES) / (MICROBATCH * FEATURES);
  assert_true(fabs(kept - 0.25) < 0.02);
  net_fini(&n);
}

static bool is_activation(const ls_layer_kind *kind)
{
  return kind->role == LS_ROLE_RECTIFIER || kind->role == LS_ROLE_SIGMOID;
}

/* Divergence must reach the loss. */
static void activations_pass_nan_on(void **state)
{
  (void)state;
  for (const ls_layer_kind *const *kind = ls_layer_kinds; *kind; kind++) {
    char layers[64];
    test_net n;
    float x[40];
    if (!is_activation(*kind)) continue;
    snprintf(layers, sizeof layers, "[{type: flatten}, {type: %s}]", (*kind)->schema.name);
    net_init(&n, layers, (ls_shape){20, 1, 1}, 2);
    net_random(1, x, 40);
    x[3] = x[37] = NAN;
    const float *y = net_forward(&n, x);
    for (size_t k = 0; k < 40; k++)
      if ((isnan(y[k]) != 0) != (k == 3 || k == 37)) fail_msg("%s: %g", layers, (double)y[k]);
    net_fini(&n);
  }
}

/* Large inputs saturate, and neither they nor their gradients overflow. */
static void activations_saturate(void **state)
{
  (void)state;
  static const struct {
    const char *layers;
    float low, high; /* at -1000 and 1000 */
  } cases[] = {{"[{type: relu}]", 0.0F, 1000.0F},
               {"[{type: leaky_relu}]", -10.0F, 1000.0F},
               {"[{type: tanh}]", -1.0F, 1.0F},
               {"[{type: sigmoid}]", 0.0F, 1.0F},
               {"[{type: gelu}]", 0.0F, 1000.0F},
               {"[{type: relu6}]", 0.0F, 6.0F},
               {"[{type: silu}]", 0.0F, 1000.0F},
               {"[{type: hardsigmoid}]", 0.0F, 1.0F},
               {"[{type: hardswish}]", 0.0F, 1000.0F},
               {"[{type: elu, alpha: 1.5}]", -1.5F, 1000.0F},
               {"[{type: prelu}]", -250.0F, 1000.0F},
               {"[{type: softplus}]", 0.0F, 1000.0F},
               {"[{type: softplus, beta: 2, threshold: 1e6}]", 0.0F, 1000.0F}};
  const float x[] = {-1000.0F, 1000.0F}, dy[] = {1.0F, 1.0F};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    test_net n;
    net_init(&n, cases[i].layers, (ls_shape){2, 1, 1}, 1);
    const float *y = net_forward(&n, x);
    assert_true(fabsf(y[0] - cases[i].low) < 1e-4F && fabsf(y[1] - cases[i].high) < 1e-4F);
    net_backward(&n, dy, true);
    assert_true(isfinite(n.dx[0]) && isfinite(n.dx[1]));
    net_fini(&n);
  }
}

/* Ghost batch norm: statistics are of one micro-batch, and weigh in the step's mean by its samples. */
static void batchnorm_weighs_micro_batches(void **state)
{
  (void)state;
  test_net n;
  net_init(&n, "[{type: batchnorm, momentum: 0.25}]", (ls_shape){1, 1, 1}, 3);
  net_forward(&n, (const float[]){1.0F, 2.0F, 6.0F});
  n.pass.n = 1;
  n.pass.accumulate = true;
  const float *y = net_forward(&n, (const float[]){7.0F});
  assert_true(fabsf(y[0]) < 1e-6F); /* one value is its own mean */
  assert_true(fabsf(n.stats[0] - (3 * 3.0F + 7.0F)) < 1e-5F);
  assert_true(fabsf(n.stats[1] - 3 * 7.0F) < 1e-5F); /* unbiased 14 / 2; a single value has none */
  for (size_t i = 0; i < 2; i++) n.stats[i] /= 4;
  ls_model_update_buffers(n.model, n.stats, n.buffers);
  assert_true(fabsf(n.buffers[0] - 0.25F * 4.0F) < 1e-6F);
  assert_true(fabsf(n.buffers[1] - (0.75F + 0.25F * 5.25F)) < 1e-6F);
  net_fini(&n);
}

/* Values far from zero lose nothing but what float32 loses in them. */
static void batchnorm_far_from_zero(void **state)
{
  (void)state;
  enum { N = 64 };
  float x[N];
  test_net n;
  net_init(&n, "[{type: batchnorm}]", (ls_shape){1, 1, 1}, N);
  for (size_t i = 0; i < N; i++) x[i] = 4096.0F + (i % 2 == 0 ? 1.0F : -1.0F);
  const float *y = net_forward(&n, x);
  for (size_t i = 0; i < N; i++) assert_true(fabsf(y[i] - (i % 2 == 0 ? 1.0F : -1.0F)) < 1e-3F);
  assert_true(fabsf(n.stats[1] / N - 64.0F / 63.0F) < 1e-4F);
  net_fini(&n);
}

static void flatten_is_channel_by_channel(void **state)
{
  (void)state;
  test_net n;
  float x[2 * 3 * 4];
  net_init(&n, "[{type: flatten}]", (ls_shape){.c = 2, .h = 3, .w = 4}, 1);
  for (size_t i = 0; i < 24; i++) x[i] = (float)i; /* [h, w, c] */
  const float *y = net_forward(&n, x);
  for (size_t c = 0; c < 2; c++)
    for (size_t p = 0; p < 12; p++) assert_true(y[c * 12 + p] == (float)(p * 2 + c));
  net_fini(&n);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dropout_drops_its_rate),         cmocka_unit_test(dropout_survives_extreme_rates),
      cmocka_unit_test(dropout_follows_the_sample),     cmocka_unit_test(dropout_layers_are_independent),
      cmocka_unit_test(activations_pass_nan_on),        cmocka_unit_test(activations_saturate),
      cmocka_unit_test(batchnorm_weighs_micro_batches), cmocka_unit_test(batchnorm_far_from_zero),
      cmocka_unit_test(flatten_is_channel_by_channel),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
