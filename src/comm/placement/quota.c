/* SPDX-License-Identifier: BSD-3-Clause */
/* /proc/self/cgroup names the process' group in each hierarchy, /proc/self/mountinfo where the hierarchy is
 * mounted, and from which of its groups on: in a container that is usually the container's own.
 *
 * Source: cgroups(7); Documentation/admin-guide/cgroup-v2.rst, -v1, scheduler/sched-bwc.rst of the kernel. */
#include "comm/placement/quota.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

enum { PATH_CHARS = 4096 };

/* Where groups with quotas are. */
typedef struct hierarchy {
  char group[PATH_CHARS];   /* of this process, from the hierarchy's root */
  char mounted[PATH_CHARS]; /* the group that is seen at `point` */
  char point[PATH_CHARS];
} hierarchy;

/* A version of control groups, and what one of its controllers limits. */
typedef struct cgroup_version {
  const char *type, *controller;      /* of the mount; "": it has no list of controllers */
  double (*read)(const char *folder); /* CPUs, or bytes; 0: no limit */
} cgroup_version;

static bool read_line(const char *folder, const char *name, char *line, size_t bytes)
{
  char path[PATH_CHARS + 64];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "r");
  if (!file) return false;
  const bool is_read = fgets(line, (int)bytes, file) != NULL;
  fclose(file);
  return is_read;
}

static double ratio(long long quota, long long period)
{
  return quota > 0 && period > 0 ? (double)quota / (double)period : 0.0;
}

/* cpu.max: "200000 100000", or "max 100000". */
static double read_v2(const char *folder)
{
  char line[128], *end;
  if (!read_line(folder, "cpu.max", line, sizeof line)) return 0.0;
  const long long quota = strtoll(line, &end, 10);
  return end == line ? 0.0 : ratio(quota, strtoll(end, NULL, 10));
}

/* A quota of -1 is none. */
static double read_v1(const char *folder)
{
  char quota[128], period[128];
  if (!read_line(folder, "cpu.cfs_quota_us", quota, sizeof quota) ||
      !read_line(folder, "cpu.cfs_period_us", period, sizeof period))
    return 0.0;
  return ratio(strtoll(quota, NULL, 10), strtoll(period, NULL, 10));
}

/* A number of bytes, or "max". */
static double read_bytes(const char *folder, const char *name)
{
  char line[128], *end;
  if (!read_line(folder, name, line, sizeof line)) return 0.0;
  const unsigned long long bytes = strtoull(line, &end, 10);
  return end == line ? 0.0 : (double)bytes;
}

static double read_memory_v2(const char *folder)
{
  return read_bytes(folder, "memory.max");
}

/* Without a limit it is a number that no machine has. */
static double read_memory_v1(const char *folder)
{
  return read_bytes(folder, "memory.limit_in_bytes");
}

enum { VERSIONS = 2 };

static const cgroup_version of_cpus[VERSIONS] = {
    {.type = "cgroup2", .controller = "", .read = read_v2},
    {.type = "cgroup", .controller = "cpu", .read = read_v1},
};

static const cgroup_version of_memory[VERSIONS] = {
    {.type = "cgroup2", .controller = "", .read = read_memory_v2},
    {.type = "cgroup", .controller = "memory", .read = read_memory_v1},
};

/* Is `word` one of a list with commas? An empty word is in the empty list alone. */
static bool is_listed(const char *list, size_t length, const char *word)
{
  const size_t bytes = strlen(word);
  if (bytes == 0) return length == 0;
  for (size_t i = 0; i + bytes <= length; i++) {
    const bool begins = i == 0 || list[i - 1] == ',', ends = i + bytes == length || list[i + bytes] == ',';
    if (begins && ends && strncmp(list + i, word, bytes) == 0) return true;
  }
  return false;
}

/* "4:cpu,cpuacct:/docker/1" and, of version 2, "0::/docker/1". */
static bool take_group(const char *line, const cgroup_version *version, hierarchy *found)
{
  const char *list = strchr(line, ':'), *path = list ? strchr(list + 1, ':') : NULL;
  if (!path || !is_listed(list + 1, (size_t)(path - list - 1), version->controller)) return false;
  snprintf(found->group, sizeof found->group, "%.*s", (int)strcspn(path + 1, "\n"), path + 1);
  return true;
}

/* The index-th word of a line, from 0; false if there is none, or it does not fit. */
static bool word_of(const char *line, size_t index, char *word, size_t bytes)
{
  line += strspn(line, " ");
  for (size_t i = 0; i < index; i++) {
    line += strcspn(line, " \n");
    line += strspn(line, " ");
  }
  const size_t length = strcspn(line, " \n");
  if (length == 0 || length >= bytes) return false;
  memcpy(word, line, length);
  word[length] = '\0';
  return true;
}

