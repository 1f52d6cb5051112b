/* SPDX-License-Identifier: BSD-3-Clause */
/* Preloaded by tests: counts how often a process opens the files of a folder, and how many bytes it reads of
 * each.
 *
 *   LS_READS_OF=PART   of which files: those with this in their path
 *   LS_READS=FILE      where that goes when the process ends, as FILE.RANK: a line "opens bytes path" for
 * each */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "interpose.h"

enum { FILES = 32, PATH_BYTES = 4096 };

static struct counted {
  char path[PATH_BYTES];
  long opens, bytes;
} files[FILES];

/* The file behind a descriptor, or NULL if it does not count. */
static struct counted *find(int descriptor)
{
  char link[64], path[PATH_BYTES] = "";
  const char *part = getenv("LS_READS_OF");
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  if (!part || descriptor < 0 || readlink(link, path, sizeof path - 1) < 0 || !strstr(path, part))
    return NULL;
  for (size_t i = 0; i < FILES; i++) {
    if (!files[i].path[0]) memcpy(files[i].path, path, sizeof path);
    if (strcmp(files[i].path, path) == 0) return &files[i];
  }
  abort();
}

static int opened(int descriptor)
{
  struct counted *file = find(descriptor);
  if (file) file->opens++;
  return descriptor;
}

#define OPEN(name)                                                                                           \
  int name(const char *path, int flags, ...)                                                                 \
  {                                                                                                          \
    va_list arguments;                                                                                       \
    va_start(arguments, flags);                                                                              \
    const mode_t mode = mode_of(flags, arguments);                                                           \
    va_end(arguments);                                                                                       \
    return opened(REAL(name)(path, flags, mode));                                                            \
  }
OPEN(open)
OPEN(open64)

ssize_t read(int descriptor, void *data, size_t bytes)
{
  struct counted *file = find(descriptor);
  const ssize_t got = REAL(read)(descriptor, data, bytes);
  if (file && got > 0) file->bytes += got;
  return got;
}

__attribute__((destructor)) static void write_counts(void)
{
  char path[PATH_BYTES];
  const char *to = getenv("LS_READS"), *rank = getenv("OMPI_COMM_WORLD_RANK");
  if (!to) return;
  snprintf(path, sizeof path, "%s.%s", to, rank ? rank : "0");
  FILE *out = fopen(path, "w");
  if (!out) abort();
  for (size_t i = 0; i < FILES && files[i].path[0]; i++)
    fprintf(out, "%ld %ld %s\n", files[i].opens, files[i].bytes, files[i].path);
  fclose(out);
}
