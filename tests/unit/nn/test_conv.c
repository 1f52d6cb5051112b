/* SPDX-License-Identifier: BSD-3-Clause */
/* The convolution against loops in double precision, over many shapes. */
#include "layer_harness.h"

#include "nn/window.h"

typedef struct conv_options {
  size_t filters, groups;
  ls_window_options windows;
  bool bias;
  int init;
} conv_options;

enum { SAME = -1 };

/* Rounding of float32 sums of at most some thousand terms. */
static const double tolerance = 1e-5;

typedef struct test_case {
  size_t h, w, c, filters, kernel, stride;
  int pad;                 /* or SAME */
  size_t groups, dilation; /* 0: 1 */
  /* Where the columns differ from the rows; 0: they do not. */
  size_t width, stride_across, dilation_across;
  size_t pads[4]; /* top, bottom, left, right, instead of pad */
} test_case;

#define SQUARE(rows, columns, channels, count, side, step, zeros)                                            \
  {                                                                                                          \
    .h = rows, .w = columns, .c = channels, .filters = count, .kernel = side, .stride = step, .pad = zeros   \
  }

typedef struct expected {
  double *y, *dx, *dw; /* dw: weight, then bias */
} expected;

static size_t groups_of(const test_case *t)
{
  return t->groups > 0 ? t->groups : 1;
}

/* What a dimension has: rows (0) or columns (1). */
typedef struct side {
  size_t in, kernel, stride, dilation, before, out;
} side;

static size_t chosen(size_t across, size_t along, bool is_across)
{
  return is_across && across > 0 ? across : along;
}

/* TensorFlow's SAME puts the odd pixel after the last. */
static side side_of(const test_case *t, bool across)
{
  side s = {.in = across ? t->w : t->h,
            .kernel = chosen(t->width, t->kernel, across),
            .stride = chosen(t->stride_across, t->stride, across),
            .dilation = chosen(t->dilation_across, t->dilation > 0 ? t->dilation : 1, across)};
  const bool uneven = t->pads[0] + t->pads[1] + t->pads[2] + t->pads[3] > 0;
  const size_t span = (s.kernel - 1) * s.dilation + 1;
  if (t->pad == SAME) {
    s.out = (s.in + s.stride - 1) / s.stride;
    const size_t covered = (s.out - 1) * s.stride + span;
    s.before = covered > s.in ? (covered - s.in) / 2 : 0;
    return s;
  }
  s.before = uneven ? t->pads[2 * across] : (size_t)t->pad;
  const size_t after = uneven ? t->pads[2 * across + 1] : (size_t)t->pad;
  s.out = (s.in + s.before + after - span) / s.stride + 1;
  return s;
}

static ls_counts pair(size_t along, size_t across)
{
  return (ls_counts){.word = -1, .count = along == across ? 1 : 2, .items = {along, across}};
}

static conv_options options_of(const test_case *t, bool bias)
{
  const side rows = side_of(t, false), columns = side_of(t, true);
  conv_options options = {.filters = t->filters,
                          .groups = groups_of(t),
                          .windows = {.size = pair(rows.kernel, columns.kernel),
                                      .stride = pair(rows.stride, columns.stride),
                                      .dilation = pair(rows.dilation, columns.dilation),
                                      .pad = {.word = t->pad == SAME ? 0 : -1, .count = 4}},
                          .bias = bias};
  const bool uneven = t->pads[0] + t->pads[1] + t->pads[2] + t->pads[3] > 0;
  for (int i = 0; i < 4 && t->pad != SAME; i++)
    options.windows.pad.items[i] = uneven ? t->pads[i] : (size_t)t->pad;
  return options;
}

static size_t weights_of(const test_case *t)
{
  return t->filters * t->c / groups_of(t) * side_of(t, false).kernel * side_of(t, true).kernel;
}

/* Contribution of one output element and one tap, in all three directions. */
static void add_tap(const harness *h, const test_case *t, const size_t at[4], size_t u, size_t v, expected *e)
{
  const ls_shape in = h->layer.in, out = h->layer.out;
  const side rows = side_of(t, false), columns = side_of(t, true);
  const size_t row = at[1] * rows.stride + u * rows.dilation - rows.before; /* wraps in the padding above */
  const size_t col = at[2] * columns.stride + v * columns.dilation - columns.before;
  if (row >= in.h || col >= in.w) return;
  const size_t y = ((at[0] * out.h + at[1]) * out.w + at[2]) * out.c + at[3];
  const size_t channels = in.c / groups_of(t), first = at[3] / (out.c / groups_of(t)) * channels;
  for (size_t c = 0; c < channels; c++) {
    const size_t x = ((at[0] * in.h + row) * in.w + col) * in.c + first + c;
    const size_t w = ((at[3] * channels + c) * rows.kernel + u) * columns.kernel + v;
    e->y[y] += (double)h->params[w] * (double)h->x[x];
    e->dx[x] += (double)h->params[w] * (double)h->dy[y];
    e->dw[w] += (double)h->x[x] * (double)h->dy[y];
  }
}

