/* SPDX-License-Identifier: BSD-3-Clause */
/* Long vectors go in portions that follow one another without gap or overlap. */
#include "cmocka_all.h"

#include <limits.h>

#include "comm/portions.h"

typedef struct log {
  size_t calls, end, failing_call;
  int longest;
} log;

static ls_status note(void *context, size_t first, int count)
{
  log *seen = context;
  assert_true(first == seen->end);
  assert_true(count > 0);
  if (++seen->calls == seen->failing_call) return ls_fail(LS_E_COMM, "portion %zu", seen->calls);
  seen->end += (size_t)count;
  if (count > seen->longest) seen->longest = count;
  return LS_OK;
}

static void portions_cover_the_vector(void **state)
{
  (void)state;
  const struct {
    size_t count;
    int limit;
    size_t calls;
  } cases[] = {{0, 7, 0},
               {1, 7, 1},
               {7, 7, 1},
               {8, 7, 2},
               {700, 7, 100},
               {INT_MAX, INT_MAX, 1},
               {(size_t)INT_MAX + 1, INT_MAX, 2},
               {(size_t)5 * INT_MAX + 3, INT_MAX, 6}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    log seen = {0};
    assert_int_equal(ls_in_portions(cases[i].count, cases[i].limit, note, &seen), LS_OK);
    assert_true(seen.end == cases[i].count);
    assert_int_equal(seen.calls, cases[i].calls);
    assert_true(seen.longest <= cases[i].limit);
  }
}

static void the_first_failure_ends_it(void **state)
{
  (void)state;
  log seen = {.failing_call = 3};
  assert_int_equal(ls_in_portions(100, 10, note, &seen), LS_E_COMM);
  assert_int_equal(seen.calls, 3);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(portions_cover_the_vector),
      cmocka_unit_test(the_first_failure_ends_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
