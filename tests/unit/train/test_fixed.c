/* SPDX-License-Identifier: BSD-3-Clause */
/* Fixed point: values come back, sums are exact in any order, and what is too large is seen. */
#include "train/sums/fixed.h"

#include <math.h>
#include <stdlib.h>

#include "cmocka_all.h"

enum { COUNT = 5 };

static const float values[COUNT] = {0.0F, 1.5F, -1.5F, 0.00390625F, -700.25F};

/* What is summed is a value times the unit. */
static void sums_are_those_of_values_in_units(void **state)
{
  (void)state;
  static const double units[] = {1, 0.125, 8};
  for (size_t u = 0; u < 3; u++) {
    const ls_fixed format = ls_fixed_make(0x1p20, units[u], 4);
    uint64_t sums[COUNT];
    float read[COUNT];
    assert_true(ls_fixed_set(&format, values, COUNT, sums));
    ls_fixed_read(&format, sums, COUNT, read);
    for (size_t i = 0; i < COUNT; i++) assert_true((double)read[i] == units[u] * (double)values[i]);
    assert_true(ls_fixed_add(&format, values, COUNT, sums));
    assert_true(ls_fixed_add(&format, values, COUNT, sums));
    ls_fixed_read(&format, sums, COUNT, read);
    for (size_t i = 0; i < COUNT; i++) assert_true((double)read[i] == 3 * units[u] * (double)values[i]);
  }
}

/* Halves of the resolution at most. */
static void values_are_rounded_to_the_nearest(void **state)
{
  (void)state;
  const ls_fixed format = ls_fixed_make(4, 1, 1);
  const float x[] = {0.37F, -0.37F, 0.38F, 0.1F, -5.9F}, expected[] = {0.25F, -0.25F, 0.5F, 0.0F, -6.0F};
  uint64_t sums[COUNT];
  float read[COUNT];
  assert_true(ls_fixed_set(&format, x, COUNT, sums));
  ls_fixed_read(&format, sums, COUNT, read);
  for (size_t i = 0; i < COUNT; i++) assert_true(read[i] == expected[i]);
}

/* A value at the limit is outside, on either side, and so is what is no number; wherever it stands. */
static void what_is_outside_is_seen(void **state)
{
  (void)state;
  const ls_fixed format = ls_fixed_make(0x1p20, 0.5, 1);
  const float below = nextafterf(format.limit, 0.0F), outside[] = {format.limit, NAN, INFINITY};
  uint64_t sums[COUNT] = {0};
  for (size_t i = 0; i < COUNT; i++)
    for (size_t k = 0; k < 3; k++)
      for (int sign = -1; sign <= 1; sign += 2) {
        float x[COUNT] = {0};
        x[i] = (float)sign * below;
        assert_true(ls_fixed_set(&format, x, COUNT, sums) && ls_fixed_add(&format, x, COUNT, sums));
        x[i] = (float)sign * outside[k];
        assert_false(ls_fixed_set(&format, x, COUNT, sums));
        assert_false(ls_fixed_add(&format, x, COUNT, sums));
      }
}

/* As many values as it is made for, each just within the limit, are summed as they are; with more of them the
 * limit is smaller, and in other units it is the same number of units. */
static void as_many_as_allowed_do_not_overflow(void **state)
{
  (void)state;
  double before = INFINITY;
  for (size_t count = 1; count <= 16384; count *= 16) {
    const ls_fixed format = ls_fixed_make(0x1p30, 1, count);
    const float most = -nextafterf(format.limit, 0.0F);
    uint64_t sum = 0;
    float read;
    for (size_t i = 0; i < count; i++) assert_true(ls_fixed_add(&format, &most, 1, &sum));
    ls_fixed_read(&format, &sum, 1, &read);
    assert_true(fabs((double)read / ((double)count * (double)most) - 1) < 1e-6);
    assert_true((double)format.limit <= before);
    assert_true((double)ls_fixed_make(0x1p30, 0.25, count).limit == 4 * (double)format.limit);
    before = (double)format.limit;
  }
  assert_true(before < (double)ls_fixed_make(0x1p30, 1, 1).limit);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sums_are_those_of_values_in_units),
      cmocka_unit_test(values_are_rounded_to_the_nearest),
      cmocka_unit_test(what_is_outside_is_seen),
      cmocka_unit_test(as_many_as_allowed_do_not_overflow),
  };
  return cmocka_run_group_tests_name("fixed", tests, NULL, NULL);
}
