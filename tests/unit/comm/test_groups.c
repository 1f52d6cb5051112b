/* SPDX-License-Identifier: BSD-3-Clause */
/* Which rank goes to which group. */
#include "comm/groups.h"

#include "cmocka_all.h"

enum { MAX = 16 };

/* Hosts of these sizes, whose ranks come in turns if `mixed`; checks the sizes of the groups. */
static void check(const size_t *hosts, size_t host_count, size_t groups, bool mixed, const size_t *expected,
                  size_t most_hosts_a_group)
{
  size_t host_of[MAX], group_of[MAX], ranks = 0, sizes[MAX] = {0};
  bool on[MAX][MAX] = {{false}};
  if (mixed)
    for (size_t k = 0; k < MAX; k++)
      for (size_t h = 0; h < host_count; h++)
        if (k < hosts[h]) host_of[ranks++] = h;
  for (size_t h = 0; h < host_count && !mixed; h++)
    for (size_t k = 0; k < hosts[h]; k++) host_of[ranks++] = h;
  assert_int_equal(ls_groups_plan(host_of, ranks, host_count, groups, group_of), LS_OK);
  for (size_t r = 0; r < ranks; r++) sizes[group_of[r]]++, on[group_of[r]][host_of[r]] = true;
  for (size_t g = 0; g < groups; g++) {
    size_t its_hosts = 0;
    for (size_t h = 0; h < host_count; h++) its_hosts += on[g][h];
    assert_int_equal(sizes[g], expected[g]);
    assert_in_range(its_hosts, 1, most_hosts_a_group);
  }
}

static void groups_are_of_whole_hosts_first(void **state)
{
  (void)state;
  for (int mixed = 0; mixed < 2; mixed++) {
    check((size_t[]){4}, 1, 1, mixed, (size_t[]){4}, 1);
    check((size_t[]){5}, 1, 3, mixed, (size_t[]){1, 2, 2}, 1);
    check((size_t[]){4, 4}, 2, 2, mixed, (size_t[]){4, 4}, 1);
    check((size_t[]){4, 4}, 2, 3, mixed, (size_t[]){2, 2, 4}, 1);
    check((size_t[]){6, 2}, 2, 4, mixed, (size_t[]){2, 2, 2, 2}, 1);
    check((size_t[]){4, 4, 4}, 3, 2, mixed, (size_t[]){8, 4}, 2);
    check((size_t[]){1, 2, 3}, 3, 2, mixed, (size_t[]){3, 3}, 2);
    check((size_t[]){2, 1}, 2, 3, mixed, (size_t[]){1, 1, 1}, 1);
  }
}

/* The rule of highest averages (D'Hondt), of any hosts in any order: where a host has several groups, no
 * other one had more ranks for each group that it would have then; and the order of hosts does not matter. */
static void check_highest_averages(const size_t *hosts, size_t host_count, size_t groups)
{
  size_t host_of[MAX], group_of[MAX], ranks = 0, of_host[MAX] = {0};
  bool on[MAX][MAX] = {{false}};
  for (size_t h = 0; h < host_count; h++)
    for (size_t k = 0; k < hosts[h]; k++) host_of[ranks++] = h;
  assert_int_equal(ls_groups_plan(host_of, ranks, host_count, groups, group_of), LS_OK);
  for (size_t r = 0; r < ranks; r++) {
    assert_in_range(group_of[r], 0, groups - 1);
    of_host[host_of[r]] += !on[group_of[r]][host_of[r]];
    on[group_of[r]][host_of[r]] = true;
  }
  size_t dealt = 0;
  for (size_t h = 0; h < host_count; h++) dealt += of_host[h];
  assert_int_equal(dealt, groups); /* each group is on one host */
  for (size_t a = 0; a < host_count; a++)
    for (size_t b = 0; b < host_count; b++)
      if (of_host[a] > 1 && hosts[a] * (of_host[b] + 1) < hosts[b] * of_host[a])
        fail_msg("%zu groups on hosts of %zu, %zu and %zu ranks: host %zu has %zu, and host %zu has %zu",
                 groups, hosts[0], hosts[1], host_count > 2 ? hosts[2] : 0, a, of_host[a], b, of_host[b]);
}

static void the_host_that_needs_it_most_gets_the_next_group(void **state)
{
  (void)state;
  for (size_t a = 1; a <= 5; a++)
    for (size_t b = 1; b <= 5; b++)
      for (size_t c = 0; c <= 5; c++)
        for (size_t groups = c > 0 ? 3 : 2; groups <= a + b + c; groups++)
          check_highest_averages((size_t[]){a, b, c}, c > 0 ? 3 : 2, groups);
  check((size_t[]){2, 6}, 2, 4, false, (size_t[]){2, 2, 2, 2}, 1);
  check((size_t[]){1, 4}, 2, 3, false, (size_t[]){1, 2, 2}, 1);
  check((size_t[]){4, 1}, 2, 3, false, (size_t[]){2, 2, 1}, 1);
  check((size_t[]){1, 1, 3}, 3, 4, false, (size_t[]){1, 1, 1, 2}, 1);
}

/* With fewer groups than hosts no host is cut, and none could move to a smaller group by itself. */
static void hosts_stay_whole_where_groups_are_few(void **state)
{
  (void)state;
  for (size_t a = 1; a <= 4; a++)
    for (size_t b = 1; b <= 4; b++)
      for (size_t c = 1; c <= 4; c++) {
        size_t host_of[MAX], group_of[MAX], ranks = 0, sizes[2] = {0};
        const size_t hosts[] = {a, b, c};
        for (size_t h = 0; h < 3; h++)
          for (size_t k = 0; k < hosts[h]; k++) host_of[ranks++] = h;
        assert_int_equal(ls_groups_plan(host_of, ranks, 3, 2, group_of), LS_OK);
        for (size_t r = 0; r < ranks; r++) {
          sizes[group_of[r]]++;
          if (r > 0 && host_of[r] == host_of[r - 1]) assert_int_equal(group_of[r], group_of[r - 1]);
        }
        for (size_t r = 0; r < ranks; r++)
          assert_true(sizes[1 - group_of[r]] + hosts[host_of[r]] >= sizes[group_of[r]]);
        assert_true(sizes[0] > 0 && sizes[1] > 0);
      }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(groups_are_of_whole_hosts_first),
      cmocka_unit_test(the_host_that_needs_it_most_gets_the_next_group),
      cmocka_unit_test(hosts_stay_whole_where_groups_are_few),
  };
  return cmocka_run_group_tests_name("groups", tests, NULL, NULL);
}
