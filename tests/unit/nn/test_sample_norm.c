/* SPDX-License-Identifier: BSD-3-Clause */
/* Layers that work on every sample by itself: no bit depends on the micro-batch around it, statistics are
 * good far from zero and over many values, and what has no statistics is refused. */
#include "net.h"

enum { CHANNELS = 12, ROWS = 5, COLUMNS = 4, COUNT = CHANNELS * ROWS * COLUMNS, SAMPLES = 4 };

static const ls_shape image = {.c = CHANNELS, .h = ROWS, .w = COLUMNS};

/* y and dx of samples from `first` on. */
typedef struct outcome {
  float y[SAMPLES * COUNT], dx[SAMPLES * COUNT];
} outcome;

static void run(const char *layers, size_t microbatch, size_t n, bool training, const float *x,
                const float *dy, outcome *result)
{
  test_net net;
  net_init(&net, layers, image, microbatch);
  for (size_t i = 0; i < ls_model_count(net.model)->params; i++) net.params[i] += 0.125F * (float)(i % 5);
  net.pass.n = n;
  net.pass.training = training;
  memcpy(result->y, net_forward(&net, x), n * COUNT * sizeof *x);
  net_backward(&net, dy, true);
  memcpy(result->dx, net.dx, n * COUNT * sizeof *x);
  net_fini(&net);
}

static void expect_same_bits(const char *layers)
{
  static float x[SAMPLES * COUNT], dy[SAMPLES * COUNT];
  static outcome together, alone;
  net_random(1, x, SAMPLES * COUNT);
  net_random(2, dy, SAMPLES * COUNT);
  run(layers, SAMPLES + 1, SAMPLES, true, x, dy, &together);
  run(layers, SAMPLES, SAMPLES, false, x, dy, &alone);
  if (memcmp(&alone, &together, sizeof alone) != 0) fail_msg("%s: evaluation differs from training", layers);
  for (size_t s = 0; s < SAMPLES; s++) {
    const size_t at = s * COUNT, bytes = COUNT * sizeof *x;
    run(layers, 1, 1, true, x + at, dy + at, &alone);
    if (memcmp(alone.y, together.y + at, bytes) != 0 || memcmp(alone.dx, together.dx + at, bytes) != 0)
      fail_msg("%s: sample %zu alone gives other bits than in a micro-batch", layers, s);
  }
}

static void samples_do_not_mix(void **state)
{
  (void)state;
  static const char *const kinds[] = {"groupnorm, groups: 3",
                                      "groupnorm, groups: 12",
                                      "layernorm",
                                      "layernorm, axes: channels",
                                      "instancenorm",
                                      "instancenorm, affine: true",
                                      "lrn, size: 5, alpha: 2",
                                      "prelu",
                                      "prelu, per_channel: true",
                                      "silu",
                                      "relu6",
                                      "hardswish",
                                      "hardsigmoid",
                                      "elu",
                                      "softplus"};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    char layers[128];
    snprintf(layers, sizeof layers, "[{type: %s}, {type: flatten}]", kinds[i]);
    expect_same_bits(layers);
  }
}

/* ---- accuracy ---- */

static const char *const norms[] = {"{type: groupnorm, groups: 1}", "{type: layernorm}",
                                    "{type: instancenorm, affine: true}"};

enum { SIDE = 64, PIXELS = SIDE * SIDE };

/* Values far from zero, many of them, lose nothing but what float32 loses in them. */
static void statistics_are_exact(void **state)
{
  (void)state;
  static float x[PIXELS];
  for (size_t i = 0; i < PIXELS; i++) x[i] = 4095.3F + (i % 2 == 0 ? 1.0F : -1.0F);
  for (size_t k = 0; k < sizeof norms / sizeof *norms; k++) {
    char layers[128];
    test_net n;
    snprintf(layers, sizeof layers, "[%s, {type: flatten}]", norms[k]);
    net_init(&n, layers, (ls_shape){.c = 1, .h = SIDE, .w = SIDE}, 1);
    const float *y = net_forward(&n, x);
    for (size_t i = 0; i < PIXELS; i++)
      if (!(fabsf(y[i] - (i % 2 == 0 ? 1.0F : -1.0F)) < 1e-3F)) fail_msg("%s: %g", norms[k], (double)y[i]);
    net_fini(&n);
  }
}

/* Nor does a small spread: the distance of two values in deviations, whatever the mean's last bit is. */
static void small_spreads_are_exact(void **state)
{
  (void)state;
  static float x[PIXELS];
  const float spread = 0x1p-6F;
  for (size_t i = 0; i < PIXELS; i++) x[i] = 4095.3F + (i % 2 == 0 ? spread : -spread);
  for (size_t k = 0; k < sizeof norms / sizeof *norms; k++) {
    char layers[128];
    test_net n;
    snprintf(layers, sizeof layers, "[%s, {type: flatten}]", norms[k]);
    net_init(&n, layers, (ls_shape){.c = 1, .h = SIDE, .w = SIDE}, 1);
    const float *y = net_forward(&n, x);
    double variance = 0.0, mean = 0.0;
    for (size_t i = 0; i < PIXELS; i++) mean += (double)x[i] / PIXELS;
    for (size_t i = 0; i < PIXELS; i++) variance += ((double)x[i] - mean) * ((double)x[i] - mean) / PIXELS;
    const double expected = ((double)x[2] - (double)x[1]) / sqrt(variance + 1e-5);
    const double found = (double)y[2] - (double)y[1];
    if (!(fabs(found / expected - 1.0) < 1e-4)) fail_msg("%s: %g, not %g", norms[k], found, expected);
    net_fini(&n);
  }
}

