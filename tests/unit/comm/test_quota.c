/* SPDX-License-Identifier: BSD-3-Clause */
/* CPU quotas in folders like those of the kernel: both versions of control groups, containers with and
 * without a namespace of their own, limits of groups above. */
#include "comm/placement/quota.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmocka_all.h"

static char root[64];

static int set_up(void **state)
{
  (void)state;
  strcpy(root, "/tmp/lockstep-quota-XXXXXX");
  return mkdtemp(root) ? 0 : 1;
}

static int tear_down(void **state)
{
  char command[96];
  (void)state;
  snprintf(command, sizeof command, "rm -rf %s", root);
  return system(command);
}

/* Write a file below the root, and the folders that it is in. */
static void put(const char *name, const char *text)
{
  char path[256];
  snprintf(path, sizeof path, "%s%s", root, name);
  for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
    *slash = '\0';
    if (mkdir(path, 0777) != 0 && errno != EEXIST) fail_msg("%s: %s", path, strerror(errno));
  }
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  assert_int_equal(fclose(file), 0);
}

static void check_only(double cpus)
{
  ls_quota quotas[LS_QUOTAS];
  assert_int_equal(ls_quota_find(root, quotas), 1);
  assert_true(quotas[0].cpus == cpus);
  assert_true(quotas[0].inode != 0);
}

static void check_none(void)
{
  ls_quota quotas[LS_QUOTAS];
  assert_int_equal(ls_quota_find(root, quotas), 0);
}

#define V2_MOUNT                                                                                             \
  "24 23 0:20 / /proc rw - proc proc rw\n31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 "  \
  "rw\n"

static void a_container_of_version_2_sees_its_own_root(void **state)
{
  (void)state;
  put("/proc/self/cgroup", "0::/\n");
  put("/proc/self/mountinfo", V2_MOUNT);
  check_none();
  put("/sys/fs/cgroup/cpu.max", "max 100000\n");
  check_none();
  put("/sys/fs/cgroup/cpu.max", "150000 100000\n");
  check_only(1.5);
}

static void memory_is_the_least_that_a_group_allows(void **state)
{
  (void)state;
  put("/proc/self/cgroup", "0::/job/task\n");
  put("/proc/self/mountinfo", V2_MOUNT);
  assert_true(isinf(ls_memory_limit(root)));
  put("/sys/fs/cgroup/job/task/memory.max", "max\n");
  assert_true(isinf(ls_memory_limit(root)));
  put("/sys/fs/cgroup/job/memory.max", "8589934592\n");
  put("/sys/fs/cgroup/other/memory.max", "4096\n");
  assert_true(ls_memory_limit(root) == 8589934592.0);
  put("/sys/fs/cgroup/job/task/memory.max", "1073741824\n");
  assert_true(ls_memory_limit(root) == 1073741824.0);
  put("/proc/self/cgroup", "9:memory:/slurm/job_7\n");
  put("/proc/self/mountinfo", "33 31 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
  put("/sys/fs/cgroup/memory/slurm/job_7/memory.limit_in_bytes", "2147483648\n");
  assert_true(ls_memory_limit(root) == 2147483648.0);
}

static void groups_above_limit_those_below(void **state)
{
  (void)state;
  ls_quota quotas[LS_QUOTAS];
  put("/proc/self/cgroup", "0::/user.slice/job/task\n");
  put("/proc/self/mountinfo", V2_MOUNT);
  put("/sys/fs/cgroup/user.slice/job/task/cpu.max", "max 100000\n");
  put("/sys/fs/cgroup/user.slice/job/cpu.max", "400000 100000\n");
  put("/sys/fs/cgroup/user.slice/other/cpu.max", "100000 100000\n");
  check_only(4.0);
  put("/sys/fs/cgroup/user.slice/job/task/cpu.max", "50000 25000\n");
  assert_int_equal(ls_quota_find(root, quotas), 2);
  assert_true(quotas[0].cpus == 2.0 && quotas[1].cpus == 4.0);
  assert_true(quotas[0].inode != quotas[1].inode);
}

/* No namespace: the process' group is named from the host's root, and the mount shows the container's alone.
 */
static void a_container_of_version_1_sees_its_own_part(void **state)
{
  (void)state;
  put("/proc/self/cgroup", "9:cpuset:/docker/12\n4:cpu,cpuacct:/docker/1\n0::/docker/1\n");
  put("/proc/self/mountinfo",
      "32 31 0:29 /docker/1 /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
      "33 31 0:30 /docker/1 /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n");
  put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  check_none();
  put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "200000\n");
  check_only(2.0);
  put("/proc/self/cgroup", "4:cpu,cpuacct:/docker/123\n"); /* not below /docker/1: what is mounted counts */
  check_only(2.0);
  put("/proc/self/cgroup", "4:cpuacct:/docker/1\n");
  check_none();
}

static void a_mixture_of_both_versions_is_read(void **state)
{
  (void)state;
  put("/proc/self/cgroup", "2:cpuacct:/\n1:cpu:/a/b\n0::/\n");
  put("/proc/self/mountinfo", "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
                              "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  put("/sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us", "300000\n");
  put("/sys/fs/cgroup/cpu/a/b/cpu.cfs_period_us", "100000\n");
  check_only(3.0);
}

static void of_many_the_tightest_are_kept(void **state)
{
  (void)state;
  ls_quota quotas[LS_QUOTAS];
  char path[128] = "/sys/fs/cgroup", text[32];
  put("/proc/self/cgroup", "0::/a/b/c/d/e/f\n");
  put("/proc/self/mountinfo", V2_MOUNT);
  for (int i = 0; i < 6; i++) {
    char file[160];
    snprintf(path + strlen(path), sizeof path - strlen(path), "/%c", 'a' + i);
    snprintf(file, sizeof file, "%s/cpu.max", path);
    snprintf(text, sizeof text, "%d00000 100000\n", i + 1);
    put(file, text);
  }
  assert_int_equal(ls_quota_find(root, quotas), LS_QUOTAS);
  for (size_t i = 0; i < LS_QUOTAS; i++) assert_true(quotas[i].cpus <= LS_QUOTAS);
}

static void nonsense_is_no_quota(void **state)
{
  (void)state;
  static const char *const bad[] = {"", "\n", "100000\n", "100000 0\n", "-1 100000\n", "cpu\n"};
  check_none(); /* no files at all */
  put("/proc/self/cgroup", "0::/\n");
  put("/proc/self/mountinfo", V2_MOUNT);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    put("/sys/fs/cgroup/cpu.max", bad[i]);
    check_none();
  }
  put("/proc/self/mountinfo", "\n31 23 - cgroup2\n - cgroup2 x rw\n");
  check_none();
  put("/proc/self/cgroup", "0\n:\n::\n0:x\n");
  check_none();
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_container_of_version_2_sees_its_own_root, set_up, tear_down),
      cmocka_unit_test_setup_teardown(memory_is_the_least_that_a_group_allows, set_up, tear_down),
      cmocka_unit_test_setup_teardown(groups_above_limit_those_below, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_container_of_version_1_sees_its_own_part, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_mixture_of_both_versions_is_read, set_up, tear_down),
      cmocka_unit_test_setup_teardown(of_many_the_tightest_are_kept, set_up, tear_down),
      cmocka_unit_test_setup_teardown(nonsense_is_no_quota, set_up, tear_down),
  };
  return cmocka_run_group_tests_name("quota", tests, NULL, NULL);
}
