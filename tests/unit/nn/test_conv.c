/* SPDX-License-Identifier: BSD-3-Clause */
/* The convolution against loops in double precision, over many shapes. */
#include "layer_harness.h"

typedef struct conv_options {
  size_t filters, kernel, stride;
  ls_count_or_word pad;
  bool bias;
  int init;
} conv_options;

enum { SAME = -1 };

/* Rounding of float32 sums of at most some thousand terms. */
static const double tolerance = 1e-5;

typedef struct test_case {
  size_t h, w, c, filters, kernel, stride;
  int pad; /* or SAME */
} test_case;

typedef struct expected {
  double *y, *dx, *dw; /* dw: weight, then bias */
} expected;

static conv_options options_of(const test_case *t, bool bias)
{
  conv_options options = {.filters = t->filters, .kernel = t->kernel, .stride = t->stride, .bias = bias};
  options.pad.word = t->pad == SAME ? 0 : -1;
  options.pad.count = t->pad == SAME ? 0 : (size_t)t->pad;
  return options;
}

/* Padding before the first pixel: TensorFlow's SAME puts the odd pixel after the last. */
static size_t pad_before(const test_case *t, size_t in)
{
  if (t->pad != SAME) return (size_t)t->pad;
  const size_t out = (in + t->stride - 1) / t->stride;
  const size_t covered = (out - 1) * t->stride + t->kernel;
  return covered > in ? (covered - in) / 2 : 0;
}

static size_t expected_out(const test_case *t, size_t in)
{
  if (t->pad == SAME) return (in + t->stride - 1) / t->stride;
  return (in + 2 * (size_t)t->pad - t->kernel) / t->stride + 1;
}

/* Contribution of one output element and one tap, in all three directions. */
static void add_tap(const harness *h, const test_case *t, const size_t at[4], size_t u, size_t v, expected *e)
{
  const ls_shape in = h->layer.in, out = h->layer.out;
  const size_t row = at[1] * t->stride + u - pad_before(t, in.h); /* wraps when in the padding above */
  const size_t col = at[2] * t->stride + v - pad_before(t, in.w);
  if (row >= in.h || col >= in.w) return;
  const size_t y = ((at[0] * out.h + at[1]) * out.w + at[2]) * out.c + at[3];
  for (size_t c = 0; c < in.c; c++) {
    const size_t x = ((at[0] * in.h + row) * in.w + col) * in.c + c;
    const size_t w = ((at[3] * in.c + c) * t->kernel + u) * t->kernel + v;
    e->y[y] += (double)h->params[w] * (double)h->x[x];
    e->dx[x] += (double)h->params[w] * (double)h->dy[y];
    e->dw[w] += (double)h->x[x] * (double)h->dy[y];
  }
}

static expected reference(const harness *h, const test_case *t, bool bias)
{
  const ls_shape out = h->layer.out;
  const size_t n = h->pass.n, weights = t->filters * t->c * t->kernel * t->kernel;
  const size_t y_count = n * ls_shape_count(out);
  expected e = {calloc(y_count, sizeof(double)), calloc(n * ls_shape_count(h->layer.in), sizeof(double)),
                calloc(weights + t->filters, sizeof(double))};
  assert_true(e.y && e.dx && e.dw);
  for (size_t i = 0; i < y_count; i++) {
    const size_t at[4] = {i / out.c / out.w / out.h, i / out.c / out.w % out.h, i / out.c % out.w, i % out.c};
    if (bias) e.y[i] = (double)h->params[weights + at[3]];
    e.dw[weights + at[3]] += (double)h->dy[i];
    for (size_t tap = 0; tap < t->kernel * t->kernel; tap++)
      add_tap(h, t, at, tap / t->kernel, tap % t->kernel, &e);
  }
  return e;
}

static void free_expected(expected *e)
{
  free(e->y), free(e->dx), free(e->dw);
}

static void check(const test_case *t, bool bias, size_t microbatch, size_t n)
{
  const conv_options options = options_of(t, bias);
  harness h;
  assert_int_equal(harness_create(&h, &ls_layer_conv, &options, (ls_shape){t->c, t->h, t->w}, microbatch),
                   LS_OK);
  assert_int_equal(h.layer.out.c, t->filters);
  assert_int_equal(h.layer.out.h, expected_out(t, t->h));
  assert_int_equal(h.layer.out.w, expected_out(t, t->w));
  assert_int_equal(h.layer.macs, t->filters * t->c * t->kernel * t->kernel * h.layer.out.h * h.layer.out.w);
  harness_prepare(&h, n);
  harness_forward(&h);
  harness_backward(&h);
  expected e = reference(&h, t, bias);
  const double errors[] = {harness_error(h.y, e.y, n * ls_shape_count(h.layer.out)),
                           harness_error(h.dx, e.dx, n * ls_shape_count(h.layer.in)),
                           harness_error(h.param_grads, e.dw, h.layer.param_count)};
  for (int i = 0; i < 3; i++)
    if (!(errors[i] <= tolerance))
      fail_msg(
          "input %zux%zux%zu, %zu filters, kernel %zu, stride %zu, pad %d, %zu of %zu samples: %s is off "
          "by %g",
          t->c, t->h, t->w, t->filters, t->kernel, t->stride, t->pad, n, microbatch,
          ((const char *const[]){"y", "dx", "dw"})[i], errors[i]);
  free_expected(&e);
  harness_fini(&h);
}

