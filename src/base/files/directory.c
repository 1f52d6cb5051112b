/* SPDX-License-Identifier: BSD-3-Clause */
/* Files of a folder by its descriptor. */
#include "base/files/directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/files/file.h"
#include "base/memory.h"
#include "base/text.h"

enum { LINK_BYTES = 4096 };

static ls_status join(const char *folder, const char *name, char **path)
{
  ls_text text = {0};
  const size_t length = strlen(folder);
  ls_text_add(&text, "%s%s%s", folder, length == 0 || folder[length - 1] == '/' ? "" : "/", name);
  return ls_text_take(&text, path);
}

/* ---- the folder ---- */

static int open_folder(int parent, const char *path)
{
  int descriptor;
  LS_RETRY(descriptor,
           LS_SYSTEM("open", openat(parent, path[0] ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
  return descriptor;
}

ls_status ls_directory_open(ls_directory *out, const char *path)
{
  *out = (ls_directory){.descriptor = open_folder(AT_FDCWD, path)};
  if (out->descriptor < 0)
    return ls_fail(ls_errno_status(errno), "cannot open folder '%s': %s", path, ls_open_error(path));
  const ls_status status = ls_text_copy(&out->path, path);
  if (status != LS_OK) ls_directory_close(out);
  return status;
}

ls_status ls_directory_open_around(ls_directory *out, const char *path, const char **name)
{
  const char *slash = strrchr(path, '/');
  *name = slash ? slash + 1 : path;
  ls_text folder = {0};
  *out = (ls_directory){.descriptor = -1};
  if (slash) ls_text_add_bytes(&folder, path, slash == path ? 1 : (size_t)(slash - path));
  LS_PASS(ls_text_take(&folder, &out->path));
  out->descriptor = open_folder(AT_FDCWD, out->path);
  if (out->descriptor >= 0) return LS_OK;
  const ls_status status = ls_fail(LS_E_IO, "cannot create '%s': %s", path, strerror(errno));
  ls_directory_close(out);
  return status;
}

ls_status ls_directory_open_in(ls_directory *out, const ls_directory *parent, const char *name)
{
  int failed;
  *out = (ls_directory){.descriptor = -1};
  LS_PASS(join(parent->path, name, &out->path));
  LS_RETRY(failed, LS_SYSTEM("mkdir", mkdirat(parent->descriptor, name, 0777)));
  if (failed && errno == EEXIST) failed = 0;
  if (!failed) out->descriptor = open_folder(parent->descriptor, name);
  if (out->descriptor >= 0) return LS_OK;
  const ls_status status = ls_fail(LS_E_IO, "cannot make folder '%s': %s", out->path, strerror(errno));
  ls_directory_close(out);
  return status;
}

void ls_directory_close(ls_directory *directory)
{
  if (directory->descriptor >= 0) close(directory->descriptor);
  free(directory->path);
  *directory = (ls_directory){.descriptor = -1};
}

ls_status ls_directory_path(const ls_directory *directory, const char *name, char **path)
{
  return join(directory->path, name, path);
}

/* ---- where it is ---- */

/* Does a path lead to that folder? An error in looking is no answer. */
static ls_status leads_to(const char *path, const struct stat *folder, bool *yes)
{
  struct stat info;
  int failed;
  LS_RETRY(failed, LS_SYSTEM("stat", stat(path, &info)));
  if (failed && errno != ENOENT && errno != ENOTDIR)
    return ls_fail(ls_errno_status(errno), "cannot look at folder '%s': %s", path, strerror(errno));
  *yes = !failed && info.st_dev == folder->st_dev && info.st_ino == folder->st_ino;
  return LS_OK;
}

/* The kernel knows where an open folder is. */
static bool find_again(const ls_directory *directory, char path[LINK_BYTES])
{
  char link[48];
  snprintf(link, sizeof link, "/proc/self/fd/%d", directory->descriptor);
  const ssize_t length = readlink(link, path, LINK_BYTES - 1);
  if (length <= 0) return false;
  path[length] = '\0';
  return true;
}

ls_status ls_directory_follow(ls_directory *directory, bool *moved)
{
  struct stat info;
  char path[LINK_BYTES], *found;
  bool is_there;
  int failed;
  *moved = false;
  LS_RETRY(failed, LS_SYSTEM("stat", fstat(directory->descriptor, &info)));
  if (failed) return ls_fail(LS_E_IO, "cannot look at folder '%s': %s", directory->path, strerror(errno));
  LS_PASS(leads_to(directory->path[0] ? directory->path : ".", &info, &is_there));
  if (is_there) return LS_OK;
  if (find_again(directory, path)) LS_PASS(leads_to(path, &info, &is_there));
  if (!is_there)
    return ls_fail(LS_E_IO, "folder '%s' was removed, or moved to where it cannot be found", directory->path);
  LS_PASS(ls_text_copy(&found, path));
  free(directory->path);
  directory->path = found;
  *moved = true;
  return LS_OK;
}

/* ---- its files ---- */

/* The error for one of its files. */
static ls_status fail_at(ls_status status, const ls_directory *directory, const char *doing, const char *name)
{
  const int error = errno;
  char *path;
  LS_PASS(join(directory->path, name, &path));
  status = ls_fail(status, "cannot %s '%s': %s", doing, path, strerror(error));
  free(path);
  return status;
}

ls_status ls_directory_find(const ls_directory *directory, const char *name, bool *found)
{
  int descriptor;
  LS_RETRY(descriptor,
           LS_SYSTEM("open", openat(directory->descriptor, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK)));
  *found = descriptor >= 0;
  if (!*found && errno != ENOENT) return fail_at(ls_errno_status(errno), directory, "open", name);
  if (*found) close(descriptor);
  return LS_OK;
}

ls_status ls_directory_remove(const ls_directory *directory, const char *name)
{
  int failed;
  LS_RETRY(failed, LS_SYSTEM("remove", unlinkat(directory->descriptor, name, 0)));
  return failed && errno != ENOENT ? fail_at(LS_E_IO, directory, "remove", name) : LS_OK;
}

ls_status ls_directory_sync(const ls_directory *directory)
{
  if (ls_file_sync(directory->descriptor) == 0) return LS_OK;
  return ls_fail(LS_E_IO, "cannot sync folder '%s': %s", directory->path[0] ? directory->path : ".",
                 strerror(errno));
}

/* ---- its names ---- */

ls_status ls_names_add(ls_names *names, const char *name)
{
  if (names->count == names->capacity) {
    const size_t more = names->capacity * 2 + 16;
    char **items = LS_FAULT("alloc", __func__) ? NULL : realloc(names->items, more * sizeof *items);
    if (!items) return ls_fail(LS_E_MEMORY, "no memory for the names in a folder");
    names->items = items;
    names->capacity = more;
  }
  LS_PASS(ls_text_copy(&names->items[names->count], name));
  names->count++;
  return LS_OK;
}

static ls_status read_names(const ls_directory *directory, DIR *stream, ls_names *out)
{
  for (;;) {
    errno = 0;
    const struct dirent *entry = LS_FAULT("list", __func__) ? NULL : readdir(stream);
    if (!entry) break;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    LS_PASS(ls_names_add(out, entry->d_name));
  }
  if (errno == 0) return LS_OK;
  return ls_fail(LS_E_IO, "cannot list folder '%s': %s", directory->path, strerror(errno));
}

ls_status ls_directory_list(const ls_directory *directory, ls_names *out)
{
  *out = (ls_names){0};
  const int descriptor = open_folder(directory->descriptor, "."); /* with an offset of its own in the list */
  DIR *stream = descriptor < 0 ? NULL : fdopendir(descriptor);
  ls_status status;
  if (!stream) {
    status = ls_fail(LS_E_IO, "cannot list folder '%s': %s", directory->path, strerror(errno));
    if (descriptor >= 0) close(descriptor);
    return status;
  }
  status = read_names(directory, stream, out);
  closedir(stream);
  if (status != LS_OK) ls_names_fini(out);
  return status;
}

void ls_names_fini(ls_names *names)
{
  for (size_t i = 0; i < names->count; i++) free(names->items[i]);
  free(names->items);
  *names = (ls_names){0};
}

/* ---- making folders ---- */

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
