/* SPDX-License-Identifier: BSD-3-Clause */
/* Streams and permutations: independent, uniform, invertible, and the same for ever. */
#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "cmocka_all.h"

static void streams_differ_and_repeat(void **state)
{
  (void)state;
  ls_rng streams[] = {ls_rng_stream(1, LS_RNG_INIT, 2, 3),
                      ls_rng_stream(2, LS_RNG_INIT, 2, 3),
                      ls_rng_stream(1, LS_RNG_DROPOUT, 2, 3),
                      ls_rng_stream(1, LS_RNG_INIT, 3, 2),
                      ls_rng_stream(1, LS_RNG_INIT, 2 + (1ULL << 32), 3),
                      ls_rng_stream(1, LS_RNG_INIT, 2, 3 + (1ULL << 32))};
  enum { COUNT = sizeof streams / sizeof *streams };
  uint32_t first[COUNT][4];
  for (size_t i = 0; i < COUNT; i++) ls_rng_block(&streams[i], 0, first[i]);
  for (size_t i = 0; i < COUNT; i++)
    for (size_t j = 0; j < i; j++) assert_memory_not_equal(first[i], first[j], sizeof first[i]);
  uint32_t again[4];
  ls_rng same = ls_rng_stream(1, LS_RNG_INIT, 2, 3);
  ls_rng_block(&same, 0, again);
  assert_memory_equal(again, first[0], sizeof again);
}

static void moments_are_right(void **state)
{
  (void)state;
  enum { COUNT = 200000 };
  float *x = malloc(COUNT * sizeof *x);
  ls_rng rng = ls_rng_stream(7, LS_RNG_INIT, 0, 0);
  double sum = 0, squares = 0;
  ls_rng_normal(&rng, 1.0F, 2.0F, x, COUNT);
  for (size_t i = 0; i < COUNT; i++) sum += x[i], squares += x[i] * x[i];
  assert_true(fabs(sum / COUNT - 1.0) < 0.02);
  assert_true(fabs(squares / COUNT - 5.0) < 0.1);
  ls_rng_uniform(&rng, -1.0F, 3.0F, x, COUNT);
  sum = 0;
  for (size_t i = 0; i < COUNT; i++) {
    assert_true(x[i] >= -1.0F && x[i] < 3.0F);
    sum += x[i];
  }
  assert_true(fabs(sum / COUNT - 1.0) < 0.02);
  free(x);
}

static void permutations_are_bijections(void **state)
{
  (void)state;
  const uint64_t counts[] = {1, 2, 3, 4, 5, 17, 64, 1000, 60000};
  for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
    ls_permutation permutation = ls_permutation_of(3, LS_RNG_SHUFFLE, 5, 0, counts[c]);
    unsigned char *seen = calloc(counts[c], 1);
    for (uint64_t i = 0; i < counts[c]; i++) {
      uint64_t j = ls_permutation_at(&permutation, i);
      assert_true(j < counts[c] && !seen[j]);
      seen[j] = 1;
      assert_int_equal(ls_permutation_inverse(&permutation, j), i);
    }
    free(seen);
  }
}

/* Positions of an element over many permutations: chi-square of a 10 x 10 table against uniform. */
static void permutations_are_uniform(void **state)
{
  (void)state;
  enum { SIZE = 10, DRAWS = 20000 };
  unsigned table[SIZE][SIZE] = {{0}};
  for (uint64_t epoch = 0; epoch < DRAWS; epoch++) {
    ls_permutation permutation = ls_permutation_of(1, LS_RNG_SHUFFLE, epoch, 0, SIZE);
    for (uint64_t i = 0; i < SIZE; i++) table[i][ls_permutation_at(&permutation, i)]++;
  }
  double chi = 0, expected = (double)DRAWS / SIZE;
  for (size_t i = 0; i < SIZE; i++)
    for (size_t j = 0; j < SIZE; j++) chi += pow(table[i][j] - expected, 2) / expected;
  assert_true(chi < 140.0); /* 81 degrees of freedom: mean 81, 99.99 % below 135 */
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(streams_differ_and_repeat),
      cmocka_unit_test(moments_are_right),
      cmocka_unit_test(permutations_are_bijections),
      cmocka_unit_test(permutations_are_uniform),
  };
  return cmocka_run_group_tests_name("rng", tests, NULL, NULL);
}
