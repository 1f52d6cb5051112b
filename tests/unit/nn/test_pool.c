/* SPDX-License-Identifier: BSD-3-Clause */
/* Max and average pooling against plain loops that follow PyTorch's definition. */
#include "layer_harness.h"
#include "base/size.h"
#include "nn/layers/pool.h"

static ls_pool_options options_of(size_t size, size_t stride, size_t pad)
{
  ls_pool_options options = {.size = size, .pad = pad};
  options.stride.word = stride == 0 ? 0 : -1; /* 0: the word `size` */
  options.stride.count = stride;
  return options;
}

typedef struct test_case {
  size_t h, w, c, size, stride, pad;
} test_case;

static const test_case cases[] = {
    {4, 4, 3, 2, 0, 0}, {24, 24, 24, 2, 0, 0}, {28, 28, 6, 2, 2, 0},  {5, 5, 17, 2, 0, 0},
    {7, 9, 8, 3, 2, 1}, {8, 6, 32, 3, 1, 1},   {6, 6, 1, 2, 3, 1},    {7, 7, 16, 7, 0, 0},
    {9, 4, 5, 4, 2, 2}, {3, 3, 2, 1, 1, 0},    {20, 20, 3, 20, 0, 0},
};

typedef struct expected {
  double *y, *dx;
} expected;

/* Index into x of the pixel (i, j) of the window at `at` (sample, row, column, channel), or SIZE_MAX in the
 * padding. */
static size_t pixel(const harness *h, const test_case *t, const size_t at[4], size_t i, size_t j)
{
  const size_t stride = t->stride == 0 ? t->size : t->stride;
  const size_t row = at[1] * stride + i - t->pad;
  const size_t col = at[2] * stride + j - t->pad;
  if (row >= t->h || col >= t->w) return SIZE_MAX;
  return ((at[0] * h->layer.in.h + row) * h->layer.in.w + col) * h->layer.in.c + at[3];
}

static void reference_window(const harness *h, const test_case *t, size_t y, bool average, expected *e)
{
  const ls_shape out = h->layer.out;
  const size_t at[4] = {y / out.c / out.w / out.h, y / out.c / out.w % out.h, y / out.c % out.w, y % out.c};
  size_t best = SIZE_MAX;
  const double share = 1.0 / (double)(t->size * t->size);
  for (size_t p = 0; p < t->size * t->size; p++) {
    const size_t x = pixel(h, t, at, p / t->size, p % t->size);
    if (x == SIZE_MAX) continue;
    if (best == SIZE_MAX || h->x[x] > h->x[best] || isnan(h->x[x])) best = x;
    if (!average) continue;
    e->y[y] += share * (double)h->x[x];
    e->dx[x] += share * (double)h->dy[y];
  }
  if (average) return;
  e->y[y] = (double)h->x[best];
  e->dx[best] += (double)h->dy[y];
}

static expected reference(const harness *h, const test_case *t, bool average)
{
  const size_t out = h->pass.n * ls_shape_count(h->layer.out);
  expected e = {calloc(out, sizeof(double)), calloc(h->pass.n * ls_shape_count(h->layer.in), sizeof(double))};
  assert_true(e.y && e.dx);
  for (size_t y = 0; y < out; y++) reference_window(h, t, y, average, &e);
  return e;
}

static void free_expected(expected *e)
{
  free(e->y), free(e->dx);
}

/* Few distinct values, so that windows have ties. */
static void quantize(float *x, size_t count)
{
  for (size_t i = 0; i < count; i++) x[i] = roundf(2 * x[i]) / 2;
}

