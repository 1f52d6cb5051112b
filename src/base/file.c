/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole files: read with a limit, written so that a crash leaves the old or the new file, never a half. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

static ls_status read_all(int descriptor, const char *path, size_t bytes, char *data)
{
  size_t done = 0;
  while (done < bytes) {
    ssize_t got = read(descriptor, data + done, bytes - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ls_fail(LS_E_IO, "cannot read '%s': %s", path, strerror(errno));
    if (got == 0) return ls_fail(LS_E_IO, "cannot read '%s': it became shorter meanwhile", path);
    done += (size_t)got;
  }
  return LS_OK;
}

ls_status ls_file_read(const char *path, size_t limit_bytes, char **out, size_t *length)
{
  /* Not to wait for the other end of a pipe. */
  int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return ls_fail(LS_E_INPUT, "cannot open '%s': %s", path, strerror(errno));
  ls_status status;
  char *data = NULL;
  struct stat info;
  if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
    status = ls_fail(LS_E_INPUT, "cannot read '%s': it is not a regular file", path);
    goto done;
  }
  size_t bytes = (size_t)info.st_size;
  if (bytes > limit_bytes) {
    status = ls_fail(LS_E_INPUT, "cannot read '%s': it has %zu bytes, at most %zu are expected", path, bytes,
                     limit_bytes);
    goto done;
  }
  LS_GO(ls_alloc(&data, bytes + 1, 1, "a file's contents"));
  LS_GO(read_all(descriptor, path, bytes, data));
  *out = data;
  *length = bytes;
  data = NULL;
done:
  free(data);
  close(descriptor);
  return status;
}

static ls_status write_all(int descriptor, const char *path, const char *data, size_t bytes)
{
  size_t done = 0;
  while (done < bytes) {
    ssize_t put = write(descriptor, data + done, bytes - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return ls_fail(LS_E_IO, "cannot write '%s': %s", path, strerror(errno));
    done += (size_t)put;
  }
  return LS_OK;
}

static ls_status sync_path(const char *path, int flags)
{
  int descriptor = open(path, flags | O_CLOEXEC);
  if (descriptor < 0) return ls_fail(LS_E_IO, "cannot open '%s': %s", path, strerror(errno));
  int failed = fsync(descriptor);
  int error = errno;
  close(descriptor);
  /* Some network file systems cannot sync a folder: the rename is then as durable as they make it. */
  if (failed && error != EINVAL) return ls_fail(LS_E_IO, "cannot sync '%s': %s", path, strerror(error));
  return LS_OK;
}

ls_status ls_file_sync(const char *path)
{
  LS_PASS(sync_path(path, O_RDONLY));
  char *folder;
  LS_PASS(ls_text_copy(&folder, path));
  char *slash = strrchr(folder, '/');
  if (slash == folder) slash++;
  if (slash) *slash = '\0';
  ls_status status = sync_path(slash ? folder : ".", O_RDONLY | O_DIRECTORY);
  free(folder);
  return status;
}

static ls_status write_temporary(const char *path, const void *data, size_t bytes)
{
  int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) return ls_fail(LS_E_IO, "cannot create '%s': %s", path, strerror(errno));
  ls_status status = write_all(descriptor, path, data, bytes);
  if (status == LS_OK && fsync(descriptor) != 0)
    status = ls_fail(LS_E_IO, "cannot sync '%s': %s", path, strerror(errno));
  if (close(descriptor) != 0 && status == LS_OK)
    status = ls_fail(LS_E_IO, "cannot close '%s': %s", path, strerror(errno));
  return status;
}

ls_status ls_file_write(const char *path, const void *data, size_t bytes)
{
  size_t length = strlen(path) + sizeof ".tmp";
  char *temporary;
  LS_PASS(ls_alloc(&temporary, length, 1, "a path"));
  snprintf(temporary, length, "%s.tmp", path);
  ls_status status;
  LS_GO(write_temporary(temporary, data, bytes));
  if (rename(temporary, path) != 0) {
    status = ls_fail(LS_E_IO, "cannot rename '%s' to '%s': %s", temporary, path, strerror(errno));
    goto done;
  }
  LS_GO(ls_file_sync(path));
done:
  if (status != LS_OK) unlink(temporary);
  free(temporary);
  return status;
}

ls_status ls_folder_make(const char *path)
{
  char *folder;
  LS_PASS(ls_text_copy(&folder, path));
  ls_status status = LS_OK;
  for (char *end = folder; *end && status == LS_OK;) {
    end += strspn(end, "/");
    end += strcspn(end, "/");
    char kept = *end;
    *end = '\0';
    if (mkdir(folder, 0777) == 0)
      status = ls_file_sync(folder);
    else if (errno != EEXIST)
      status = ls_fail(LS_E_IO, "cannot make folder '%s': %s", folder, strerror(errno));
    *end = kept;
  }
  struct stat info;
  if (status == LS_OK && (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)))
    status = ls_fail(LS_E_IO, "cannot make folder '%s': a file of that name is in the way", path);
  free(folder);
  return status;
}

ls_status ls_file_check_target(const char *path)
{
  struct stat info;
  if (path[0] == '\0') return ls_fail(LS_E_USAGE, "an empty text is no name of a file");
  if (lstat(path, &info) != 0 || S_ISREG(info.st_mode)) return LS_OK;
  return ls_fail(LS_E_USAGE, "cannot write '%s': it exists and is no regular file", path);
}

bool ls_file_exists(const char *path)
{
  return access(path, F_OK) == 0;
}
