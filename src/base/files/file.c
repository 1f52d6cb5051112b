/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole files: reading has a limit, and after a crash during writing there is the old or the new file, never
 * a half. An error of the system is reported as such, never as a missing or a damaged file. */
#include "base/files/file.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files/directory.h"
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

/* ---- writing ---- */

ls_status ls_file_write(const char *path, const void *data, size_t bytes)
{
  ls_directory folder;
  const char *name;
  LS_PASS(ls_directory_open_around(&folder, path, &name));
  const ls_status status = ls_directory_write(&folder, name, data, bytes);
  ls_directory_close(&folder);
  return status;
}

/* Make a folder, and its name in its parent durable. */
static ls_status make_one(const char *path)
{
  ls_directory parent;
  const char *name;
  int failed;
  LS_RETRY(failed, LS_SYSTEM("mkdir", mkdir(path, 0777)));
  if (failed && errno == EEXIST) return LS_OK;
  if (failed) return ls_fail(LS_E_IO, "cannot make folder '%s': %s", path, strerror(errno));
  LS_PASS(ls_directory_open_around(&parent, path, &name));
  const ls_status status = ls_directory_sync(&parent);
  ls_directory_close(&parent);
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
    status = make_one(folder);
    *end = kept;
  }
  free(folder);
  ls_file_kind kind = LS_FILE_FOLDER;
  if (status == LS_OK) status = ls_file_look(&kind, path);
  if (status != LS_OK || kind == LS_FILE_FOLDER) return status;
  if (kind == LS_FILE_NONE)
    return ls_fail(LS_E_IO, "cannot make folder '%s': a symbolic link of that name leads to nothing", path);
  return ls_fail(LS_E_IO, "cannot make folder '%s': a file of that name is in the way", path);
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
