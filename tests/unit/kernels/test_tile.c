/* SPDX-License-Identifier: BSD-3-Clause */
/* The register tiles as they stand in for the library: any number of rows, against sums in the same order. */
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "kernels/dispatch.h"
#include "kernels/gemm/gemm.h"

enum { BATCH = 3, GUARD = 16 };

static float *floats(size_t count, uint64_t stream)
{
  float *x = NULL;
  assert_int_equal(ls_alloc(&x, count, sizeof *x, "a test matrix"), LS_OK);
  const ls_rng rng = ls_rng_stream(7, LS_RNG_INIT, stream, 0);
  ls_rng_uniform(&rng, -1, 1, x, count);
  return x;
}

/* One element, with and without fused multiply-adds. */
static void sums_of(const ls_gemm_shape *s, const ls_tile_data *d, size_t i, size_t j, float sums[2])
{
  sums[0] = sums[1] = s->overwrite ? 0.0F : d->start ? d->start[i] : d->c[j * s->ldc + i];
  for (size_t t = 0; t < d->batch->count; t++)
    for (size_t p = 0; p < s->k; p++) {
      const float a = d->a[d->batch->a_bytes[t] / sizeof(float) + p * s->lda + i];
      const float b =
          d->b[d->batch->b_bytes[t] / sizeof(float) + (s->transpose_b ? p * s->ldb + j : j * s->ldb + p)];
      sums[0] = fmaf(a, b, sums[0]);
      sums[1] = a * b + sums[1];
    }
}

/* All elements are the one or all the other; what is around them stays. */
static void check(const ls_gemm_shape *s, bool has_start)
{
  const size_t a_floats = s->lda * s->k, b_floats = s->ldb * (s->transpose_b ? s->k : s->n);
  const size_t c_floats = s->ldc * s->n + GUARD;
  const uint64_t a_bytes[BATCH] = {2 * a_floats * sizeof(float), 0, a_floats * sizeof(float)};
  const uint64_t b_bytes[BATCH] = {0, b_floats * sizeof(float), 2 * b_floats * sizeof(float)};
  const ls_gemm_batch batch = {a_bytes, b_bytes, BATCH};
  float *a = floats(BATCH * a_floats, 1), *b = floats(BATCH * b_floats, 2), *c = floats(c_floats, 3);
  float *before = floats(c_floats, 3), *start = floats(s->m, 4);
  size_t fused = 0, unfused = 0;
  const ls_tile_data data = {.start = has_start ? start : NULL, .a = a, .b = b, .c = c, .batch = &batch};
  ls_tile_data source = data;
  source.c = before;
  ls_kernel_set_choose()->product(s, &data);
  for (size_t at = 0; at < c_floats; at++) {
    const size_t i = at % s->ldc, j = at / s->ldc;
    if (i >= s->m || j >= s->n) {
      assert_true(c[at] == before[at]);
      continue;
    }
    float sums[2];
    sums_of(s, &source, i, j, sums);
    fused += c[at] == sums[0];
    unfused += c[at] == sums[1];
  }
  if (fused != s->m * s->n && unfused != s->m * s->n)
    fail_msg("%zux%zux%zu transpose %d overwrite %d start %d: %zu and %zu of %zu as expected", s->m, s->n,
             s->k, s->transpose_b, s->overwrite, has_start, fused, unfused, s->m * s->n);
  free(a), free(b), free(c), free(before), free(start);
}

static void any_number_of_rows(void **state)
{
  (void)state;
  for (size_t m = 1; m <= 35; m++)
    for (size_t n = 1; n <= 16; n += 3)
      for (int flags = 0; flags < 4; flags++) {
        const bool transpose = flags & 1;
        const ls_gemm_shape shape = {.m = m,
                                     .n = n,
                                     .k = 11,
                                     .lda = m + 1,
                                     .ldb = (transpose ? n : 11) + 2,
                                     .ldc = m + 3,
                                     .transpose_b = transpose,
                                     .overwrite = flags == 2};
        check(&shape, flags == 3);
      }
}

/* Where libxsmm has AVX2's kernels, it sums as the tiles do. */
static void the_library_gives_the_same_bits(void **state)
{
  (void)state;
  if (!strstr(ls_gemm_backend(), "(hsw)")) skip();
  for (size_t m = 17; m <= 70; m += 7)
    for (size_t n = 1; n <= 40; n += 13)
      for (size_t k = 1; k <= 784; k += 261) {
        const ls_gemm_shape shape = {.m = m, .n = n, .k = k, .lda = m, .ldb = k, .ldc = m};
        float *a = floats(m * k, 1), *b = floats(k * n, 2), *c = floats(m * n, 3), *d = floats(m * n, 3);
        const uint64_t here = 0;
        const ls_gemm_batch batch = {&here, &here, 1};
        ls_gemm *gemm = NULL;
        assert_int_equal(ls_gemm_new(&gemm, &shape), LS_OK);
        ls_gemm_run(gemm, NULL, a, b, c, NULL);
        ls_kernel_set_choose()->product(&shape, &(ls_tile_data){.a = a, .b = b, .c = d, .batch = &batch});
        assert_memory_equal(c, d, m * n * sizeof *c);
        ls_gemm_free(gemm);
        free(a), free(b), free(c), free(d);
      }
}

int main(void)
{
  setenv("LIBXSMM_TARGET", "hsw", 0); /* read when the first product is planned */
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(any_number_of_rows),
      cmocka_unit_test(the_library_gives_the_same_bits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