static void layers_of_known_networks(void **state)
{
  (void)state;
  static const test_case cases[] = {
      {28, 28, 1, 6, 5, 1, 2},    {14, 14, 6, 16, 5, 1, 0},  {28, 28, 1, 24, 5, 1, 0},
      {12, 12, 24, 32, 3, 1, 0},  {26, 26, 32, 64, 3, 1, 0}, {24, 24, 32, 32, 5, 2, SAME},
      {8, 8, 64, 64, 5, 2, SAME}, {4, 4, 64, 128, 4, 1, 0},  {28, 28, 16, 16, 3, 1, 1},
      {28, 28, 16, 32, 3, 2, 1},  {28, 28, 16, 32, 1, 2, 0}, {7, 7, 64, 64, 3, 1, 1},
      {32, 32, 3, 16, 3, 1, 1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check(&cases[i], i % 2 == 0, 2, 2);
}

/* Every combination of channels and filters, through a set of geometries. */
static void all_geometries(void **state)
{
  (void)state;
  static const size_t channels[] = {1, 3, 6, 8, 16, 17, 32};
  static const struct {
    size_t h, w, kernel, stride;
    int pad;
  } shapes[] = {
      {5, 7, 1, 1, 0}, {6, 5, 1, 2, 0},    {4, 4, 1, 1, 1},    {7, 5, 3, 1, 0}, {5, 6, 3, 1, 1},
      {9, 8, 3, 2, 1}, {8, 9, 3, 3, 2},    {7, 7, 3, 3, 0},    {6, 6, 2, 2, 0}, {5, 5, 2, 1, SAME},
      {9, 7, 5, 1, 2}, {8, 9, 5, 2, SAME}, {9, 9, 5, 3, SAME}, {7, 9, 7, 1, 3}, {7, 7, 7, 2, 0},
      {4, 5, 4, 1, 0}, {3, 3, 5, 1, 4},    {11, 4, 2, 3, 1},
  };
  size_t number = 0;
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    for (size_t c = 0; c < 7; c++)
      for (size_t k = 0; k < 7; k++, number++) {
        const test_case t = {shapes[i].h,      shapes[i].w,      channels[c],  channels[k],
                             shapes[i].kernel, shapes[i].stride, shapes[i].pad};
        check(&t, number % 3 != 0, 3, 1 + number % 3);
      }
}

static void wide_filters_and_many_channels(void **state)
{
  (void)state;
  static const test_case cases[] = {
      {6, 6, 40, 70, 3, 1, 1}, {5, 5, 130, 33, 3, 2, 1}, {3, 3, 96, 64, 1, 1, 0}, {6, 6, 100, 100, 3, 1, 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check(&cases[i], true, 2, 2);
}

/* Vectors of pixels that end within a row, a sample, a block of filters. */
static void images_of_few_channels(void **state)
{
  (void)state;
  static const size_t widths[] = {1, 2, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 33, 49};
  size_t number = 0;
  for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
    for (size_t filters = 1; filters <= 26; filters += filters < 14 ? 1 : 5, number++) {
      const size_t kernel = 2 + number % 3, c = 1 + number % 4;
      check(&(test_case){kernel + number % 4, widths[w], c, filters, kernel, 1, (int)(kernel / 2)},
            number % 2 == 0, 3, 1 + number % 3);
    }
}

/* Winograd's tiles at the edges of images, groups of samples that are not full, several blocks of filters. */
static void tiles_of_small_kernels(void **state)
{
  (void)state;
  static const test_case cases[] = {
      {11, 6, 16, 24, 3, 1, 2},  {9, 13, 24, 72, 3, 1, 1}, {13, 10, 72, 16, 3, 1, SAME},
      {6, 6, 16, 136, 3, 1, 0},  {4, 4, 16, 16, 3, 1, 1},  {5, 22, 40, 32, 3, 1, 0},
      {17, 17, 16, 16, 3, 1, 1}, {3, 40, 16, 16, 3, 1, 2}, {10, 10, 64, 64, 3, 1, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (size_t n = 1; n <= 13; n += 4) check(&cases[i], i % 2 == 0, 13, n);
}

static const test_case small = {6, 6, 5, 7, 3, 1, 1};

static void prepare(harness *h, const test_case *t, size_t n)
{
  const conv_options options = options_of(t, true);
  assert_int_equal(harness_create(h, &ls_layer_conv, &options, (ls_shape){t->c, t->h, t->w}, n), LS_OK);
  harness_prepare(h, n);
  harness_forward(h);
}

static void gradients_add_up(void **state)
{
  (void)state;
  harness h;
  prepare(&h, &small, 4);
  harness_backward(&h);
  const size_t count = h.layer.param_count;
  double *twice = calloc(count, sizeof *twice);
  assert_non_null(twice);
  for (size_t i = 0; i < count; i++) twice[i] = 2.0 * (double)h.param_grads[i];
  h.pass.accumulate = true;
  harness_backward(&h);
  assert_true(harness_error(h.param_grads, twice, count) <= tolerance);
  free(twice);
  harness_fini(&h);
}

static void optional_outputs(void **state)
{
  (void)state;
  harness h;
  prepare(&h, &small, 4);
  h.pass.grads = NULL;
  harness_backward(&h);
  assert_true(!isnan(h.dx[harness_in(&h) - 1]));
  for (size_t i = 0; i < h.layer.grad_count; i++) assert_true(h.grads[i] == 0);
  h.pass.grads = h.grads;
  h.dx[0] = 77;
  h.layer.kind->backward(&h.layer, &h.pass, h.x, h.y, h.dy, NULL, h.saved, h.scratch);
  assert_true(h.dx[0] == 77 && h.grads[0] != 0);
  harness_fini(&h);
}

static void same_bits_every_time(void **state)
{
  (void)state;
  harness a, b;
  prepare(&a, &small, 4);
  prepare(&b, &small, 4);
  harness_backward(&a);
  harness_backward(&b);
  assert_memory_equal(a.y, b.y, harness_out(&a) * sizeof *a.y);
  assert_memory_equal(a.dx, b.dx, harness_in(&a) * sizeof *a.dx);
  assert_memory_equal(a.grads, b.grads, a.layer.grad_count * sizeof *a.grads);
  harness_fini(&a);
  harness_fini(&b);
}

/* Winograd's way: of pixels that are equal in each channel, a tile that sees nothing else makes equal floats.
 */
static void flat_tiles_stay_flat(void **state)
{
  (void)state;
  const test_case flat = {16, 16, 16, 24, 3, 1, 1};
  harness h;
  const conv_options options = options_of(&flat, true);
  assert_int_equal(harness_create(&h, &ls_layer_conv, &options, (ls_shape){16, 16, 16}, 1), LS_OK);
  harness_prepare(&h, 1);
  for (size_t i = 16; i < harness_in(&h); i++) h.x[i] = h.x[i % 16];
  harness_forward(&h);
  for (size_t i = 4; i < 12; i++)
    for (size_t j = 4; j < 12; j++)
      for (size_t k = 0; k < 24; k++) {
        const size_t first = (i / 4 * 4 * 16 + j / 4 * 4) * 24 + k; /* of its tile */
        assert_true(h.y[(i * 16 + j) * 24 + k] == h.y[first]);
      }
  harness_fini(&h);
}

static void a_wrong_result_is_seen(void **state)
{
  (void)state;
  harness h;
  prepare(&h, &small, 2);
  harness_backward(&h);
  expected e = reference(&h, &small, true);
  h.dx[11] *= 1.001F;
  h.param_grads[3] += 1e-2F;
  assert_true(harness_error(h.dx, e.dx, harness_in(&h)) > tolerance);
  assert_true(harness_error(h.param_grads, e.dw, h.layer.param_count) > tolerance);
  free_expected(&e);
  harness_fini(&h);
}

static void refuses(const test_case *t, const char *words)
{
  const conv_options options = options_of(t, true);
  harness h;
  assert_int_equal(harness_create(&h, &ls_layer_conv, &options, (ls_shape){t->c, t->h, t->w}, 2),
                   LS_E_CONFIG);
  if (!strstr(ls_error_last()->text, words)) fail_msg("'%s' is not in '%s'", words, ls_error_last()->text);
  harness_fini(&h);
}

static void what_does_not_fit_is_refused(void **state)
{
  (void)state;
  refuses(&(test_case){4, 9, 3, 8, 7, 1, 1}, "a kernel of 7 does not fit an input of 4 rows with a pad of 1");
  refuses(&(test_case){9, 2, 3, 8, 3, 1, 0}, "2 columns");
  refuses(&(test_case){1000, 1000, 1000, 1000000, 1000, 1, 0}, "too large");
  refuses(&(test_case){50000, 50000, 3, 8, 1, 1, 0}, "too large");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(layers_of_known_networks),
      cmocka_unit_test(all_geometries),
      cmocka_unit_test(wide_filters_and_many_channels),
      cmocka_unit_test(images_of_few_channels),
      cmocka_unit_test(tiles_of_small_kernels),
      cmocka_unit_test(gradients_add_up),
      cmocka_unit_test(optional_outputs),
      cmocka_unit_test(same_bits_every_time),
      cmocka_unit_test(flat_tiles_stay_flat),
      cmocka_unit_test(a_wrong_result_is_seen),
      cmocka_unit_test(what_does_not_fit_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
