/* SPDX-License-Identifier: BSD-3-Clause */
/* From what the user wrote to an open dataset: look the name up, let the readers recognize the place, open it
 * with the one that does, and check what all formats have in common: every label, shapes and class names. */
#include "data/source.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/size.h"
#include "data/normalize.h"
#include "data/reader.h"

const char *const ls_split_words[] = {[LS_SPLIT_TRAIN] = "train", [LS_SPLIT_TEST] = "test", NULL};

static const ls_reader *const readers[] = {
#define READER_ROW(name) &ls_reader_##name,
    LS_READER_LIST(READER_ROW)
#undef READER_ROW
        NULL};

size_t ls_source_image_bytes(const ls_source *source)
{
  return source->info.channels * source->info.height * source->info.width;
}

const ls_dataset_info *ls_source_info(const ls_source *source)
{
  return &source->info;
}

const uint16_t *ls_source_labels(const ls_source *source, ls_split split)
{
  return source->labels[split];
}

void ls_source_labels_digest(const ls_source *source, ls_split split, char text[LS_DIGEST_CHARS])
{
  ls_digest_of(source->labels[split], source->info.count[split] * sizeof *source->labels[split], text);
}

ls_status ls_source_read_images(ls_source *source, ls_split split, size_t first, size_t count,
                                uint8_t *images)
{
  assert(first <= source->info.count[split] && count <= source->info.count[split] - first);
  if (count == 0) return LS_OK;
  return source->reader->read_images(source, split, first, count, images);
}

void ls_source_close(ls_source *source)
{
  if (!source) return;
  if (source->reader) source->reader->close(source->state);
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++) free(source->labels[split]);
  free(source->info.class_names);
  free(source);
}

/* ---- which reader ---- */

static ls_status fail_unknown(const ls_reader_place *place)
{
  ls_text found = {0};
  ls_status status;
  if (place->folder) {
    ls_folder_tell(place->folder, &found);
    status = ls_fail(LS_E_INPUT,
                     "folder '%s' holds neither IDX nor CIFAR-10 binary files; found: %s (an HDF5 dataset is "
                     "named by its file)",
                     place->path, ls_text_get(&found));
  } else {
    status =
        ls_fail(LS_E_INPUT,
                "'%s' is no HDF5 file; a dataset is an .h5 file made by `lockstep data import`, or a folder "
                "of IDX or CIFAR-10 binary files",
                place->path);
  }
  ls_text_fini(&found);
  return status;
}

/* Find the one reader that recognizes the place. */
static ls_status find_reader(const ls_reader **out, const ls_reader_place *place)
{
  *out = NULL;
  for (const ls_reader *const *reader = readers; *reader; reader++) {
    bool is_mine = false;
    LS_PASS((*reader)->recognize(place, &is_mine));
    if (!is_mine) continue;
    if (*out)
      return ls_fail(LS_E_INPUT,
                     "folder '%s' holds both %s and %s files: keep each dataset in a folder of its own",
                     place->path, (*out)->format, (*reader)->format);
    *out = *reader;
  }
  return *out ? LS_OK : fail_unknown(place);
}

/* ---- what all formats have in common ---- */

static size_t largest_label(const ls_source *source)
{
  uint16_t largest = 0;
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++)
    for (size_t i = 0; i < source->info.count[split]; i++)
      if (source->labels[split][i] > largest) largest = source->labels[split][i];
  return largest;
}

static ls_status fail_label(const ls_source *source, ls_split split, size_t sample)
{
  ls_text where = {0};
  source->reader->locate(source, split, sample, &where);
  const size_t classes = source->info.classes;
  ls_status status =
      ls_fail(LS_E_INPUT, "%s: label %u found, but there are %zu classes: labels go from 0 to %zu",
              ls_text_get(&where), source->labels[split][sample], classes, classes - 1);
  ls_text_fini(&where);
  return status;
}

static ls_status check_labels(const ls_source *source)
{
  const ls_dataset_info *info = &source->info;
  if (info->classes > LS_MAX_CLASSES)
    return ls_fail(LS_E_INPUT,
                   "dataset '%s', with labels up to %zu, is to have %zu classes: at most %d are supported "
                   "(data.classes)",
                   info->name, largest_label(source), info->classes, LS_MAX_CLASSES);
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++)
    for (size_t i = 0; i < info->count[split]; i++)
      if (source->labels[split][i] >= info->classes) return fail_label(source, (ls_split)split, i);
  return LS_OK;
}

