/* SPDX-License-Identifier: BSD-3-Clause */
/* Counting caches in folders like those of sysfs. */
#include "comm/placement/topology.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmocka_all.h"

static void write_file(const char *folder, const char *name, const char *text)
{
  char path[256];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  assert_int_equal(fclose(file), 0);
}

static void add_cache(const char *folder, int core, int index, const char *level, const char *cores)
{
  char path[128];
  snprintf(path, sizeof path, "%s/cpu%d", folder, core);
  mkdir(path, 0777);
  snprintf(path, sizeof path, "%s/cpu%d/cache", folder, core);
  mkdir(path, 0777);
  snprintf(path, sizeof path, "%s/cpu%d/cache/index%d", folder, core, index);
  mkdir(path, 0777);
  write_file(path, "level", level);
  write_file(path, "shared_cpu_list", cores);
}

/* Two sockets of two cores with two threads each: siblings are two numbers, and the last level comes first.
 */
static void the_last_level_is_counted_once_for_all_that_share_it(void **state)
{
  (void)state;
  char folder[] = "/tmp/lockstep-topology-XXXXXX", command[64];
  assert_non_null(mkdtemp(folder));
  assert_int_equal(ls_topology_caches_of(folder), 0);
  for (int core = 0; core < 8; core++) {
    char own[16];
    snprintf(own, sizeof own, "%d,%d\n", core % 4, core % 4 + 4);
    add_cache(folder, core, 0, "3\n", core % 4 < 2 ? "0-1,4-5\n" : "2-3,6-7\n");
    add_cache(folder, core, 1, "1\n", own);
  }
  write_file(folder, "cpufreq", "");
  assert_int_equal(ls_topology_caches_of(folder), 2);
  snprintf(command, sizeof command, "rm -rf %s", folder);
  assert_int_equal(system(command), 0);
  assert_int_equal(ls_topology_caches_of(folder), 0);
}

/* Two cores of two hyper-threads each, and a third of which nothing is known. */
static void hyper_threads_of_a_core_count_once(void **state)
{
  (void)state;
  char folder[] = "/tmp/lockstep-topology-XXXXXX", path[128], command[64];
  assert_non_null(mkdtemp(folder));
  for (int core = 0; core < 4; core++) {
    char siblings[16];
    snprintf(path, sizeof path, "%s/cpu%d", folder, core);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/cpu%d/topology", folder, core);
    mkdir(path, 0777);
    snprintf(siblings, sizeof siblings, "%d,%d\n", core % 2, core % 2 + 2);
    write_file(path, "thread_siblings_list", siblings);
  }
  static const struct {
    const char *logical;
    size_t cores;
  } cases[] = {{"0-4", 3}, {"0,2", 1}, {"2", 1}, {"1-2", 2}, {"4", 1}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    ls_cores logical;
    assert_true(ls_cores_parse(cases[i].logical, &logical));
    assert_int_equal(ls_topology_cores_of(folder, &logical), cases[i].cores);
  }
  assert_int_equal(ls_topology_siblings_of(folder), 2);
  snprintf(command, sizeof command, "rm -rf %s", folder);
  assert_int_equal(system(command), 0);
  assert_int_equal(ls_topology_siblings_of(folder), 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_last_level_is_counted_once_for_all_that_share_it),
                                     cmocka_unit_test(hyper_threads_of_a_core_count_once)};
  return cmocka_run_group_tests_name("topology", tests, NULL, NULL);
}