static expected reference(const harness *h, const test_case *t, bool bias)
{
  const ls_shape out = h->layer.out;
  const size_t n = h->pass.n, weights = weights_of(t), width = side_of(t, true).kernel;
  const size_t y_count = n * ls_shape_count(out);
  expected e = {calloc(y_count, sizeof(double)), calloc(n * ls_shape_count(h->layer.in), sizeof(double)),
                calloc(weights + t->filters, sizeof(double))};
  assert_true(e.y && e.dx && e.dw);
  for (size_t i = 0; i < y_count; i++) {
    const size_t at[4] = {i / out.c / out.w / out.h, i / out.c / out.w % out.h, i / out.c % out.w, i % out.c};
    if (bias) e.y[i] = (double)h->params[weights + at[3]];
    e.dw[weights + at[3]] += (double)h->dy[i];
    for (size_t tap = 0; tap < side_of(t, false).kernel * width; tap++)
      add_tap(h, t, at, tap / width, tap % width, &e);
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
  assert_int_equal(h.layer.out.h, side_of(t, false).out);
  assert_int_equal(h.layer.out.w, side_of(t, true).out);
  assert_int_equal(h.layer.macs, weights_of(t) * h.layer.out.h * h.layer.out.w);
  harness_prepare(&h, n);
  harness_forward(&h);
  harness_backward(&h);
  expected e = reference(&h, t, bias);
  const double errors[] = {harness_error(h.y, e.y, n * ls_shape_count(h.layer.out)),
                           harness_error(h.dx, e.dx, n * ls_shape_count(h.layer.in)),
                           harness_error(h.param_grads, e.dw, h.layer.param_count)};
  for (int i = 0; i < 3; i++)
    if (!(errors[i] <= tolerance))
      fail_msg("input %zux%zux%zu, %zu filters, kernel %zux%zu, stride %zu, pad %d, %zu groups, dilation "
               "%zu, %zu of "
               "%zu samples: %s is off by %g",
               t->c, t->h, t->w, t->filters, t->kernel, side_of(t, true).kernel, t->stride, t->pad,
               groups_of(t), side_of(t, false).dilation, n, microbatch,
               ((const char *const[]){"y", "dx", "dw"})[i], errors[i]);
  free_expected(&e);
  harness_fini(&h);
}

static void layers_of_known_networks(void **state)
{
  (void)state;
  static const test_case cases[] = {
      SQUARE(28, 28, 1, 6, 5, 1, 2),    SQUARE(14, 14, 6, 16, 5, 1, 0),  SQUARE(28, 28, 1, 24, 5, 1, 0),
      SQUARE(12, 12, 24, 32, 3, 1, 0),  SQUARE(26, 26, 32, 64, 3, 1, 0), SQUARE(24, 24, 32, 32, 5, 2, SAME),
      SQUARE(8, 8, 64, 64, 5, 2, SAME), SQUARE(4, 4, 64, 128, 4, 1, 0),  SQUARE(28, 28, 16, 16, 3, 1, 1),
      SQUARE(28, 28, 16, 32, 3, 2, 1),  SQUARE(28, 28, 16, 32, 1, 2, 0), SQUARE(7, 7, 64, 64, 3, 1, 1),
      SQUARE(32, 32, 3, 16, 3, 1, 1),
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
        const test_case t = {.h = shapes[i].h,
                             .w = shapes[i].w,
                             .c = channels[c],
                             .filters = channels[k],
                             .kernel = shapes[i].kernel,
                             .stride = shapes[i].stride,
                             .pad = shapes[i].pad};
        check(&t, number % 3 != 0, 3, 1 + number % 3);
      }
}

static void wide_filters_and_many_channels(void **state)
{
  (void)state;
  static const test_case cases[] = {SQUARE(6, 6, 40, 70, 3, 1, 1), SQUARE(5, 5, 130, 33, 3, 2, 1),
                                    SQUARE(3, 3, 96, 64, 1, 1, 0), SQUARE(6, 6, 100, 100, 3, 1, 0)};
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
      const test_case t = {.h = kernel + number % 4,
                           .w = widths[w],
                           .c = c,
                           .filters = filters,
                           .kernel = kernel,
                           .stride = 1,
                           .pad = (int)(kernel / 2)};
      check(&t, number % 2 == 0, 3, 1 + number % 3);
    }
}

