/* SPDX-License-Identifier: BSD-3-Clause */
/* Listing a folder. Names are sorted by bytes, so that every rank on every machine sees the same order, and
 * only regular files count: opening a named pipe or a device would wait for ever. */
#include "data/readers/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/files/directory.h"
#include "base/files/file.h"
#include "base/memory.h"
#include "base/text.h"

enum { NAMES_TOLD = 12 };

ls_status ls_path_join(char **out, const char *folder, const char *name)
{
  ls_text text = {0};
  ls_text_add(&text, "%s%s%s", folder, ls_text_ends(folder, "/") ? "" : "/", name);
  return ls_text_take(&text, out);
}

static int compare_names(const void *a, const void *b)
{
  const char *const *left = a;
  const char *const *right = b;
  return strcmp(*left, *right);
}

static bool has_name(const ls_folder *folder, const char *name)
{
  return bsearch(&name, folder->names, folder->count, sizeof *folder->names, compare_names) != NULL;
}

/* Leave out NAME.gz where NAME is. The gaps are closed only afterwards: the search needs the whole list. */
static ls_status drop_twins(ls_folder *folder)
{
  bool *is_twin;
  LS_PASS(ls_alloc(&is_twin, folder->count, sizeof *is_twin, "the names in a folder"));
  ls_status status = LS_OK;
  for (size_t i = 0; i < folder->count; i++) {
    if (!ls_text_ends(folder->names[i], ".gz")) continue;
    char *plain;
    LS_GO(ls_text_copy(&plain, folder->names[i]));
    plain[strlen(plain) - strlen(".gz")] = '\0';
    is_twin[i] = has_name(folder, plain);
    free(plain);
  }
  size_t kept = 0;
  for (size_t i = 0; i < folder->count; i++) {
    if (is_twin[i])
      free(folder->names[i]);
    else
      folder->names[kept++] = folder->names[i];
  }
  folder->count = kept;
done:
  free(is_twin);
  return status;
}

/* Does a name begin with these words? */
static bool has_beginning(const char *name, const char *beginning)
{
  const size_t length = strlen(beginning);
  if (!ls_text_begins(name, beginning)) return false;
  return length == 0 || strchr("-_. ", beginning[length - 1]) || strchr("-_. ", name[length]);
}

/* Add a name if it is that of a regular file. One that leads where this process may not look, or round in
 * circles, is added as well: the reader that opens it reports that; otherwise it does not matter. */
static ls_status add_name(const ls_folder *folder, ls_names *names, const char *name)
{
  char *path;
  ls_file_kind kind;
  if (name[0] == '.' || !has_beginning(name, folder->beginning)) return LS_OK;
  LS_PASS(ls_path_join(&path, folder->path, name));
  const ls_status status = ls_file_look(&kind, path);
  free(path);
  if (status == LS_OK && kind != LS_FILE_REGULAR) return LS_OK;
  if (status != LS_OK && status != LS_E_INPUT && status != LS_E_ACCESS) return status;
  return ls_names_add(names, name);
}

static ls_status read_names(ls_folder *folder, DIR *stream)
{
  ls_names names = {0};
  ls_status status = LS_OK;
  for (;;) {
    errno = 0;
    const struct dirent *entry = LS_FAULT("list", __func__) ? NULL : readdir(stream);
    if (!entry) break;
    LS_GO(add_name(folder, &names, entry->d_name));
  }
  if (errno != 0)
    status = ls_fail(ls_errno_status(errno), "cannot read folder '%s': %s", folder->path, strerror(errno));
done:
  folder->names = names.items;
  folder->count = names.count;
  if (status != LS_OK || names.count == 0) return status;
  qsort(folder->names, folder->count, sizeof *folder->names, compare_names);
  return drop_twins(folder);
}

ls_status ls_folder_list(ls_folder *folder, const char *path, const char *beginning)
{
  *folder = (ls_folder){.beginning = beginning};
  DIR *stream = LS_FAULT("open", __func__) ? NULL : opendir(path);
  if (!stream) return ls_fail(ls_errno_status(errno), "cannot read folder '%s': %s", path, strerror(errno));
  ls_status status;
  LS_GO(ls_text_copy(&folder->path, path));
  LS_GO(read_names(folder, stream));
done:
  closedir(stream);
  if (status != LS_OK) ls_folder_fini(folder);
  return status;
}

void ls_folder_fini(ls_folder *folder)
{
  for (size_t i = 0; i < folder->count; i++) free(folder->names[i]);
  free(folder->names);
  free(folder->path);
  *folder = (ls_folder){0};
}

void ls_folder_describe(const ls_folder *folder, ls_text *text)
{
  if (folder->count == 0) ls_text_add(text, "no files");
  for (size_t i = 0; i < folder->count && i < NAMES_TOLD; i++)
    ls_text_add(text, "%s'%s'", i == 0 ? "" : ", ", folder->names[i]);
  if (folder->count > NAMES_TOLD) ls_text_add(text, " and %zu more", folder->count - NAMES_TOLD);
}