/* "33 31 0:30 /docker/1 /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu" */
static bool take_mount(const char *line, const cgroup_version *version, hierarchy *found)
{
  char type[32], options[256];
  const char *rest = strstr(line, " - ");
  if (!rest || !word_of(rest, 1, type, sizeof type) || strcmp(type, version->type) != 0) return false;
  if (!word_of(rest, 3, options, sizeof options) || !word_of(line, 3, found->mounted, PATH_CHARS) ||
      !word_of(line, 4, found->point, PATH_CHARS))
    return false;
  return *version->controller == '\0' || is_listed(options, strlen(options), version->controller);
}

/* Give the lines of a file to `take` until one is taken. */
static bool find_line(const char *root, const char *name, const cgroup_version *version, hierarchy *found,
                      bool (*take)(const char *line, const cgroup_version *version, hierarchy *found))
{
  char folder[PATH_CHARS], *line = NULL;
  size_t capacity = 0;
  bool is_found = false;
  snprintf(folder, sizeof folder, "%s%s", root, name);
  FILE *file = fopen(folder, "r");
  while (file && !is_found && getline(&line, &capacity, file) > 0) is_found = take(line, version, found);
  free(line);
  if (file) fclose(file);
  return is_found;
}

/* The process' group as a path from what is mounted; "": that itself, also where the group cannot be seen
 * from there. A container sees its own group as the root. */
static const char *path_below(const hierarchy *found)
{
  const size_t skipped = strcmp(found->mounted, "/") == 0 ? 0 : strlen(found->mounted);
  const char *path = found->group + skipped;
  const bool is_below = strncmp(found->group, found->mounted, skipped) == 0 && *path == '/' &&
                        strncmp(path, "/..", 3) != 0 && path[1] != '\0';
  return is_below ? path : "";
}

/* What is done with a limit above 0 of the group in a folder. */
typedef void take_limit(void *user, const char *folder, double limit);

/* From the process' group up to what is mounted. */
static void climb(const char *root, const cgroup_version *version, const hierarchy *found, take_limit *take,
                  void *user)
{
  char folder[3 * PATH_CHARS];
  const size_t top = (size_t)snprintf(folder, sizeof folder, "%s%s", root, found->point);
  snprintf(folder + top, sizeof folder - top, "%s", path_below(found));
  for (char *end = folder + strlen(folder); end;) {
    *end = '\0';
    const double limit = version->read(folder);
    if (limit > 0.0) take(user, folder, limit);
    end = strlen(folder) > top ? strrchr(folder, '/') : NULL;
  }
}

/* The limits of both versions. */
static void find_limits(const char *root, const cgroup_version versions[VERSIONS], take_limit *take,
                        void *user)
{
  hierarchy found;
  for (size_t i = 0; i < VERSIONS; i++)
    if (find_line(root, "/proc/self/cgroup", &versions[i], &found, take_group) &&
        find_line(root, "/proc/self/mountinfo", &versions[i], &found, take_mount))
      climb(root, &versions[i], &found, take, user);
}

/* ---- processors ---- */

typedef struct quota_list {
  ls_quota *quotas; /* [LS_QUOTAS] */
  size_t count;
} quota_list;

/* Put it to the others; of too many the loosest is left out. Returns how many there are. */
static size_t keep(ls_quota quotas[LS_QUOTAS], size_t count, const ls_quota *quota)
{
  size_t at = count;
  if (count == LS_QUOTAS) {
    at = 0;
    for (size_t i = 1; i < LS_QUOTAS; i++)
      if (quotas[i].cpus > quotas[at].cpus) at = i;
    if (quotas[at].cpus <= quota->cpus) return count;
  }
  quotas[at] = *quota;
  return count < LS_QUOTAS ? count + 1 : count;
}

static void take_quota(void *user, const char *folder, double cpus)
{
  quota_list *list = user;
  struct stat status;
  if (stat(folder, &status) != 0) return;
  const ls_quota quota = {cpus, (uint64_t)status.st_dev, (uint64_t)status.st_ino};
  list->count = keep(list->quotas, list->count, &quota);
}

size_t ls_quota_find(const char *root, ls_quota quotas[LS_QUOTAS])
{
  quota_list list = {.quotas = quotas};
  find_limits(root, of_cpus, take_quota, &list);
  return list.count;
}

/* ---- memory ---- */

static void take_least(void *user, const char *folder, double bytes)
{
  (void)folder;
  double *least = user;
  if (bytes < *least) *least = bytes;
}

double ls_memory_limit(const char *root)
{
  double least = INFINITY;
  find_limits(root, of_memory, take_least, &least);
  return least;
}