/* Gradients of weights and biases that count for many pixels: as for dy of 0.1 everywhere. */
static void gradients_add_up_exactly(void **state)
{
  (void)state;
  enum { N = 4, C = 2 };
  static const char *const layers[] = {"[{type: groupnorm, groups: 1}, {type: flatten}]",
                                       "[{type: layernorm, axes: channels}, {type: flatten}]",
                                       "[{type: instancenorm, affine: true}, {type: flatten}]"};
  static float x[N * C * PIXELS], dy[N * C * PIXELS];
  for (size_t i = 0; i < N * C * PIXELS; i++) dy[i] = 0.1F;
  net_random(1, x, N * C * PIXELS);
  for (size_t k = 0; k < sizeof layers / sizeof *layers; k++) {
    test_net n;
    net_init(&n, layers[k], (ls_shape){.c = C, .h = SIDE, .w = SIDE}, N);
    net_forward(&n, x);
    net_backward(&n, dy, false);
    for (size_t c = 0; c < C; c++) {
      const double expected = (double)0.1F * N * PIXELS, found = (double)n.param_grads[C + c];
      if (!(fabs(found / expected - 1.0) < 3e-6)) fail_msg("%s: %g, not %g", layers[k], found, expected);
    }
    net_fini(&n);
  }
}

/* ---- weights ---- */

/* Normalizations start without effect on what is normalized, prelu with its slope; weight decay leaves both.
 */
static void weights_start_and_are_not_decayed(void **state)
{
  (void)state;
  static const struct {
    const char *layers;
    size_t weights, dims;
    float weight;
  } cases[] = {{"[{type: groupnorm, groups: 3}, {type: flatten}]", CHANNELS, 1, 1.0F},
               {"[{type: layernorm}, {type: flatten}]", COUNT, 3, 1.0F},
               {"[{type: layernorm, axes: channels}, {type: flatten}]", CHANNELS, 1, 1.0F},
               {"[{type: instancenorm, affine: true}, {type: flatten}]", CHANNELS, 1, 1.0F},
               {"[{type: prelu}, {type: flatten}]", 1, 1, 0.25F},
               {"[{type: prelu, per_channel: true, slope: 0.5}, {type: flatten}]", CHANNELS, 1, 0.5F}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    test_net n;
    size_t count;
    net_init(&n, cases[i].layers, image, 2);
    const ls_tensor *tensors = ls_model_params(n.model, &count);
    assert_true(count >= 1);
    for (size_t t = 0; t < count; t++) {
      assert_string_equal(tensors[t].name, t == 0 ? "weight" : "bias");
      assert_int_equal(tensors[t].count, cases[i].weights);
      assert_int_equal(tensors[t].dim_count, cases[i].dims);
      assert_false(tensors[t].decay);
      for (size_t k = 0; k < tensors[t].count; k++)
        assert_true(n.params[tensors[t].offset + k] == (t == 0 ? cases[i].weight : 0.0F));
    }
    net_fini(&n);
  }
}

static void without_affine_there_are_no_weights(void **state)
{
  (void)state;
  static const char *const layers[] = {"[{type: groupnorm, groups: 3, affine: false}, {type: flatten}]",
                                       "[{type: layernorm, affine: false}, {type: flatten}]",
                                       "[{type: instancenorm}, {type: flatten}]"};
  for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
    test_net n;
    net_init(&n, layers[i], image, 2);
    assert_int_equal(ls_model_count(n.model)->params, 0);
    net_fini(&n);
  }
}

/* ---- refusals ---- */

static void what_has_no_statistics_is_refused(void **state)
{
  (void)state;
  static const struct {
    const char *layers;
    ls_shape in;
    const char *words;
  } cases[] = {
      {"[{type: groupnorm, groups: 5}, {type: flatten}]",
       {12, 5, 4},
       "12 channels, which do not fall into 5"},
      {"[{type: groupnorm, groups: 24}, {type: flatten}]", {12, 5, 4}, "24 groups"},
      {"[{type: groupnorm, groups: 12}]", {12, 1, 1}, "single values"},
      {"[{type: instancenorm}]", {12, 1, 1}, "12x1x1"},
      {"[{type: layernorm}]", {1, 1, 1}, "single values"},
      {"[{type: layernorm, axes: channels}, {type: flatten}]", {1, 5, 4}, "1x5x4"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    test_net n;
    assert_int_equal(net_try(&n, cases[i].layers, cases[i].in, 4, 0), LS_E_CONFIG);
    const char *text = ls_error_last()->text;
    if (!strstr(text, cases[i].words) || !strstr(text, "net.yaml:"))
      fail_msg("%s: '%s' does not say '%s' and where", cases[i].layers, text, cases[i].words);
    net_fini(&n);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(samples_do_not_mix),
      cmocka_unit_test(statistics_are_exact),
      cmocka_unit_test(small_spreads_are_exact),
      cmocka_unit_test(gradients_add_up_exactly),
      cmocka_unit_test(weights_start_and_are_not_decayed),
      cmocka_unit_test(without_affine_there_are_no_weights),
      cmocka_unit_test(what_has_no_statistics_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
