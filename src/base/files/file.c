/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading has a limit. An error of the system is reported as such, never as a missing or a damaged file. */
#include "base/files/file.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/memory.h"

ls_status ls_errno_status(int error)
{
  static const int owners[] = {ENOTDIR, EACCES, EPERM, EISDIR, ELOOP, ENAMETOOLONG, ENXIO, ENODEV};
  for (size_t i = 0; i < sizeof owners / sizeof *owners; i++)
    if (error == owners[i]) return LS_E_ACCESS;
  return error == ENOENT ? LS_E_INPUT : error == ENOMEM ? LS_E_MEMORY : LS_E_IO;
}

const char *ls_open_error(const char *path)
{
  struct stat info;
  const int error = errno;
  const bool is_link = error == ENOENT && lstat(path, &info) == 0 && S_ISLNK(info.st_mode);
  errno = error;
  return is_link ? "a symbolic link that leads to nothing" : strerror(error);
}

/* ---- reading ---- */

static ls_status check_regular(int descriptor, const char *path, size_t *bytes)
{
  struct stat info;
  int failed;
  LS_RETRY(failed, LS_SYSTEM("stat", fstat(descriptor, &info)));
  if (failed) return ls_fail(ls_errno_status(errno), "cannot read '%s': %s", path, strerror(errno));
  if (!S_ISREG(info.st_mode)) return ls_fail(LS_E_INPUT, "cannot read '%s': it is not a regular file", path);
  if (bytes) *bytes = (size_t)info.st_size;
  return LS_OK;
}

ls_status ls_file_open(int *descriptor, const char *path, size_t *bytes)
{
  /* Not to wait for the other end of a pipe. */
  LS_RETRY(*descriptor, LS_SYSTEM("open", open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)));
  if (*descriptor < 0)
    return ls_fail(ls_errno_status(errno), "cannot open '%s': %s", path, ls_open_error(path));
  const ls_status status = check_regular(*descriptor, path, bytes);
  if (status == LS_OK) return LS_OK;
  close(*descriptor);
  *descriptor = -1;
  return status;
}

ls_status ls_file_read_some(int descriptor, const char *path, void *data, size_t bytes, size_t *got)
{
  *got = 0;
  while (*got < bytes) {
    ssize_t more;
    LS_RETRY(more, LS_SYSTEM("read", read(descriptor, (char *)data + *got, bytes - *got)));
    if (more < 0) return ls_fail(LS_E_IO, "cannot read '%s': %s", path, strerror(errno));
    if (more == 0) break;
    *got += (size_t)more;
  }
  return LS_OK;
}

ls_status ls_file_read(const char *path, size_t limit_bytes, char **out, size_t *length)
{
  int descriptor;
  size_t bytes, got;
  char *data = NULL;
  LS_PASS(ls_file_open(&descriptor, path, &bytes));
  ls_status status;
  if (bytes > limit_bytes) {
    status = ls_fail(LS_E_INPUT, "cannot read '%s': it has %zu bytes, at most %zu are expected", path, bytes,
                     limit_bytes);
    goto done;
  }
  LS_GO(ls_alloc(&data, bytes + 1, 1, "a file's contents"));
  LS_GO(ls_file_read_some(descriptor, path, data, bytes, &got));
  if (got < bytes) {
    status = ls_fail(LS_E_IO, "cannot read '%s': it became shorter meanwhile", path);
    goto done;
  }
  *out = data;
  *length = bytes;
  data = NULL;
done:
  free(data);
  close(descriptor);
  return status;
}

/* ---- syncing ---- */

/* Some network file systems cannot sync a folder: a rename is then as durable as they make it. */
int ls_file_sync(int descriptor)
{
  int failed;
  LS_RETRY(failed, LS_SYSTEM("sync", fsync(descriptor)));
  return failed && errno == EINVAL ? 0 : failed;
}

/* ---- looking ---- */

ls_status ls_file_check_target(const char *path)
{
  struct stat info;
  int failed;
  if (path[0] == '\0') return ls_fail(LS_E_USAGE, "an empty text is no name of a file");
  LS_RETRY(failed, LS_SYSTEM("stat", lstat(path, &info)));
  /* Where the folder is missing or not accessible, writing reports it. */
  const ls_status why = failed ? ls_errno_status(errno) : LS_OK;
  if (why == LS_E_INPUT || why == LS_E_ACCESS) return LS_OK;
  if (failed) return ls_fail(LS_E_IO, "cannot look for '%s': %s", path, strerror(errno));
  if (S_ISREG(info.st_mode)) return LS_OK;
  return ls_fail(LS_E_USAGE, "cannot write '%s': it exists and is no regular file", path);
}

ls_status ls_file_look(ls_file_kind *kind, const char *path)
{
  struct stat info;
  int failed;
  *kind = LS_FILE_NONE;
  LS_RETRY(failed, LS_SYSTEM("stat", stat(path, &info)));
  if (failed && (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG)) return LS_OK;
  if (failed) return ls_fail(ls_errno_status(errno), "cannot look for '%s': %s", path, strerror(errno));
  *kind = S_ISREG(info.st_mode) ? LS_FILE_REGULAR : S_ISDIR(info.st_mode) ? LS_FILE_FOLDER : LS_FILE_OTHER;
  return LS_OK;
}
