/* SPDX-License-Identifier: BSD-3-Clause */
/* Core sets, and the threads that ranks on one host choose. */
#include "cmocka_all.h"

#include <string.h>

#include "comm/placement/cores.h"

static ls_cores range(size_t first, size_t last)
{
  ls_cores cores = {{0}};
  for (size_t core = first; core <= last; core++) ls_cores_add(&cores, core);
  return cores;
}

static void sets_are_written_as_lists(void **state)
{
  (void)state;
  char text[128];
  ls_cores cores = {{0}};
  ls_cores_list(&cores, text, sizeof text);
  assert_string_equal(text, "");
  cores = range(0, 3);
  ls_cores_add(&cores, 8);
  ls_cores_add(&cores, LS_CORES_LIMIT - 1);
  ls_cores_add(&cores, LS_CORES_LIMIT); /* beyond the limit */
  ls_cores_list(&cores, text, sizeof text);
  assert_string_equal(text, "0-3,8,8191");
  assert_int_equal(ls_cores_count(&cores), 6);
  cores = range(60, 70); /* across words */
  ls_cores_list(&cores, text, sizeof text);
  assert_string_equal(text, "60-70");
}

static void a_long_list_is_cut_at_a_range(void **state)
{
  (void)state;
  ls_cores cores = {{0}};
  for (size_t core = 0; core < 400; core += 2) ls_cores_add(&cores, core);
  for (size_t bytes = 16; bytes < 40; bytes++) {
    char text[64];
    memset(text, '#', sizeof text);
    ls_cores_list(&cores, text, bytes);
    assert_true(strlen(text) < bytes);
    assert_int_equal(strncmp(text, "0,2,4,6,", 8), 0);
    assert_string_equal(text + strlen(text) - 4, ",...");
    assert_int_equal(text[bytes], '#');
  }
}

static void sets_are_compared(void **state)
{
  (void)state;
  const ls_cores none = {{0}}, low = range(0, 3), high = range(4, 200), middle = range(2, 5),
                 all = range(0, 200);
  assert_false(ls_cores_overlap(&low, &high));
  assert_true(ls_cores_overlap(&middle, &high));
  assert_true(ls_cores_within(&low, &all));
  assert_false(ls_cores_within(&all, &low));
  assert_false(ls_cores_within(&middle, &high));
  assert_true(ls_cores_within(&none, &low));
}

static void lists_are_read(void **state)
{
  (void)state;
  static const char *const bad[] = {"", "\n", "a", "3-1", "0-", "-1", "1,,2", "99999", "0 1", "0x1"};
  ls_cores cores;
  char text[64];
  assert_true(ls_cores_parse("0-3,8,64-65\n", &cores));
  ls_cores_list(&cores, text, sizeof text);
  assert_string_equal(text, "0-3,8,64-65");
  assert_true(ls_cores_parse("7", &cores));
  assert_int_equal(ls_cores_count(&cores), 1);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    if (ls_cores_parse(bad[i], &cores)) fail_msg("'%s' is read as cores", bad[i]);
}

static void check_share(const ls_core_request *requests, size_t count, size_t rank, ls_core_share expected)
{
  const ls_core_share share = ls_core_share_of(requests, count, rank);
  assert_int_equal(share.threads, expected.threads);
  assert_int_equal(share.sharing, expected.sharing);
  assert_int_equal(share.crowd_threads, expected.crowd_threads);
}

static void cores_are_divided_among_those_who_share_them(void **state)
{
  (void)state;
  const ls_core_request unbound[] = {{.cores = range(0, 7)}, {.cores = range(0, 7)}, {.cores = range(0, 7)}};
  check_share(unbound, 1, 0, (ls_core_share){.threads = 8, .sharing = 1, .crowd_threads = 8});
  check_share(unbound, 2, 1, (ls_core_share){.threads = 4, .sharing = 2, .crowd_threads = 8});
  check_share(unbound, 3, 2, (ls_core_share){.threads = 2, .sharing = 3, .crowd_threads = 6});
  const ls_core_request sockets[] = {{.cores = range(0, 3)}, {.cores = range(4, 7)}};
  check_share(sockets, 2, 0, (ls_core_share){.threads = 4, .sharing = 1, .crowd_threads = 4});
  const ls_core_request one_core[] = {{.cores = range(5, 5)}, {.cores = range(5, 5)}};
  check_share(one_core, 2, 0, (ls_core_share){.threads = 1, .sharing = 2, .crowd_threads = 2});
}

static void a_wish_is_granted(void **state)
{
  (void)state;
  const ls_core_request requests[] = {{.cores = range(0, 0), .wanted = 3}, {.cores = range(0, 3)}};
  check_share(requests, 2, 0, (ls_core_share){.threads = 3, .sharing = 2, .crowd_threads = 3});
  check_share(requests, 2, 1, (ls_core_share){.threads = 2, .sharing = 2, .crowd_threads = 5});
}

static ls_core_request limited(size_t cores, double cpus, uint64_t group)
{
  return (ls_core_request){
      .cores = range(0, cores - 1), .quotas = {{.cpus = cpus, .inode = group}}, .quota_count = 1};
}

static void a_quota_limits_the_threads(void **state)
{
  (void)state;
  const ls_core_request one = limited(64, 4.5, 7);
  ls_core_share share = ls_core_share_of(&one, 1, 0);
  assert_int_equal(share.threads, 4);
  assert_true(share.is_by_quota && share.quota == 4.5);
  assert_int_equal(share.quota_threads, 4);
  const ls_core_request loose = limited(2, 4, 7), tight = limited(2, 0.5, 7);
  share = ls_core_share_of(&loose, 1, 0);
  assert_int_equal(share.threads, 2);
  assert_false(share.is_by_quota);
  assert_int_equal(ls_core_share_of(&tight, 1, 0).threads, 1);
}

/* Two in one container, and a third in one of its own. */
static void a_quota_is_shared_by_the_ranks_under_it(void **state)
{
  (void)state;
  const ls_core_request requests[] = {limited(64, 8, 7), limited(64, 8, 7), limited(64, 3, 9)};
  for (size_t r = 0; r < 3; r++) {
    const ls_core_share share = ls_core_share_of(requests, 3, r);
    assert_int_equal(share.threads, r < 2 ? 4 : 3);
    assert_int_equal(share.quota_threads, r < 2 ? 8 : 3);
    assert_int_equal(share.quota_ranks, r < 2 ? 2 : 1);
  }
}

static void a_wish_is_granted_beyond_the_quota_and_counted(void **state)
{
  (void)state;
  ls_core_request request = limited(64, 2, 7);
  request.quotas[1] = (ls_quota){.cpus = 30, .inode = 8};
  request.quota_count = 2;
  request.wanted = 16;
  const ls_core_share share = ls_core_share_of(&request, 1, 0);
  assert_int_equal(share.threads, 16);
  assert_false(share.is_by_quota);
  assert_true(share.quota == 2.0);
  assert_int_equal(share.quota_threads, 16);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sets_are_written_as_lists),
      cmocka_unit_test(a_long_list_is_cut_at_a_range),
      cmocka_unit_test(sets_are_compared),
      cmocka_unit_test(cores_are_divided_among_those_who_share_them),
      cmocka_unit_test(a_wish_is_granted),
      cmocka_unit_test(lists_are_read),
      cmocka_unit_test(a_quota_limits_the_threads),
      cmocka_unit_test(a_quota_is_shared_by_the_ranks_under_it),
      cmocka_unit_test(a_wish_is_granted_beyond_the_quota_and_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