/* Winograd's tiles at the edges of images, groups of samples that are not full, several blocks of filters. */
static void tiles_of_small_kernels(void **state)
{
  (void)state;
  static const test_case cases[] = {
      SQUARE(11, 6, 16, 24, 3, 1, 2),  SQUARE(9, 13, 24, 72, 3, 1, 1), SQUARE(13, 10, 72, 16, 3, 1, SAME),
      SQUARE(6, 6, 16, 136, 3, 1, 0),  SQUARE(4, 4, 16, 16, 3, 1, 1),  SQUARE(5, 22, 40, 32, 3, 1, 0),
      SQUARE(17, 17, 16, 16, 3, 1, 1), SQUARE(3, 40, 16, 16, 3, 1, 2), SQUARE(10, 10, 64, 64, 3, 1, 0),
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (size_t n = 1; n <= 13; n += 4) check(&cases[i], i % 2 == 0, 13, n);
}

/* Kernels, strides, dilations and paddings that differ between rows and columns or between the sides, through
 * every way: images of few channels, of many, whole ones. */
static const test_case shapes_of_windows[] = {
    {.h = 9, .w = 7, .kernel = 1, .width = 7, .stride = 1, .pads = {0, 0, 3, 3}},
    {.h = 9, .w = 7, .kernel = 7, .width = 1, .stride = 1, .pads = {3, 3, 0, 0}},
    {.h = 6, .w = 9, .kernel = 2, .width = 3, .stride = 1, .pad = SAME},
    {.h = 8, .w = 9, .kernel = 3, .width = 5, .stride = 2, .stride_across = 1, .pad = 2},
    {.h = 8, .w = 9, .kernel = 3, .stride = 1, .stride_across = 3, .pads = {1, 0, 0, 2}},
    {.h = 8, .w = 8, .kernel = 3, .stride = 2, .pad = SAME},
    {.h = 8, .w = 8, .kernel = 3, .stride = 2, .pads = {0, 1, 0, 1}},
    {.h = 9, .w = 8, .kernel = 3, .stride = 1, .pads = {2, 1, 0, 2}},
    {.h = 9, .w = 8, .kernel = 3, .stride = 1, .pads = {0, 4, 3, 0}},
    {.h = 9, .w = 8, .kernel = 3, .stride = 1, .pads = {0, 6, 0, 6}},
    {.h = 11, .w = 9, .kernel = 3, .stride = 1, .pad = 2, .dilation = 2},
    {.h = 11, .w = 9, .kernel = 3, .stride = 2, .pad = 2, .dilation = 2},
    {.h = 11, .w = 12, .kernel = 3, .stride = 2, .pad = SAME, .dilation = 3},
    {.h = 11, .w = 12, .kernel = 4, .stride = 4, .pad = 3, .dilation = 2},
    {.h = 12, .w = 11, .kernel = 3, .stride = 4, .pad = 5, .dilation = 6},
    {.h = 7, .w = 12, .kernel = 3, .width = 2, .stride = 3, .pad = 1, .dilation = 1, .dilation_across = 4},
    {.h = 5, .w = 6, .kernel = 5, .width = 6, .stride = 1, .pad = 0},
    {.h = 5, .w = 5, .kernel = 3, .stride = 1, .pad = 0, .dilation = 2},
    {.h = 3, .w = 3, .kernel = 3, .stride = 1, .pad = SAME, .dilation = 5},
    {.h = 7, .w = 6, .kernel = 1, .stride = 1, .pad = 0, .dilation = 3},
    {.h = 7, .w = 6, .kernel = 1, .stride = 2, .pads = {1, 0, 0, 1}},
};
enum { SHAPES_OF_WINDOWS = sizeof shapes_of_windows / sizeof *shapes_of_windows };

/* Channels, filters and groups, through all those shapes. */
static void check_windows(const size_t channels[][3], size_t count)
{
  for (size_t i = 0; i < SHAPES_OF_WINDOWS; i++)
    for (size_t k = 0; k < count; k++) {
      test_case t = shapes_of_windows[i];
      t.c = channels[k][0];
      t.filters = channels[k][1];
      t.groups = channels[k][2];
      check(&t, (i + k) % 2 == 0, 3, 1 + (i + k) % 3);
    }
}

static void windows_of_any_shape(void **state)
{
  (void)state;
  static const size_t channels[][3] = {{1, 3, 1}, {3, 8, 1}, {5, 7, 1}, {16, 24, 1}, {40, 33, 1}};
  check_windows(channels, sizeof channels / sizeof *channels);
}

/* Groups of one channel: vectors that are full, half full, and not full, several filters a channel. */
static void depthwise(void **state)
{
  (void)state;
  static const size_t channels[][3] = {{8, 8, 8},  {24, 24, 24}, {32, 32, 32}, {3, 3, 3},
                                       {5, 10, 5}, {17, 51, 17}, {12, 24, 12}};
  check_windows(channels, sizeof channels / sizeof *channels);
  for (size_t kernel = 1; kernel <= 10; kernel++)
    for (size_t stride = 1; stride <= 3; stride++) {
      const test_case t = {.h = 13,
                           .w = 10 + kernel,
                           .c = 24,
                           .filters = 24,
                           .groups = 24,
                           .kernel = kernel,
                           .stride = stride,
                           .pad = SAME};
      check(&t, true, 2, 2);
    }
}

static void groups(void **state)
{
  (void)state;
  static const size_t channels[][3] = {{6, 4, 2},  {9, 6, 3},    {32, 48, 2}, {64, 64, 8},
                                       {24, 8, 8}, {20, 10, 10}, {48, 36, 3}};
  check_windows(channels, sizeof channels / sizeof *channels);
  /* Images of which one at a time is worked on. */
  const test_case pixels = {.h = 24, .w = 24, .c = 64, .filters = 64, .groups = 2, .kernel = 1, .stride = 1};
  const test_case squares = {.h = 40, .w = 40, .c = 24, .filters = 48, .groups = 6, .kernel = 3, .stride = 1};
  check(&pixels, true, 3, 3);
  check(&squares, true, 3, 2);
}

static const test_case small = SQUARE(6, 6, 5, 7, 3, 1, 1);

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
  const test_case flat = SQUARE(16, 16, 16, 24, 3, 1, 1);
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
  refuses(&(test_case)SQUARE(4, 9, 3, 8, 7, 1, 1),
          "a kernel of 7 does not fit an input of 4 rows with a pad of 1");
  refuses(&(test_case)SQUARE(9, 2, 3, 8, 3, 1, 0), "2 columns");
  refuses(&(test_case){.h = 9, .w = 4, .c = 3, .filters = 8, .kernel = 3, .stride = 1, .dilation = 2},
          "a kernel of 3, spread over 5 by the dilation, does not fit an input of 4 columns");
  refuses(&(test_case){.h = 9, .w = 2, .c = 3, .filters = 8, .kernel = 6, .stride = 1, .pads = {0, 0, 1, 2}},
          "a pad of 1 and 2");
  refuses(&(test_case){.h = 9, .w = 9, .c = 6, .filters = 8, .kernel = 3, .stride = 1, .groups = 4},
          "6 channels and 8 filters cannot be divided into 4 groups");
  refuses(&(test_case){.h = 9, .w = 9, .c = 8, .filters = 6, .kernel = 3, .stride = 1, .groups = 4},
          "8 channels and 6 filters");
  refuses(&(test_case)SQUARE(1000, 1000, 1000, 1000000, 1000, 1, 0), "too large");
  refuses(&(test_case)SQUARE(50000, 50000, 3, 8, 1, 1, 0), "too large");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(layers_of_known_networks),
      cmocka_unit_test(all_geometries),
      cmocka_unit_test(wide_filters_and_many_channels),
      cmocka_unit_test(images_of_few_channels),
      cmocka_unit_test(tiles_of_small_kernels),
      cmocka_unit_test(windows_of_any_shape),
      cmocka_unit_test(depthwise),
      cmocka_unit_test(groups),
      cmocka_unit_test(gradients_add_up),
      cmocka_unit_test(optional_outputs),
      cmocka_unit_test(same_bits_every_time),
      cmocka_unit_test(flat_tiles_stay_flat),
      cmocka_unit_test(a_wrong_result_is_seen),
      cmocka_unit_test(what_does_not_fit_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
