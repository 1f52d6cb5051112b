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

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(groups_are_of_whole_hosts_first)};
  return cmocka_run_group_tests_name("groups", tests, NULL, NULL);
}
