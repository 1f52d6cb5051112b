/* SPDX-License-Identifier: BSD-3-Clause */
/* From sysfs: each core has a folder for each of its caches, which states a level and the cores that share
 * it. A cache is counted at the first core of its list. */
#include "comm/placement/topology.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_CHARS = 512 };

static const char SYSTEM_FOLDER[] = "/sys/devices/system/cpu";

static bool read_line(const char *path, char *line, size_t bytes)
{
  FILE *file = fopen(path, "r");
  if (!file) return false;
  const bool is_read = fgets(line, (int)bytes, file) != NULL;
  fclose(file);
  return is_read;
}

/* A number at the start of a file; -1: there is none. */
static long read_number(const char *path)
{
  char line[64];
  if (!read_line(path, line, sizeof line)) return -1;
  char *end;
  const long number = strtol(line, &end, 10);
  return end > line ? number : -1;
}

static long read_cache(const char *folder, const char *core, long cache, const char *name)
{
  char path[PATH_CHARS];
  snprintf(path, sizeof path, "%s/%s/cache/index%ld/%s", folder, core, cache, name);
  return read_number(path);
}

/* Is this core the first of those that share its last-level cache? */
static bool is_first(const char *folder, const char *core, long number)
{
  long last = -1, highest = 0, level;
  for (long i = 0; (level = read_cache(folder, core, i, "level")) > 0; i++)
    if (level > highest) highest = level, last = i;
  return last >= 0 && read_cache(folder, core, last, "shared_cpu_list") == number;
}

size_t ls_topology_caches_of(const char *folder)
{
  size_t count = 0;
  DIR *cores = opendir(folder);
  for (struct dirent *entry; cores && (entry = readdir(cores));) {
    char *end;
    if (strncmp(entry->d_name, "cpu", 3) != 0) continue;
    const long number = strtol(entry->d_name + 3, &end, 10);
    if (end > entry->d_name + 3 && *end == '\0') count += is_first(folder, entry->d_name, number);
  }
  if (cores) closedir(cores);
  return count;
}

/* A core goes by the first of its hyper-threads; one of which nothing is known is a core by itself. */
size_t ls_topology_cores_of(const char *folder, const ls_cores *logical)
{
  ls_cores firsts = {{0}};
  for (size_t i = 0; i < LS_CORES_LIMIT; i++) {
    char path[PATH_CHARS];
    if (!ls_cores_has(logical, i)) continue;
    snprintf(path, sizeof path, "%s/cpu%zu/topology/thread_siblings_list", folder, i);
    const long first = read_number(path);
    ls_cores_add(&firsts, first < 0 ? i : (size_t)first);
  }
  return ls_cores_count(&firsts);
}

/* Those of the first core: all are alike, or nearly. */
size_t ls_topology_siblings_of(const char *folder)
{
  char path[PATH_CHARS], line[256];
  ls_cores siblings;
  snprintf(path, sizeof path, "%s/cpu0/topology/thread_siblings_list", folder);
  if (!read_line(path, line, sizeof line) || !ls_cores_parse(line, &siblings)) return 1;
  return ls_cores_count(&siblings);
}

size_t ls_topology_caches(void)
{
  return ls_topology_caches_of(SYSTEM_FOLDER);
}

size_t ls_topology_cores(const ls_cores *logical)
{
  return ls_topology_cores_of(SYSTEM_FOLDER, logical);
}

size_t ls_topology_siblings(void)
{
  return ls_topology_siblings_of(SYSTEM_FOLDER);
}