static ls_status check_shape(const ls_dataset_info *info)
{
  if (info->count[LS_SPLIT_TRAIN] == 0 && info->count[LS_SPLIT_TEST] == 0)
    return ls_fail(LS_E_INPUT, "dataset '%s' has no samples", info->name);
  if (info->channels > LS_MAX_CHANNELS)
    return ls_fail(LS_E_INPUT, "dataset '%s' has images of %zu channels: at most %d are supported",
                   info->name, info->channels, LS_MAX_CHANNELS);
  return LS_OK;
}

/* Names from the catalogue, where the files have none. */
static ls_status name_classes(ls_dataset_info *info, const ls_catalogue_entry *entry)
{
  if (info->class_names || !entry || !entry->class_names || entry->classes != info->classes) return LS_OK;
  LS_PASS(ls_alloc(&info->class_names, info->classes, sizeof *info->class_names, "the class names"));
  for (size_t k = 0; k < info->classes; k++)
    snprintf(info->class_names[k], sizeof info->class_names[k], "%s", entry->class_names[k]);
  return LS_OK;
}

/* Settle the number of classes: as asked for, else as the files tell, else as the catalogue does, else as the
 * labels do. */
static ls_status settle_classes(ls_source *source, const ls_catalogue_entry *entry, size_t classes)
{
  ls_dataset_info *info = &source->info;
  const size_t told = info->classes > 0 ? info->classes : entry ? entry->classes : 0;
  info->classes = classes > 0 ? classes : told > 0 ? told : largest_label(source) + 1;
  LS_PASS(check_labels(source));
  if (info->class_names && told != info->classes) { /* names for another number of classes */
    free(info->class_names);
    info->class_names = NULL;
  }
  return name_classes(info, entry);
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

static ls_status open_place(ls_source **out, const ls_reader_place *place, size_t classes)
{
  ls_source *source;
  LS_PASS(ls_alloc(&source, 1, sizeof *source, "a dataset"));
  ls_status status;
  if (place->entry)
    snprintf(source->info.name, sizeof source->info.name, "%s", place->entry->name);
  else
    name_by_path(&source->info, place->path, place->folder == NULL);
  LS_GO(find_reader(&source->reader, place));
  source->info.format = source->reader->format;
  LS_GO(source->reader->open(source, place));
  LS_GO(check_shape(&source->info));
  LS_GO(settle_classes(source, place->entry, classes));
  *out = source;
done:
  if (status != LS_OK) ls_source_close(source);
  return status;
}

static ls_status open_path(ls_source **out, const char *path, const ls_catalogue_entry *entry, size_t classes)
{
  ls_reader_place place = {.path = path, .entry = entry};
  ls_file_kind kind;
  LS_PASS(ls_file_look(&kind, path));
  if (kind != LS_FILE_FOLDER) return open_place(out, &place, classes);
  ls_folder folder;
  LS_PASS(ls_folder_list(&folder, path));
  place.folder = &folder;
  ls_status status = open_place(out, &place, classes);
  ls_folder_fini(&folder);
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
  ls_catalogue_tell(&names);
  ls_status status = ls_fail(
      LS_E_INPUT, "cannot find dataset '%s': there is no such file or folder, nor %s; known by name: %s",
      name, ls_text_get(searched), ls_text_get(&names));
  ls_text_fini(&names);
  return status;
}

static ls_status open_by_name(ls_source **out, const char *name, const ls_catalogue_entry *entry,
                              size_t classes)
{
  char *path = NULL;
  ls_text searched = {0};
  ls_status status;
  LS_GO(ls_catalogue_search(&path, name, entry, &searched));
  if (path)
    status = open_path(out, path, entry, classes);
  else
    status = fail_nowhere(name, entry, &searched);
done:
  free(path);
  ls_text_fini(&searched);
  return status;
}

ls_status ls_source_open(ls_source **out, const char *where, size_t classes)
{
  if (where[0] == '\0') return ls_fail(LS_E_INPUT, "the name of the dataset is empty");
  const ls_catalogue_entry *entry = ls_catalogue_find(where);
  ls_file_kind kind = LS_FILE_NONE;
  if (!entry) LS_PASS(ls_file_look(&kind, where));
  if (kind == LS_FILE_FOLDER || kind == LS_FILE_REGULAR) return open_path(out, where, NULL, classes);
  if (strchr(where, '/')) return ls_fail(LS_E_INPUT, "dataset '%s': there is no such file or folder", where);
  return open_by_name(out, where, entry, classes);
}