static void check(const ls_layer_kind *kind, const test_case *t, bool average, bool ties)
{
  const ls_pool_options options = options_of(t->size, t->stride, t->pad);
  harness h;
  assert_int_equal(harness_create(&h, kind, &options, (ls_shape){t->c, t->h, t->w}, 5), LS_OK);
  const size_t stride = t->stride == 0 ? t->size : t->stride;
  assert_int_equal(h.layer.out.h, (t->h + 2 * t->pad - t->size) / stride + 1);
  assert_int_equal(h.layer.out.w, (t->w + 2 * t->pad - t->size) / stride + 1);
  harness_prepare(&h, 4);
  if (ties) quantize(h.x, 4 * ls_shape_count(h.layer.in));
  expected e = reference(&h, t, average);
  harness_forward(&h);
  memset(h.x, 0xff, harness_in(&h) * sizeof *h.x); /* backward must read neither x nor y */
  memset(h.y + 4 * ls_shape_count(h.layer.out), 0xff, ls_shape_count(h.layer.out) * sizeof *h.y);
  /* Sums of at most 400 float32 terms. */
  const double y_error = harness_error(h.y, e.y, 4 * ls_shape_count(h.layer.out));
  harness_backward(&h);
  const double dx_error = harness_error(h.dx, e.dx, 4 * ls_shape_count(h.layer.in));
  if (!(y_error <= 1e-6 && dx_error <= 1e-6))
    fail_msg("%s of %zux%zux%zu, size %zu, stride %zu, pad %zu: y is off by %g, dx by %g", kind->schema.name,
             t->c, t->h, t->w, t->size, t->stride, t->pad, y_error, dx_error);
  free_expected(&e);
  harness_fini(&h);
}

static void max_matches_reference(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    check(&ls_layer_maxpool, &cases[i], false, false);
    check(&ls_layer_maxpool, &cases[i], false, true);
  }
}

static void average_matches_reference(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check(&ls_layer_avgpool, &cases[i], true, false);
}

static void nan_is_passed_on(void **state)
{
  (void)state;
  const ls_pool_options options = options_of(2, 0, 0);
  for (size_t at = 0; at < 4; at++) {
    harness h;
    assert_int_equal(harness_create(&h, &ls_layer_maxpool, &options, (ls_shape){1, 2, 2}, 1), LS_OK);
    harness_prepare(&h, 1);
    h.x[at] = NAN;
    harness_forward(&h);
    assert_true(isnan(h.y[0]) != 0);
    harness_backward(&h);
    for (size_t i = 0; i < 4; i++) assert_true(h.dx[i] == (i == at ? h.dy[0] : 0));
    harness_fini(&h);
  }
}

/* Two samples of three, all that lies behind them marked. */
static void prepare_two_of_three(harness *h, const ls_layer_kind *kind, const test_case *t)
{
  const ls_pool_options options = options_of(t->size, t->stride, t->pad);
  assert_int_equal(harness_create(h, kind, &options, (ls_shape){t->c, t->h, t->w}, 3), LS_OK);
  harness_prepare(h, 2);
  for (size_t k = harness_out(h) / 3 * 2; k < harness_out(h); k++) h->y[k] = 77.0F;
  for (size_t k = 0; k < h->layer.saved_count; k++) h->saved[k] = 77.0F;
  for (size_t k = harness_in(h) / 3 * 2; k < harness_in(h); k++) h->dx[k] = 77.0F;
}

static void expect_nothing_behind(const harness *h)
{
  const size_t saved = h->layer.saved_count / 3 * 2 + 1; /* two bytes each: a float may be shared */
  for (size_t k = harness_out(h) / 3 * 2; k < harness_out(h); k++) assert_true(h->y[k] == 77.0F);
  for (size_t k = saved; k < h->layer.saved_count; k++) assert_true(h->saved[k] == 77.0F);
  for (size_t k = harness_in(h) / 3 * 2; k < harness_in(h); k++) assert_true(h->dx[k] == 77.0F);
}

static void expect_nan_passes(const ls_layer_kind *kind, const test_case *t, bool rectifies, size_t at)
{
  const bool average = kind == &ls_layer_avgpool;
  harness h;
  prepare_two_of_three(&h, kind, t);
  h.layer.rectifies = rectifies;
  h.x[at] = NAN;
  expected e = reference(&h, t, average);
  harness_forward(&h);
  for (size_t k = 0; k < harness_out(&h) / 3 * 2; k++)
    if (!(isnan(e.y[k]) ? isnan(h.y[k])
                        : fabs((double)h.y[k] - (rectifies ? fmax(e.y[k], 0) : e.y[k])) < 1e-6))
      fail_msg("%s of %zux%zux%zu%s: NaN at %zu: y[%zu] is %g", kind->schema.name, t->c, t->h, t->w,
               rectifies ? ", rectified" : "", at, k, (double)h.y[k]);
  harness_backward(&h);
  for (size_t k = 0; k < harness_in(&h) / 3 * 2 && !rectifies; k++)
    assert_true(fabs((double)h.dx[k] - e.dx[k]) < 1e-6);
  expect_nothing_behind(&h);
  free_expected(&e);
  harness_fini(&h);
}

