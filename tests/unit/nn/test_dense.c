/* SPDX-License-Identifier: BSD-3-Clause */
/* The dense layer against loops in double precision. */
#include "layer_harness.h"

typedef struct dense_options {
  size_t units;
  bool bias;
  int init;
} dense_options;

/* Rounding of float32 sums of at most some thousand terms. */
static const double tolerance = 1e-5;

typedef struct expected {
  double *y, *dx, *dw; /* dw: weight, then bias */
} expected;

static expected reference(const harness *h, bool bias)
{
  const size_t n = h->pass.n, in = h->layer.in.c, out = h->layer.out.c;
  expected e = {calloc(n * out, sizeof(double)), calloc(n * in, sizeof(double)),
                calloc(out * in + out, sizeof(double))};
  assert_true(e.y && e.dx && e.dw);
  const float *w = h->params;
  for (size_t s = 0; s < n; s++)
    for (size_t k = 0; k < out; k++) {
      const double dy = (double)h->dy[s * out + k];
      e.y[s * out + k] = bias ? (double)w[out * in + k] : 0;
      e.dw[out * in + k] += dy;
      for (size_t c = 0; c < in; c++) {
        e.y[s * out + k] += (double)w[k * in + c] * (double)h->x[s * in + c];
        e.dx[s * in + c] += (double)w[k * in + c] * dy;
        e.dw[k * in + c] += dy * (double)h->x[s * in + c];
      }
    }
  return e;
}

static void check(size_t in, size_t units, bool bias, size_t microbatch, size_t n)
{
  const dense_options options = {.units = units, .bias = bias};
  harness h;
  assert_int_equal(harness_create(&h, &ls_layer_dense, &options, (ls_shape){in, 1, 1}, microbatch), LS_OK);
  assert_int_equal(h.layer.param_count, units * in + (bias ? units : 0));
  assert_int_equal(h.layer.macs, units * in);
  harness_prepare(&h, n);
  harness_forward(&h);
  harness_backward(&h);
  expected e = reference(&h, bias);
  const double errors[] = {harness_error(h.y, e.y, n * units), harness_error(h.dx, e.dx, n * in),
                           harness_error(h.param_grads, e.dw, h.layer.param_count)};
  for (int i = 0; i < 3; i++)
    if (!(errors[i] <= tolerance))
      fail_msg("%zu -> %zu, %zu of %zu samples: %s is off by %g", in, units, n, microbatch,
               ((const char *const[]){"y", "dx", "dw"})[i], errors[i]);
  free(e.y), free(e.dx), free(e.dw);
  harness_fini(&h);
}

