/* SPDX-License-Identifier: BSD-3-Clause */
/* From what the user wrote to an open dataset: look the name up, and open the file or folder with the reader
 * that recognizes it. What all formats have in common is checked by labels.c. */
#include "data/source.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files/file.h"
#include "base/memory.h"
#include "base/show.h"
#include "base/size.h"
#include "base/text.h"
#include "data/readers/reader.h"

size_t ls_source_image_bytes(const ls_source *source)
{
  return source->info.channels * source->info.height * source->info.width;
}

const ls_dataset_info *ls_source_info(const ls_source *source)
{
  return &source->info;
}

const ls_text *ls_source_notes(const ls_source *source)
{
  return &source->notes;
}

ls_status ls_source_read_images(ls_source *source, ls_split split, size_t first, size_t count,
                                uint8_t *images)
{
  assert(first <= source->info.count[split] && count <= source->info.count[split] - first);
  if (count == 0) return LS_OK;
  return source->reader->read_images(source, split, first, count, images);
}

ls_source *ls_source_original(ls_source *source)
{
  return source->original ? source->original : source;
}

const ls_resizer *ls_source_resizer(const ls_source *source)
{
  return source->resizer;
}

void ls_source_close(ls_source *source)
{
  if (!source) return;
  if (source->reader) source->reader->close(source->state);
  ls_source_close(source->original);
  ls_resizer_free(source->resizer);
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++) {
    free(source->labels[split]);
    free(source->values[split]);
  }
  free(source->info.class_names);
  ls_text_fini(&source->notes);
  free(source);
}

/* ---- where ---- */

/* The last component of a path, that of a file without the ending .h5, as a name. */
static void name_by_path(ls_dataset_info *info, const char *path, bool is_file)
{
  size_t end = strlen(path);
  while (end > 1 && path[end - 1] == '/') end--;
  size_t start = end;
  while (start > 0 && path[start - 1] != '/') start--;
  snprintf(info->name, sizeof info->name, "%.*s", (int)ls_size_min(end - start, sizeof info->name - 1),
           path + start);
  const size_t length = strlen(info->name);
  if (is_file && ls_text_ends(info->name, ".h5") && length > strlen(".h5"))
    info->name[length - strlen(".h5")] = '\0';
}

static bool follows_layout(const ls_reader *reader)
{
  return reader->follows_layout;
}

static ls_status check_transpose(const ls_source *source, const ls_reading *reading)
{
  if (reading->transpose != LS_TRANSPOSE_TRUE || source->reader->follows_layout) return LS_OK;
  ls_text formats = {0};
  ls_reader_add_formats(follows_layout, " and ", &formats);
  const ls_status status =
      ls_fail(LS_E_INPUT, "data.transpose: '%s' is %s, whose images lie by rows: the key is for %s files",
              source->info.name, source->info.format, ls_text_get(&formats));
  ls_text_fini(&formats);
  return status;
}

/* `name`: what the dataset is called if it is none of the catalogue's. */
static ls_status open_input(ls_source **out, const ls_reader_input *input, const char *name)
{
  ls_source *source;
  LS_PASS(ls_alloc(&source, 1, sizeof *source, "a dataset"));
  ls_status status;
  source->entry = input->entry;
  if (input->entry)
    snprintf(source->info.name, sizeof source->info.name, "%s", input->entry->name);
  else
    name_by_path(&source->info, name, input->folder == NULL);
  LS_GO(ls_reader_find(&source->reader, input));
  source->info.format = source->reader->format;
  LS_GO(check_transpose(source, input->reading));
  LS_GO(source->reader->open(source, input));
  if (source->entry != input->entry) /* as the files say */
    snprintf(source->info.name, sizeof source->info.name, "%s", source->entry->name);
  if (source->info.picture == LS_PICTURE_AUTO && ls_catalogue_find(source->info.name))
    source->info.picture = ls_catalogue_picture(source->info.name);
  *out = source;
done:
  if (status != LS_OK) ls_source_close(source);
  return status;
}