/* Also where channels do not fill the vectors that windows of 2x2 are read by: a NaN anywhere comes through,
 * into its own windows and channel alone, and behind the last sample of a pass nothing is written. */
static void nan_stays_in_its_channel(void **state)
{
  (void)state;
  static const test_case shapes[] = {{4, 4, 1, 2, 0, 0},  {4, 4, 3, 2, 0, 0},  {4, 4, 8, 2, 0, 0},
                                     {4, 4, 12, 2, 0, 0}, {4, 6, 17, 2, 0, 0}, {2, 2, 20, 2, 0, 0},
                                     {6, 8, 5, 2, 0, 0},  {5, 7, 12, 2, 0, 0}, {2, 4, 9, 2, 0, 0},
                                     {5, 4, 6, 2, 1, 0},  {4, 4, 12, 2, 2, 1}, {6, 6, 12, 3, 0, 0}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    const test_case *t = &shapes[i];
    const size_t in = t->h * t->w * t->c;
    for (size_t k = 0; k < 2 * in; k += k % in == in - 1 ? 1 : ls_size_min(7, in - 1 - k % in)) {
      expect_nan_passes(&ls_layer_maxpool, t, false, k);
      expect_nan_passes(&ls_layer_maxpool, t, true, k);
      expect_nan_passes(&ls_layer_avgpool, t, false, k);
    }
  }
}

static void infinity_is_a_value(void **state)
{
  (void)state;
  const ls_pool_options options = options_of(3, 1, 1);
  harness h;
  assert_int_equal(harness_create(&h, &ls_layer_maxpool, &options, (ls_shape){1, 1, 1}, 1), LS_OK);
  harness_prepare(&h, 1);
  h.x[0] = -INFINITY; /* padding must not win */
  harness_forward(&h);
  assert_true(h.y[0] == -INFINITY);
  harness_backward(&h);
  assert_true(h.dx[0] == h.dy[0]);
  harness_fini(&h);
}

static void a_wrong_result_is_seen(void **state)
{
  (void)state;
  const ls_pool_options options = options_of(2, 0, 0);
  harness h;
  assert_int_equal(harness_create(&h, &ls_layer_maxpool, &options, (ls_shape){3, 4, 4}, 1), LS_OK);
  harness_prepare(&h, 1);
  expected e = reference(&h, &(test_case){4, 4, 3, 2, 0, 0}, false);
  harness_forward(&h);
  h.y[3] *= 1.001F;
  assert_true(harness_error(h.y, e.y, ls_shape_count(h.layer.out)) > 1e-6);
  free_expected(&e);
  harness_fini(&h);
}

static void refuses(const test_case *t, const char *words)
{
  const ls_layer_kind *const kinds[] = {&ls_layer_maxpool, &ls_layer_avgpool};
  const ls_pool_options options = options_of(t->size, t->stride, t->pad);
  for (int i = 0; i < 2; i++) {
    harness h;
    assert_int_equal(harness_create(&h, kinds[i], &options, (ls_shape){t->c, t->h, t->w}, 1), LS_E_CONFIG);
    if (!strstr(ls_error_last()->text, words)) fail_msg("'%s' is not in '%s'", words, ls_error_last()->text);
    harness_fini(&h);
  }
}

static void what_does_not_fit_is_refused(void **state)
{
  (void)state;
  refuses(&(test_case){3, 9, 1, 4, 0, 0}, "a window of 4 does not fit an input of 3 rows");
  refuses(&(test_case){9, 3, 1, 4, 0, 0}, "3 columns");
  refuses(&(test_case){9, 9, 1, 3, 1, 2}, "use at most 1");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(max_matches_reference),
      cmocka_unit_test(average_matches_reference),
      cmocka_unit_test(nan_is_passed_on),
      cmocka_unit_test(nan_stays_in_its_channel),
      cmocka_unit_test(infinity_is_a_value),
      cmocka_unit_test(a_wrong_result_is_seen),
      cmocka_unit_test(what_does_not_fit_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
