/* SPDX-License-Identifier: BSD-3-Clause */
/* The matrix products of the back end that was built in, against a product in double precision. */
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "kernels/gemm/gemm.h"

enum { MAX_BATCH = 5 };

static void *floats(size_t count, uint64_t stream)
{
  float *x = NULL;
  assert_int_equal(ls_alloc(&x, count, sizeof *x, "a test matrix"), LS_OK);
  const ls_rng rng = ls_rng_stream(7, LS_RNG_INIT, stream, 0);
  ls_rng_uniform(&rng, -1, 1, x, count);
  return x;
}

static double naive(const ls_gemm_shape *s, const float *a, const float *b, size_t i, size_t j)
{
  double sum = 0;
  for (size_t p = 0; p < s->k; p++) {
    const float right = s->transpose_b ? b[j + p * s->ldb] : b[p + j * s->ldb];
    sum += (double)a[i + p * s->lda] * (double)right;
  }
  return sum;
}

/* Rounding of a sum of at most 784 * 5 products of numbers below 1 in float32. */
static const double tolerance = 1e-5;

typedef struct data {
  float *a, *b, *c, *before, *start;
  uint64_t a_bytes[MAX_BATCH], b_bytes[MAX_BATCH];
} data;

static data make_data(const ls_gemm_shape *s)
{
  const size_t a_step = s->lda * s->k + 3; /* matrices of a batch are anywhere, here with gaps */
  const size_t b_step = s->ldb * (s->transpose_b ? s->k : s->n) + (s->transpose_b ? s->n : s->k) + 5;
  data d = {.a = floats(a_step * MAX_BATCH, 1),
            .b = floats(b_step * MAX_BATCH, 2),
            .c = floats(s->ldc * s->n, 3),
            .before = floats(s->ldc * s->n, 3),
            .start = floats(s->m, 4)};
  for (size_t t = 0; t < MAX_BATCH; t++) {
    d.a_bytes[t] = (MAX_BATCH - 1 - t) * a_step * sizeof *d.a; /* in falling order */
    d.b_bytes[t] = t * b_step * sizeof *d.b;
  }
  return d;
}

static void free_data(data *d)
{
  free(d->a), free(d->b), free(d->c), free(d->before), free(d->start);
}

/* batch 0: no batch but the pair at the start. */
static double expected(const ls_gemm_shape *s, const data *d, size_t batch, bool start, size_t i, size_t j)
{
  const double before = (double)d->before[i + j * s->ldc];
  if (i >= s->m) return before; /* rows below C are not touched */
  double sum = start ? (double)d->start[i] : before;
  for (size_t t = 0; t < batch; t++)
    sum += naive(s, d->a + d->a_bytes[t] / sizeof *d->a, d->b + d->b_bytes[t] / sizeof *d->b, i, j);
  return batch == 0 ? sum + naive(s, d->a, d->b, i, j) : sum;
}

static void check_shape(const ls_gemm_shape *s, size_t batch, bool start)
{
  data d = make_data(s);
  ls_gemm *gemm = NULL;
  assert_int_equal(ls_gemm_new(&gemm, s), LS_OK);
  const ls_gemm_batch all = {d.a_bytes, d.b_bytes, batch};
  ls_gemm_run(gemm, start ? d.start : NULL, d.a, d.b, d.c, batch == 0 ? NULL : &all);
  for (size_t at = 0; at < s->ldc * s->n; at++) {
    const double right = expected(s, &d, batch, start, at % s->ldc, at / s->ldc);
    if (!(fabs((double)d.c[at] - right) <= tolerance * sqrt((double)s->k) * 4))
      fail_msg("%zux%zux%zu (ldb %zu) batch %zu transpose %d start %d: C(%zu, %zu) is %g, expected %g", s->m,
               s->n, s->k, s->ldb, batch, s->transpose_b, start, at % s->ldc, at / s->ldc, (double)d.c[at],
               right);
  }
  ls_gemm_free(gemm);
  free_data(&d);
}

