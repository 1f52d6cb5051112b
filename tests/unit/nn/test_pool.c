/* SPDX-License-Identifier: BSD-3-Clause */
/* Max and average pooling against plain loops that follow PyTorch's definition. */
#include "layer_harness.h"
#include "base/size.h"
#include "nn/layers/pool.h"

typedef struct test_case {
  size_t h, w, c, size, stride, pad; /* stride 0: the word `size` */
  size_t width, stride_across;       /* where the columns differ from the rows; 0: they do not */
  size_t pads[4];                    /* top, bottom, left, right, instead of pad */
  bool same, ceil, exclude;          /* exclude: padding does not count */
} test_case;

#define POOL(rows, columns, channels, side, step, border)                                                    \
  {                                                                                                          \
    .h = rows, .w = columns, .c = channels, .size = side, .stride = step, .pad = border                      \
  }

static ls_counts counts_of(size_t count, size_t a, size_t b)
{
  return (ls_counts){.word = -1, .count = count, .items = {a, b}};
}

static bool is_uneven(const test_case *t)
{
  return t->pads[0] + t->pads[1] + t->pads[2] + t->pads[3] > 0;
}

static ls_pool_options options_of(const test_case *t)
{
  ls_pool_options options = {.windows = {.size = counts_of(2, t->size, t->width > 0 ? t->width : t->size),
                                         .stride = counts_of(2, t->stride, t->stride),
                                         .pad = counts_of(1, t->pad, 0),
                                         .ceil = t->ceil},
                             .count_include_pad = !t->exclude};
  if (t->stride == 0) options.windows.stride.word = 0;
  if (t->stride_across > 0) options.windows.stride.items[1] = t->stride_across;
  if (t->same) options.windows.pad.word = 0;
  if (is_uneven(t)) {
    options.windows.pad.count = 4;
    memcpy(options.windows.pad.items, t->pads, sizeof t->pads);
  }
  return options;
}

static const test_case cases[] = {
    POOL(4, 4, 3, 2, 0, 0),
    POOL(24, 24, 24, 2, 0, 0),
    POOL(28, 28, 6, 2, 2, 0),
    POOL(5, 5, 17, 2, 0, 0),
    POOL(7, 9, 8, 3, 2, 1),
    POOL(8, 6, 32, 3, 1, 1),
    POOL(6, 6, 1, 2, 3, 1),
    POOL(7, 7, 16, 7, 0, 0),
    POOL(9, 4, 5, 4, 2, 2),
    POOL(3, 3, 2, 1, 1, 0),
    POOL(20, 20, 3, 20, 0, 0),
    {.h = 6, .w = 9, .c = 8, .size = 2, .width = 3, .stride = 0},
    {.h = 6, .w = 9, .c = 3, .size = 1, .width = 3, .stride = 1, .stride_across = 2},
    {.h = 7, .w = 8, .c = 5, .size = 3, .stride = 2, .same = true},
    {.h = 7, .w = 8, .c = 5, .size = 3, .stride = 2, .same = true, .exclude = true},
    {.h = 5, .w = 5, .c = 16, .size = 2, .stride = 1, .same = true},
    {.h = 4, .w = 6, .c = 4, .size = 3, .stride = 3, .pad = 1, .exclude = true},
    {.h = 6, .w = 6, .c = 4, .size = 3, .stride = 2, .pads = {0, 1, 2, 1}},
    {.h = 6, .w = 6, .c = 4, .size = 3, .stride = 2, .pads = {0, 1, 2, 1}, .exclude = true},
    {.h = 5, .w = 7, .c = 16, .size = 2, .stride = 2, .ceil = true},
    {.h = 5, .w = 7, .c = 3, .size = 2, .stride = 2, .ceil = true, .exclude = true},
    {.h = 6, .w = 7, .c = 8, .size = 3, .stride = 2, .pad = 1, .ceil = true},
    {.h = 6, .w = 7, .c = 8, .size = 3, .stride = 3, .pad = 1, .ceil = true, .exclude = true},
    {.h = 5, .w = 4, .c = 2, .size = 2, .stride = 3, .pad = 1, .ceil = true},
};

/* What a dimension has: rows (0) or columns (1). */
typedef struct side {
  size_t in, size, stride, before, after, out;
} side;

/* PyTorch's numbers of windows, and TensorFlow's. */
static side side_of(const test_case *t, bool across)
{
  side s = {.in = across ? t->w : t->h, .size = across && t->width > 0 ? t->width : t->size};
  s.stride = t->stride == 0 ? s.size : across && t->stride_across > 0 ? t->stride_across : t->stride;
  s.before = is_uneven(t) ? t->pads[2 * across] : t->pad;
  s.after = is_uneven(t) ? t->pads[2 * across + 1] : t->pad;
  if (t->same) {
    s.out = (s.in + s.stride - 1) / s.stride;
    const size_t covered = (s.out - 1) * s.stride + s.size;
    s.before = covered > s.in ? (covered - s.in) / 2 : 0;
    s.after = covered > s.in ? covered - s.in - s.before : 0;
    return s;
  }
  for (size_t begin = 0; begin + s.size <= s.in + s.before + s.after || (t->ceil && begin < s.in + s.before);
       begin += s.stride) {
    s.out++;
    if (begin + s.size >= s.in + s.before + s.after) break;
  }
  return s;
}

