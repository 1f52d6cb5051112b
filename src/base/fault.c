/* SPDX-License-Identifier: BSD-3-Clause */
/* Fault points, for builds with LS_FAULTS alone: their counters are the one state that all threads share. A
 * forked process continues its parent's counts. */
#include "base/fault.h"

#ifdef LS_FAULTS

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES = 256 };

static const struct point {
  const char *name;
  int error;
} points[] = {
#define LS_FAULT_ROW(name, error) {name, error},
    LS_FAULT_POINTS(LS_FAULT_ROW)
#undef LS_FAULT_ROW
};
enum { POINT_COUNT = sizeof points / sizeof *points };

static atomic_ulong counts[POINT_COUNT]; /* calls so far */

static size_t find(const char *name)
{
  size_t i = 0;
  while (i < POINT_COUNT && strcmp(points[i].name, name) != 0) i++;
  assert(i < POINT_COUNT);
  return i;
}

/* Lines of several threads and processes do not mix: each is one write at the end of the file. */
static void list(const char *path, const char *name, unsigned long count, const char *site)
{
  char line[LINE_BYTES];
  const int length = snprintf(line, sizeof line - 1, "%s %lu %s", name, count, site);
  const size_t bytes = length < LINE_BYTES - 1 ? (size_t)length : LINE_BYTES - 2;
  const int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  line[bytes] = '\n';
  const ssize_t put = file < 0 ? -1 : write(file, line, bytes + 1);
  assert(put == (ssize_t)bytes + 1);
  (void)put;
  close(file);
}

/* Is this call the one that `asked`, POINT:N, names? */
static bool is_asked(const char *asked, const char *name, unsigned long count)
{
  const size_t length = strlen(name);
  return strncmp(asked, name, length) == 0 && asked[length] == ':' &&
         strtoul(asked + length + 1, NULL, 10) == count;
}

bool ls_fault(const char *name, const char *site)
{
  const char *asked = getenv("LS_FAULT"), *path = getenv("LS_FAULT_LIST");
  if (!asked && !path) return false;
  const size_t i = find(name);
  const int before = errno;
  const unsigned long count = atomic_fetch_add(&counts[i], 1) + 1;
  if (path) list(path, name, count, site);
  const bool fails = asked && is_asked(asked, name, count);
  errno = fails ? points[i].error : before;
  return fails;
}

#else
typedef int ls_no_fault_points; /* ISO C wants a declaration in each file */
#endif