/* The files of a folder that begin alike. */
static ls_status open_folder(ls_source **out, ls_reader_input input, const char *beginning, const char *name)
{
  ls_folder folder;
  LS_PASS(ls_folder_list(&folder, input.path, beginning));
  input.folder = &folder;
  ls_status status = open_input(out, &input, name);
  ls_folder_fini(&folder);
  return status;
}

static ls_status open_path(ls_source **out, const ls_reader_input *input)
{
  ls_file_kind kind;
  LS_PASS(ls_file_look(&kind, input->path));
  if (kind != LS_FILE_FOLDER) return open_input(out, input, input->path);
  return open_folder(out, *input, input->entry ? input->entry->prefix : "", input->path);
}

/* FOLDER/BEGINNING, where there is no such file or folder. */
static ls_status open_beginning(ls_source **out, const char *where, ls_reader_input input)
{
  const char *beginning = strrchr(where, '/') + 1;
  char *folder;
  LS_PASS(ls_text_copy(&folder, where));
  folder[ls_size_max((size_t)(beginning - where) - 1, 1)] = '\0'; /* "/x" lies in "/" */
  ls_status status;
  ls_file_kind kind;
  LS_GO(ls_file_look(&kind, folder));
  input.path = folder;
  if (*beginning && kind == LS_FILE_FOLDER)
    status = open_folder(out, input, beginning, where);
  else
    status = ls_fail(LS_E_INPUT, "dataset '%s': there is no such file or folder", where);
done:
  free(folder);
  return status;
}

static ls_status fail_nowhere(const char *name, const ls_catalogue_entry *entry, const ls_text *searched)
{
  if (entry)
    return ls_fail(LS_E_INPUT,
                   "cannot find dataset '%s': looked for %s; get it by `data/fetch.sh %s`, or set "
                   "LOCKSTEP_DATA_PATH to the folder that holds it",
                   name, ls_text_get(searched), name);
  ls_text names = {0};
  ls_catalogue_describe(name, &names);
  if (names.length > 0) {
    const ls_status status =
        ls_fail(LS_E_INPUT, "'%s' is the folder of several datasets; choose one of them: %s", name,
                ls_text_get(&names));
    ls_text_fini(&names);
    return status;
  }
  ls_catalogue_describe(NULL, &names);
  ls_status status = ls_fail(
      LS_E_INPUT, "cannot find dataset '%s': there is no such file or folder, nor %s; known by name: %s",
      name, ls_text_get(searched), ls_text_get(&names));
  ls_text_fini(&names);
  return status;
}

static ls_status open_by_name(ls_source **out, const char *name, ls_reader_input input)
{
  char *path = NULL;
  ls_text searched = {0};
  ls_status status;
  LS_GO(ls_catalogue_search(&path, name, input.entry, &searched));
  input.path = path;
  status = path ? open_path(out, &input) : fail_nowhere(name, input.entry, &searched);
done:
  free(path);
  ls_text_fini(&searched);
  return status;
}

ls_status ls_source_find(ls_source **out, const char *where, const ls_reading *reading, bool checks_files)
{
  if (where[0] == '\0') return ls_fail(LS_E_INPUT, "the name of the dataset is empty");
  const ls_reader_input input = {
      .path = where, .reading = reading, .entry = ls_catalogue_find(where), .checks_files = checks_files};
  ls_file_kind kind = LS_FILE_NONE;
  if (!input.entry) LS_PASS(ls_file_look(&kind, where));
  if (kind == LS_FILE_FOLDER || kind == LS_FILE_REGULAR) return open_path(out, &input);
  if (strchr(where, '/')) return open_beginning(out, where, input);
  return open_by_name(out, where, input);
}

ls_status ls_source_open_as(ls_source **out, const char *where, const ls_reading *reading)
{
  ls_source *source;
  LS_PASS(ls_source_find(&source, where, reading, true));
  ls_status status = ls_source_resolve(source, reading);
  if (status == LS_OK) status = ls_source_resize(&source, reading);
  if (status == LS_OK)
    *out = source;
  else
    ls_source_close(source);
  return status;
}

ls_status ls_source_open(ls_source **out, const char *where, size_t classes)
{
  return ls_source_open_as(out, where, &(ls_reading){.classes = classes});
}
