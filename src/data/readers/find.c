/* SPDX-License-Identifier: BSD-3-Clause */
/* The registry of readers, and the choice of the one that recognizes an input. */
#include <string.h>

#include "data/readers/reader.h"

static const ls_reader *const readers[] = {
#define READER_ROW(name) &ls_reader_##name,
    LS_READER_LIST(READER_ROW)
#undef READER_ROW
        NULL};

static bool fills_folders(const ls_reader *reader)
{
  return reader->part != NULL;
}

static bool is_one_file(const ls_reader *reader)
{
  return reader->part == NULL;
}

void ls_reader_add_formats(bool (*is_one)(const ls_reader *reader), const char *joint, ls_text *text)
{
  const char *before = "";
  for (const ls_reader *const *reader = readers; *reader; reader++) {
    if (!is_one(*reader)) continue;
    ls_text_add(text, "%s%s", before, (*reader)->format);
    before = joint;
  }
}

static const char *name_in(const char *path)
{
  return strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
}

/* The error for a single file of a dataset of several: the dataset is the folder, or the files that begin
 * alike. */
static ls_status fail_part(const char *path)
{
  const char *name = name_in(path);
  const ls_catalogue_entry *entry = ls_catalogue_of_file(name);
  const size_t folder = (size_t)(name - path);
  return ls_fail(
      LS_E_INPUT,
      "'%s' is one of the files of a dataset: name their folder, '%.*s', or the beginning that the names of "
      "the dataset's files have in common%s%.*s%s",
      path, folder > 0 ? (int)folder : 1, folder > 0 ? path : ".", entry ? ", " : "", entry ? (int)folder : 0,
      path, entry ? entry->name : "");
}

static ls_status fail_folder(const ls_reader_input *input)
{
  const ls_folder *folder = input->folder;
  ls_text found = {0}, formats = {0}, files = {0};
  ls_folder_describe(folder, &found);
  ls_reader_add_formats(fills_folders, " nor ", &formats);
  ls_reader_add_formats(is_one_file, " or ", &files);
  ls_status status;
  if (!folder->beginning[0])
    status = ls_fail(LS_E_INPUT,
                     "folder '%s' holds neither %s files; found: %s (an %s dataset is named by its file)",
                     folder->path, ls_text_get(&formats), ls_text_get(&found), ls_text_get(&files));
  else
    status = ls_fail(LS_E_INPUT, "%s'%s' holds neither %s files whose names begin with '%s'; found: %s",
                     input->entry ? "folder " : "there is no such file or folder, and ", folder->path,
                     ls_text_get(&formats), folder->beginning, ls_text_get(&found));
  ls_text_fini(&found);
  ls_text_fini(&formats);
  ls_text_fini(&files);
  if (folder->beginning[0] && !input->entry)
    status = ls_wrap(status, "dataset '%s/%s'", folder->path, folder->beginning);
  return status;
}

static ls_status fail_unknown(const ls_reader_input *input)
{
  if (input->folder) return fail_folder(input);
  const char *name = name_in(input->path);
  if (ls_catalogue_of_file(name)) return fail_part(input->path);
  for (const ls_reader *const *reader = readers; *reader; reader++)
    if ((*reader)->part && strstr(name, (*reader)->part)) return fail_part(input->path);
  ls_text formats = {0}, files = {0};
  ls_reader_add_formats(fills_folders, " or ", &formats);
  ls_reader_add_formats(is_one_file, " or ", &files);
  const ls_status status = ls_fail(
      LS_E_INPUT,
      "'%s' is no %s file; a dataset is an .h5 file made by `lockstep data import`, or a folder of %s files",
      input->path, ls_text_get(&files), ls_text_get(&formats));
  ls_text_fini(&formats);
  ls_text_fini(&files);
  return status;
}

ls_status ls_reader_find(const ls_reader **out, const ls_reader_input *input)
{
  *out = NULL;
  for (const ls_reader *const *reader = readers; *reader; reader++) {
    bool is_mine = false;
    LS_PASS((*reader)->recognize(input, &is_mine));
    if (!is_mine) continue;
    if (*out)
      return ls_fail(LS_E_INPUT,
                     "folder '%s' holds both %s and %s files: keep each dataset in a folder of its own",
                     input->path, (*out)->format, (*reader)->format);
    *out = *reader;
  }
  return *out ? LS_OK : fail_unknown(input);
}
