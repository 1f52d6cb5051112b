/* SPDX-License-Identifier: BSD-3-Clause */
/* Which group trains which member. */
#include "comm/groups.h"

#include "cmocka_all.h"

enum { MAX = 16 };

static double makespan(const double *costs, size_t members, const size_t *sizes, size_t groups,
                       size_t *group_of, size_t *order)
{
  double loads[MAX] = {0}, longest = 0;
  assert_int_equal(ls_groups_deal(costs, members, sizes, groups, group_of, order), LS_OK);
  for (size_t m = 0; m < members; m++) loads[group_of[m]] += costs[m] / (double)sizes[group_of[m]];
  for (size_t g = 0; g < groups; g++) longest = loads[g] > longest ? loads[g] : longest;
  return longest;
}

static void a_group_for_each_member_gets_the_one_it_is_fit_for(void **state)
{
  (void)state;
  const double costs[] = {1, 4, 2};
  const size_t sizes[] = {1, 2, 4};
  size_t group_of[3], order[3];
  assert_true(makespan(costs, 3, sizes, 3, group_of, order) == 1);
  assert_int_equal(group_of[0], 0);
  assert_int_equal(group_of[1], 2);
  assert_int_equal(group_of[2], 1);
}

static void the_longest_come_first(void **state)
{
  (void)state;
  const double costs[] = {3, 3, 2, 2, 2, 5};
  const size_t sizes[] = {1, 1};
  size_t group_of[6], order[6];
  assert_true(makespan(costs, 6, sizes, 2, group_of, order) <= 4.0 / 3 * 17.0 / 2);
  const size_t expected[] = {5, 0, 1, 2, 3, 4};
  for (size_t i = 0; i < 6; i++) assert_int_equal(order[i], expected[i]);
}

static void like_members_are_spread_evenly(void **state)
{
  (void)state;
  const double costs[] = {1, 1, 1, 1, 1, 1, 1};
  const size_t sizes[] = {2, 2, 2};
  size_t group_of[7], order[7], counts[3] = {0};
  assert_true(makespan(costs, 7, sizes, 3, group_of, order) == 1.5);
  for (size_t m = 0; m < 7; m++) counts[group_of[m]]++;
  for (size_t g = 0; g < 3; g++) assert_in_range(counts[g], 2, 3);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_group_for_each_member_gets_the_one_it_is_fit_for),
      cmocka_unit_test(the_longest_come_first),
      cmocka_unit_test(like_members_are_spread_evenly),
  };
  return cmocka_run_group_tests_name("members", tests, NULL, NULL);
}
