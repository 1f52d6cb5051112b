/* SPDX-License-Identifier: BSD-3-Clause */
/* The matrix products of the back end that was built in, against a product in double precision. */
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "nn/gemm.h"

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

static void check_shape(const ls_gemm_shape *s, size_t batch)
{
  const size_t a_step = s->lda * s->k + 3; /* matrices of a batch are anywhere, here with gaps */
  const size_t b_step = s->ldb * (s->transpose_b ? s->k : s->n) + 5;
  float *a = floats(a_step * MAX_BATCH, 1);
  float *b = floats(b_step * MAX_BATCH, 2);
  float *c = floats(s->ldc * s->n, 3);
  float *before = floats(s->ldc * s->n, 3);
  uint64_t a_bytes[MAX_BATCH], b_bytes[MAX_BATCH];
  for (size_t t = 0; t < MAX_BATCH; t++) {
    a_bytes[t] = (MAX_BATCH - 1 - t) * a_step * sizeof *a; /* in falling order */
    b_bytes[t] = t * b_step * sizeof *b;
  }
  ls_gemm *gemm = NULL;
  assert_int_equal(ls_gemm_new(&gemm, s), LS_OK);
  const ls_gemm_batch all = {a_bytes, b_bytes, batch};
  if (batch == 0)
    ls_gemm_run(gemm, a, b, c);
  else
    ls_gemm_run_batch(gemm, a, b, c, &all);
  for (size_t j = 0; j < s->n; j++)
    for (size_t i = 0; i < s->ldc; i++) {
      double expected = s->accumulate ? (double)before[i + j * s->ldc] : 0;
      for (size_t t = 0; t < batch; t++)
        expected += naive(s, a + a_bytes[t] / sizeof *a, b + b_bytes[t] / sizeof *b, i, j);
      if (batch == 0) expected += naive(s, a, b, i, j);
      if (i >= s->m) expected = (double)before[i + j * s->ldc]; /* rows below C are not touched */
      if (!(fabs((double)c[i + j * s->ldc] - expected) <= tolerance * sqrt((double)s->k) * 4))
        fail_msg("%zux%zux%zu batch %zu transpose %d accumulate %d: C(%zu, %zu) is %g, expected %g", s->m,
                 s->n, s->k, batch, s->transpose_b, s->accumulate, i, j, (double)c[i + j * s->ldc], expected);
    }
  ls_gemm_free(gemm);
  free(a), free(b), free(c), free(before);
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
                                     .transpose_b = transpose,
                                     .accumulate = flags & 2};
        check_shape(&shape, batch);
      }
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
  ls_gemm_run(gemm, a, b, first);
  ls_gemm_run(gemm, a, b, second);
  assert_memory_equal(first, second, 30 * 11 * sizeof *first);
  ls_gemm_free(gemm);
  free(a), free(b), free(first), free(second);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(products_are_right),
      cmocka_unit_test(backend_has_a_name),
      cmocka_unit_test(repeated_products_are_identical),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