static void matches_reference(void **state)
{
  (void)state;
  static const size_t sizes[][2] = {{1, 1},    {3, 6},    {8, 10},   {16, 17},  {32, 32},  {84, 10},
                                    {100, 84}, {120, 33}, {256, 10}, {784, 64}, {257, 100}};
  static const size_t passes[][2] = {{1, 1}, {32, 32}, {32, 1}, {32, 7}, {32, 31}, {5, 3}, {128, 77}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (size_t j = 0; j < sizeof passes / sizeof *passes; j++)
      check(sizes[i][0], sizes[i][1], j % 2 == 0, passes[j][0], passes[j][1]);
}

/* A sample's output does not change with the size of the pass, to the last bits: a short batch is no other
 * network. */
static void sample_is_independent_of_pass(void **state)
{
  (void)state;
  const dense_options options = {.units = 20, .bias = true};
  harness h;
  assert_int_equal(harness_create(&h, &ls_layer_dense, &options, (ls_shape){70, 1, 1}, 32), LS_OK);
  harness_prepare(&h, 32);
  harness_forward(&h);
  double first[20];
  for (int i = 0; i < 20; i++) first[i] = (double)h.y[i];
  h.pass.n = 3;
  harness_forward(&h);
  assert_true(harness_error(h.y, first, 20) < 1e-6);
  harness_fini(&h);
}

static void same_bits_every_time(void **state)
{
  (void)state;
  const dense_options options = {.units = 20, .bias = true};
  harness h[2];
  for (int i = 0; i < 2; i++) {
    assert_int_equal(harness_create(&h[i], &ls_layer_dense, &options, (ls_shape){70, 1, 1}, 32), LS_OK);
    harness_prepare(&h[i], 29);
    harness_forward(&h[i]);
    harness_backward(&h[i]);
  }
  assert_memory_equal(h[0].y, h[1].y, 29 * 20 * sizeof(float));
  assert_memory_equal(h[0].dx, h[1].dx, 29 * 70 * sizeof(float));
  assert_memory_equal(h[0].grads, h[1].grads, h[0].layer.grad_count * sizeof(float));
  for (int i = 0; i < 2; i++) harness_fini(&h[i]);
}

static void gradients_are_set_or_add_up(void **state)
{
  (void)state;
  const dense_options options = {.units = 9, .bias = true};
  harness h;
  assert_int_equal(harness_create(&h, &ls_layer_dense, &options, (ls_shape){12, 1, 1}, 8), LS_OK);
  harness_prepare(&h, 8);
  harness_forward(&h);
  harness_backward(&h);
  const float once = h.grads[5], once_bias = h.grads[9 * 12 + 3];
  harness_backward(&h);
  assert_true(h.grads[5] == once && h.grads[9 * 12 + 3] == once_bias);
  h.pass.accumulate = true;
  harness_backward(&h);
  assert_true(fabsf(h.grads[5] - 2 * once) < 1e-5F && fabsf(h.grads[9 * 12 + 3] - 2 * once_bias) < 1e-5F);
  harness_fini(&h);
}

/* Without gradients (an attack) only dx is made; without dx (the first layer) only gradients. */
static void optional_outputs(void **state)
{
  (void)state;
  const dense_options options = {.units = 9, .bias = true};
  harness h;
  assert_int_equal(harness_create(&h, &ls_layer_dense, &options, (ls_shape){12, 1, 1}, 8), LS_OK);
  harness_prepare(&h, 8);
  harness_forward(&h);
  h.pass.grads = NULL;
  harness_backward(&h);
  assert_true(!isnan(h.dx[0]));
  assert_true(h.grads[0] == 0);
  h.pass.grads = h.grads;
  h.layer.kind->backward(&h.layer, &h.pass, h.x, h.y, h.dy, NULL, h.saved, h.scratch);
  assert_true(h.grads[0] != 0);
  harness_fini(&h);
}

static void a_wrong_gradient_is_seen(void **state)
{
  (void)state;
  const dense_options options = {.units = 9, .bias = true};
  harness h;
  assert_int_equal(harness_create(&h, &ls_layer_dense, &options, (ls_shape){12, 1, 1}, 8), LS_OK);
  harness_prepare(&h, 8);
  harness_forward(&h);
  harness_backward(&h);
  expected e = reference(&h, true);
  h.param_grads[17] += 1e-3F;
  assert_true(harness_error(h.param_grads, e.dw, h.layer.param_count) > tolerance);
  free(e.y), free(e.dx), free(e.dw);
  harness_fini(&h);
}

static void needs_a_vector(void **state)
{
  (void)state;
  const dense_options options = {.units = 9, .bias = true};
  harness h;
  assert_int_equal(harness_create(&h, &ls_layer_dense, &options, (ls_shape){3, 4, 5}, 8), LS_E_CONFIG);
  assert_non_null(strstr(ls_error_last()->text, "3x4x5"));
  assert_non_null(strstr(ls_error_last()->text, "put a flatten layer before"));
  harness_fini(&h);
}

static void too_many_weights(void **state)
{
  (void)state;
  const dense_options options = {.units = 2000000000, .bias = true};
  harness h;
  assert_int_equal(harness_create(&h, &ls_layer_dense, &options, (ls_shape){100, 1, 1}, 8), LS_E_CONFIG);
  assert_non_null(strstr(ls_error_last()->text, "more than"));
  harness_fini(&h);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(matches_reference),    cmocka_unit_test(sample_is_independent_of_pass),
      cmocka_unit_test(same_bits_every_time), cmocka_unit_test(gradients_are_set_or_add_up),
      cmocka_unit_test(optional_outputs),     cmocka_unit_test(a_wrong_gradient_is_seen),
      cmocka_unit_test(needs_a_vector),       cmocka_unit_test(too_many_weights),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
