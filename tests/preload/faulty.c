/* SPDX-License-Identifier: BSD-3-Clause */
/* Preloaded by tests: the system's calls on one file fail, or wait. Set by the environment:
 *   FAULTY_CALL   read, write, open, stat, fsync, rename, close, unlink, mkdir, list, lock
 *   FAULTY_PATH   part of the path of the files that it is about
 *   FAULTY_NTH    which of these calls, from 1; 0: all of them; -1: the first, third, fifth, ...
 *   FAULTY_ERRNO  with which number it fails; 0: it waits until FAULTY_MARK is removed, and goes on
 *   FAULTY_MARK   file that is made when it has happened; optional
 * Calls of MPI and others go to other files. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interpose.h"

static long numbered(const char *name)
{
  const char *text = getenv(name);
  return text ? atol(text) : 0;
}

/* Is it this call's turn? errno is set then. */
static bool fails(const char *call, const char *path)
{
  static long count;
  const char *wanted = getenv("FAULTY_CALL"), *part = getenv("FAULTY_PATH"), *mark = getenv("FAULTY_MARK");
  if (!wanted || !part || strcmp(wanted, call) != 0 || !strstr(path, part)) return false;
  const long nth = numbered("FAULTY_NTH");
  const long now = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
  if (nth < 0 ? now % 2 == 0 : nth > 0 && now != nth) return false;
  if (mark) {
    const int made = REAL(open)(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (made >= 0) REAL(close)(made);
  }
  errno = (int)numbered("FAULTY_ERRNO");
  if (errno != 0) return true;
  while (!mark || access(mark, F_OK) == 0) usleep(10000);
  return false;
}

/* The same for an open file, or one in an open folder. */
static bool fails_in(const char *call, int descriptor, const char *name)
{
  char link[64], path[8192] = "";
  if (name[0] == '/' || descriptor == AT_FDCWD) return fails(call, name);
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(link, path, 4096);
  if (length < 0) return false;
  snprintf(path + length, sizeof path - (size_t)length, "%s%s", name[0] ? "/" : "", name);
  return fails(call, path);
}

#define OPEN(name)                                                                                           \
  int name(const char *path, int flags, ...)                                                                 \
  {                                                                                                          \
    va_list arguments;                                                                                       \
    va_start(arguments, flags);                                                                              \
    const mode_t mode = mode_of(flags, arguments);                                                           \
    va_end(arguments);                                                                                       \
    return fails("open", path) ? -1 : REAL(name)(path, flags, mode);                                         \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                                         \
  int name(int folder, const char *path, int flags, ...)                                                     \
  {                                                                                                          \
    va_list arguments;                                                                                       \
    va_start(arguments, flags);                                                                              \
    const mode_t mode = mode_of(flags, arguments);                                                           \
    va_end(arguments);                                                                                       \
    return fails_in("open", folder, path) ? -1 : REAL(name)(folder, path, flags, mode);                      \
  }
OPENAT(openat)
OPENAT(openat64)

#define STAT(name)                                                                                           \
  int name(const char *path, struct stat *info)                                                              \
  {                                                                                                          \
    return fails("stat", path) ? -1 : REAL(name)(path, info);                                                \
  }
STAT(stat)
STAT(lstat)

#define DESCRIPTOR(result, name, call, parameters, ...)                                                      \
  result name parameters                                                                                     \
  {                                                                                                          \
    return fails_in(call, descriptor, "") ? -1 : REAL(name)(__VA_ARGS__);                                    \
  }
DESCRIPTOR(int, fstat, "stat", (int descriptor, struct stat *info), descriptor, info)
DESCRIPTOR(ssize_t, read, "read", (int descriptor, void *data, size_t bytes), descriptor, data, bytes)
DESCRIPTOR(ssize_t, pread, "read", (int descriptor, void *data, size_t bytes, off_t offset), descriptor, data,
           bytes, offset)
DESCRIPTOR(ssize_t, pread64, "read", (int descriptor, void *data, size_t bytes, off64_t offset), descriptor,
           data, bytes, offset)
DESCRIPTOR(ssize_t, write, "write", (int descriptor, const void *data, size_t bytes), descriptor, data, bytes)
DESCRIPTOR(ssize_t, pwrite, "write", (int descriptor, const void *data, size_t bytes, off_t offset),
           descriptor, data, bytes, offset)
DESCRIPTOR(ssize_t, pwrite64, "write", (int descriptor, const void *data, size_t bytes, off64_t offset),
           descriptor, data, bytes, offset)
DESCRIPTOR(int, fsync, "fsync", (int descriptor), descriptor)
DESCRIPTOR(int, flock, "lock", (int descriptor, int operation), descriptor, operation)

#define FCNTL(name)                                                                                          \
  int name(int descriptor, int command, ...)                                                                 \
  {                                                                                                          \
    va_list arguments;                                                                                       \
    va_start(arguments, command);                                                                            \
    void *argument = va_arg(arguments, void *);                                                              \
    va_end(arguments);                                                                                       \
    const bool locks = command == F_OFD_SETLK || command == F_SETLK || command == F_SETLKW;                  \
    return locks && fails_in("lock", descriptor, "") ? -1 : REAL(name)(descriptor, command, argument);       \
  }
FCNTL(fcntl)
FCNTL(fcntl64)

/* The file is closed all the same, as on Linux. */
int close(int descriptor)
{
  const bool failed = fails_in("close", descriptor, "");
  const int error = errno, result = REAL(close)(descriptor);
  if (failed) errno = error;
  return failed ? -1 : result;
}

int rename(const char *from, const char *to)
{
  return fails("rename", to) ? -1 : REAL(rename)(from, to);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
  return fails_in("rename", to_folder, to) ? -1 : REAL(renameat)(from_folder, from, to_folder, to);
}

int unlinkat(int folder, const char *path, int flags)
{
  return fails_in("unlink", folder, path) ? -1 : REAL(unlinkat)(folder, path, flags);
}

int mkdir(const char *path, mode_t mode)
{
  return fails("mkdir", path) ? -1 : REAL(mkdir)(path, mode);
}

int mkdirat(int folder, const char *path, mode_t mode)
{
  return fails_in("mkdir", folder, path) ? -1 : REAL(mkdirat)(folder, path, mode);
}

DIR *opendir(const char *path)
{
  return fails("list", path) ? NULL : REAL(opendir)(path);
}

DIR *fdopendir(int descriptor)
{
  return fails_in("list", descriptor, "") ? NULL : REAL(fdopendir)(descriptor);
}

struct dirent *readdir(DIR *stream)
{
  return fails_in("list", dirfd(stream), "") ? NULL : REAL(readdir)(stream);
}