typedef struct expected {
  double *y, *dx;
} expected;

/* Index into x of the pixel (i, j) of the window at `at` (sample, row, column, channel), or SIZE_MAX in the
 * padding; *counts: it is no further outside than that. */
static size_t pixel(const harness *h, const test_case *t, const size_t at[4], size_t i, size_t j,
                    bool *counts)
{
  const side rows = side_of(t, false), columns = side_of(t, true);
  const size_t row = at[1] * rows.stride + i - rows.before;
  const size_t col = at[2] * columns.stride + j - columns.before;
  *counts = row + rows.before < rows.in + rows.before + rows.after &&
            col + columns.before < columns.in + columns.before + columns.after;
  if (row >= t->h || col >= t->w) return SIZE_MAX;
  return ((at[0] * h->layer.in.h + row) * h->layer.in.w + col) * h->layer.in.c + at[3];
}

static void reference_window(const harness *h, const test_case *t, size_t y, bool average, expected *e)
{
  enum { MAX_WINDOW = 400 };
  const ls_shape out = h->layer.out;
  const size_t at[4] = {y / out.c / out.w / out.h, y / out.c / out.w % out.h, y / out.c % out.w, y % out.c};
  const size_t width = side_of(t, true).size, size = side_of(t, false).size * width;
  size_t best = SIZE_MAX, counted = 0, seen[MAX_WINDOW], seen_count = 0;
  for (size_t p = 0; p < size; p++) {
    bool counts;
    const size_t x = pixel(h, t, at, p / width, p % width, &counts);
    counted += counts && (!t->exclude || x != SIZE_MAX);
    if (x == SIZE_MAX) continue;
    seen[seen_count++] = x;
    if (best == SIZE_MAX || h->x[x] > h->x[best] || isnan(h->x[x])) best = x;
  }
  for (size_t p = 0; p < seen_count && average; p++) {
    e->y[y] += (double)h->x[seen[p]] / (double)counted;
    e->dx[seen[p]] += (double)h->dy[y] / (double)counted;
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
  const ls_pool_options options = options_of(t);
  harness h;
  assert_int_equal(harness_create(&h, kind, &options, (ls_shape){t->c, t->h, t->w}, 5), LS_OK);
  assert_int_equal(h.layer.out.h, side_of(t, false).out);
  assert_int_equal(h.layer.out.w, side_of(t, true).out);
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
    fail_msg("%s of %zux%zux%zu, size %zu, stride %zu, pad %zu, same %d, ceil %d: y is off by %g, dx by %g",
             kind->schema.name, t->c, t->h, t->w, t->size, t->stride, t->pad, t->same, t->ceil, y_error,
             dx_error);
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
  const ls_pool_options options = options_of(&(test_case){.size = 2});
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
  const ls_pool_options options = options_of(t);
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
  static const test_case shapes[] = {
      POOL(4, 4, 1, 2, 0, 0),  POOL(4, 4, 3, 2, 0, 0),  POOL(4, 4, 8, 2, 0, 0),  POOL(4, 4, 12, 2, 0, 0),
      POOL(4, 6, 17, 2, 0, 0), POOL(2, 2, 20, 2, 0, 0), POOL(6, 8, 5, 2, 0, 0),  POOL(5, 7, 12, 2, 0, 0),
      POOL(2, 4, 9, 2, 0, 0),  POOL(5, 4, 6, 2, 1, 0),  POOL(4, 4, 12, 2, 2, 1), POOL(6, 6, 12, 3, 0, 0)};
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
  const ls_pool_options options = options_of(&(test_case){.size = 3, .stride = 1, .pad = 1});
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
  const ls_pool_options options = options_of(&(test_case){.size = 2});
  harness h;
  assert_int_equal(harness_create(&h, &ls_layer_maxpool, &options, (ls_shape){3, 4, 4}, 1), LS_OK);
  harness_prepare(&h, 1);
  expected e = reference(&h, &(test_case)POOL(4, 4, 3, 2, 0, 0), false);
  harness_forward(&h);
  h.y[3] *= 1.001F;
  assert_true(harness_error(h.y, e.y, ls_shape_count(h.layer.out)) > 1e-6);
  free_expected(&e);
  harness_fini(&h);
}

static void refuses(const test_case *t, const char *words)
{
  const ls_layer_kind *const kinds[] = {&ls_layer_maxpool, &ls_layer_avgpool};
  const ls_pool_options options = options_of(t);
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
  refuses(&(test_case)POOL(3, 9, 1, 4, 0, 0), "a window of 4 does not fit an input of 3 rows");
  refuses(&(test_case)POOL(9, 3, 1, 4, 0, 0), "3 columns");
  refuses(&(test_case)POOL(9, 9, 1, 3, 1, 2), "use at most 1");
  refuses(&(test_case){.h = 9, .w = 9, .c = 1, .size = 3, .stride = 1, .pads = {0, 0, 0, 3}},
          "use at most 2");
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
