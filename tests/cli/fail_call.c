/* SPDX-License-Identifier: BSD-3-Clause */
/* Preloaded by test_hdf5.sh: lets a call of the C library fail. Told by the environment:
 *
 *   FAIL_CALL   open, read, close: on a file whose name ends in .h5; lock: flock() and fcntl() on any file;
 *               malloc: an allocation of the first thread while such a file is open
 *   FAIL_AT     which of them, from 1; all, if it is not set
 *   FAIL_WITH   errno
 *   FAIL_TOLD   a file that is made when a call fails */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *block, size_t bytes);
extern void *__libc_memalign(size_t alignment, size_t bytes);

static long calls;
static bool armed;

static bool is_set(const char *call)
{
  const char *wanted = getenv("FAIL_CALL");
  return wanted && strcmp(wanted, call) == 0;
}

/* Is this the call that is to fail? */
static bool is_hit(const char *call)
{
  if (!is_set(call)) return false;
  const char *at = getenv("FAIL_AT"), *with = getenv("FAIL_WITH"), *told = getenv("FAIL_TOLD");
  if (at && ++calls != strtol(at, NULL, 10)) return false;
  if (told) syscall(SYS_close, syscall(SYS_openat, AT_FDCWD, told, O_CREAT | O_WRONLY, 0666));
  errno = with ? (int)strtol(with, NULL, 10) : EIO;
  return true;
}

static bool is_h5(const char *path)
{
  const size_t length = strlen(path);
  return length > 3 && strcmp(path + length - 3, ".h5") == 0;
}

static bool is_h5_open(int file)
{
  char link[64] = "/proc/self/fd/", path[4096];
  char *end = link + strlen(link), digits[16];
  size_t count = 0;
  for (int rest = file; rest > 0 || count == 0; rest /= 10) digits[count++] = (char)('0' + rest % 10);
  while (count > 0) *end++ = digits[--count];
  const long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
  if (length < 0) return false;
  path[length] = '\0';
  return is_h5(path);
}

static int open_at(int folder, const char *path, int flags, unsigned mode)
{
  if (is_h5(path)) {
    armed = true;
    if (is_hit("open")) return -1;
  }
  return (int)syscall(SYS_openat, folder, path, flags, mode);
}

#define MODE(flags)                                                                                          \
  unsigned mode = 0;                                                                                         \
  va_list args;                                                                                              \
  va_start(args, flags);                                                                                     \
  if (flags & O_CREAT) mode = va_arg(args, unsigned);                                                        \
  va_end(args)

int open(const char *path, int flags, ...)
{
  MODE(flags);
  return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
  MODE(flags);
  return open_at(AT_FDCWD, path, flags, mode);
}

ssize_t pread(int file, void *out, size_t bytes, off_t at)
{
  if (is_set("read") && is_h5_open(file) && is_hit("read")) return -1;
  return syscall(SYS_pread64, file, out, bytes, at);
}

ssize_t pread64(int file, void *out, size_t bytes, off_t at)
{
  return pread(file, out, bytes, at);
}

ssize_t read(int file, void *out, size_t bytes)
{
  if (is_set("read") && is_h5_open(file) && is_hit("read")) return -1;
  return syscall(SYS_read, file, out, bytes);
}

int close(int file)
{
  const bool is_of_h5 = getenv("FAIL_CALL") && is_h5_open(file), fails = is_of_h5 && is_hit("close");
  if (is_of_h5) armed = false;
  const int error = errno, result = (int)syscall(SYS_close, file);
  if (fails) errno = error;
  return fails ? -1 : result;
}

int flock(int file, int operation)
{
  return is_hit("lock") ? -1 : (int)syscall(SYS_flock, file, operation);
}

static int control(int file, int command, va_list args)
{
  void *value = va_arg(args, void *);
  const bool is_lock = command == F_SETLK || command == F_SETLKW || command == F_GETLK;
  return is_lock && is_hit("lock") ? -1 : (int)syscall(SYS_fcntl, file, command, value);
}

int fcntl(int file, int command, ...)
{
  va_list args;
  va_start(args, command);
  const int result = control(file, command, args);
  va_end(args);
  return result;
}

int fcntl64(int file, int command, ...)
{
  va_list args;
  va_start(args, command);
  const int result = control(file, command, args);
  va_end(args);
  return result;
}

static bool is_failing(void)
{
  return armed && syscall(SYS_gettid) == getpid() && is_hit("malloc");
}

void *malloc(size_t bytes)
{
  return is_failing() ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
  return is_failing() ? NULL : __libc_calloc(count, bytes);
}

void *realloc(void *block, size_t bytes)
{
  return is_failing() ? NULL : __libc_realloc(block, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
  return is_failing() ? NULL : __libc_memalign(alignment, bytes);
}