static void products_are_right(void **state)
{
  (void)state;
  static const size_t sizes[][3] = {{1, 1, 1},   {6, 28, 25},  {8, 5, 3},   {10, 32, 84}, {16, 10, 6},
                                    {17, 7, 13}, {24, 24, 25}, {32, 26, 9}, {64, 3, 64},  {32, 1, 784}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (int flags = 0; flags < 8; flags++)
      for (size_t batch = 0; batch <= MAX_BATCH; batch++) {
        const size_t m = sizes[i][0], n = sizes[i][1], k = sizes[i][2];
        const bool transpose = flags & 1;
        const size_t gap = flags & 4 ? 2 : 0;
        const ls_gemm_shape shape = {.m = m,
                                     .n = n,
                                     .k = k,
                                     .lda = m + gap,
                                     .ldb = (transpose ? n : k) + gap,
                                     .ldc = m + gap,
                                     .transpose_b = transpose};
        check_shape(&shape, batch, flags & 2);
      }
}

/* Every number of columns, so every register tile; with columns side by side and overlapping. */
static void few_rows(void **state)
{
  (void)state;
  for (size_t m = 8; m <= 40; m += 8)
    for (size_t n = 1; n <= 30; n++)
      for (size_t ldb = 1; ldb <= 35; ldb += 17)
        for (int flags = 0; flags < 4; flags++) {
          const bool transpose = flags & 1;
          if (m > 16 && ldb >= (transpose ? n : 9)) continue;
          const ls_gemm_shape shape = {
              .m = m, .n = n, .k = 9, .lda = m, .ldb = ldb, .ldc = m + 3, .transpose_b = transpose};
          check_shape(&shape, 1 + n % 3, flags & 2);
        }
}

/* Columns of C that are shorter than m: what a column has too much is overwritten by the next. */
static void columns_of_c_overlap(void **state)
{
  (void)state;
  for (size_t m = 8; m <= 40; m += 8)
    for (size_t ldc = m - 7; ldc < m; ldc++)
      for (size_t n = 1; n <= 14; n++) {
        const ls_gemm_shape shape = {.m = m, .n = n, .k = 5, .lda = m, .ldb = 5, .ldc = ldc};
        data d = make_data(&shape);
        float *c = floats(ldc * (n - 1) + m, 5);
        ls_gemm *gemm = NULL;
        assert_int_equal(ls_gemm_new(&gemm, &shape), LS_OK);
        ls_gemm_run(gemm, d.start, d.a, d.b, c, NULL);
        for (size_t at = 0; at < ldc * n; at++) {
          const double right = (double)d.start[at % ldc] + naive(&shape, d.a, d.b, at % ldc, at / ldc);
          if (!(fabs((double)c[at] - right) <= tolerance))
            fail_msg("m %zu ldc %zu n %zu: C(%zu, %zu) is %g, expected %g", m, ldc, n, at % ldc, at / ldc,
                     (double)c[at], right);
        }
        ls_gemm_free(gemm);
        free(c);
        free_data(&d);
      }
}

static void an_empty_batch_fills(void **state)
{
  (void)state;
  const ls_gemm_shape shape = {.m = 10, .n = 3, .k = 4, .lda = 10, .ldb = 4, .ldc = 12};
  data d = make_data(&shape);
  ls_gemm *gemm = NULL;
  assert_int_equal(ls_gemm_new(&gemm, &shape), LS_OK);
  ls_gemm_fill(gemm, d.start, d.c);
  for (size_t at = 0; at < 12 * 3; at++)
    assert_true(d.c[at] == (at % 12 < 10 ? d.start[at % 12] : d.before[at]));
  ls_gemm_free(gemm);
  free_data(&d);
}

static void backend_has_a_name(void **state)
{
  (void)state;
  const char *name = ls_gemm_backend();
  assert_true(strstr(name, "libxsmm") || strstr(name, "cblas"));
}

static void repeated_products_are_identical(void **state)
{
  (void)state;
  const ls_gemm_shape shape = {.m = 30, .n = 11, .k = 50, .lda = 30, .ldb = 50, .ldc = 30};
  float *a = floats(30 * 50, 1);
  float *b = floats(50 * 11, 2);
  float *first = floats(30 * 11, 3);
  float *second = floats(30 * 11, 4);
  ls_gemm *gemm = NULL;
  assert_int_equal(ls_gemm_new(&gemm, &shape), LS_OK);
  const float start[30] = {0};
  ls_gemm_run(gemm, start, a, b, first, NULL);
  ls_gemm_run(gemm, start, a, b, second, NULL);
  assert_memory_equal(first, second, 30 * 11 * sizeof *first);
  ls_gemm_free(gemm);
  free(a), free(b), free(first), free(second);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(products_are_right),   cmocka_unit_test(few_rows),
      cmocka_unit_test(columns_of_c_overlap), cmocka_unit_test(an_empty_batch_fills),
      cmocka_unit_test(backend_has_a_name),   cmocka_unit_test(repeated_products_are_identical),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
