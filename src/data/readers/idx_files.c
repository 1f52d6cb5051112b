/* SPDX-License-Identifier: BSD-3-Clause */
/* Which files of a folder are an IDX dataset. Images (three dimensions) and labels (one) are distinguished by
 * their headers, whatever the files are called; train and test by a word in the name, and so is whether they
 * are EMNIST's, which hold images by columns and number letters from 1. What is not clear is refused, never
 * guessed: training on the wrong file looks like a bad model. */
#include "data/readers/idx_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

const char *ls_idx_type_name(unsigned char type)
{
  static const struct {
    unsigned char type;
    const char *name;
  } table[] = {{LS_IDX_UINT8, "unsigned bytes"}, {0x09, "signed bytes"},  {0x0b, "16-bit integers"},
               {0x0c, "32-bit integers"},        {0x0d, "32-bit floats"}, {0x0e, "64-bit floats"}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (table[i].type == type) return table[i].name;
  return NULL;
}

/* A name that promises IDX by its end, so that a damaged file is reported and not passed over. What has
 * something behind that ("...-ubyte.gz.sha256") is IDX only if its bytes are. */
static bool promises_idx(const char *name)
{
  const size_t length = strlen(name) - (ls_text_ends(name, ".gz") ? strlen(".gz") : 0);
  static const char *const ends[] = {"ubyte", "idx1", "idx3"};
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    const size_t part = strlen(ends[i]);
    if (length >= part && strncmp(name + length - part, ends[i], part) == 0) return true;
  }
  return false;
}

static bool is_magic(const unsigned char *magic)
{
  return magic[0] == 0 && magic[1] == 0 && ls_idx_type_name(magic[2]) && magic[3] > 0;
}

/* Open a file and read its first bytes; *got is less than LS_IDX_MAGIC_BYTES if there are no more. */
static ls_status open_magic(ls_idx_file *file, const char *path, size_t *got)
{
  LS_PASS(ls_stream_open(&file->stream, path));
  return ls_stream_read(file->stream, file->magic, sizeof file->magic, got);
}

/* Open a file if it is IDX. Otherwise, and on an error, its stream is NULL; that it is none is an error where
 * its name says that it is one. */
static ls_status open_file(ls_idx_file *file, const ls_folder *folder, const char *name)
{
  size_t got = 0;
  char *path;
  *file = (ls_idx_file){.stream = NULL};
  LS_PASS(ls_path_join(&path, folder->path, name));
  ls_status status = open_magic(file, path, &got);
  const bool is_idx = status == LS_OK && got == sizeof file->magic && is_magic(file->magic);
  if ((status == LS_E_INPUT || status == LS_E_ACCESS) && !promises_idx(name))
    status = LS_OK; /* some other, unreadable file */
  else if (status == LS_OK && !is_idx && promises_idx(name))
    status =
        ls_fail(LS_E_INPUT,
                "'%s' is no IDX file: it begins with the %zu bytes %02x %02x %02x %02x, where an IDX file of "
                "images has 00 00 08 03 and one of labels 00 00 08 01",
                path, got, file->magic[0], file->magic[1], file->magic[2], file->magic[3]);
  if (!is_idx) ls_idx_close(file);
  free(path);
  return status;
}

ls_status ls_idx_recognize(const ls_reader_input *input, bool *is_mine)
{
  *is_mine = false;
  if (!input->folder) return LS_OK;
  for (size_t i = 0; i < input->folder->count && !*is_mine; i++) {
    ls_idx_file file;
    *is_mine = promises_idx(input->folder->names[i]);
    if (*is_mine) break;
    LS_PASS(open_file(&file, input->folder, input->folder->names[i]));
    *is_mine = file.stream != NULL;
    ls_idx_close(&file);
  }
  return LS_OK;
}

/* Which split a name belongs to: LS_SPLIT_COUNT if it has no word of either, or words of both. */
static size_t split_of(const char *name)
{
  static const struct {
    const char *word;
    ls_split split;
  } words[] = {{"train", LS_SPLIT_TRAIN}, {"test", LS_SPLIT_TEST}, {"t10k", LS_SPLIT_TEST}};
  size_t found = LS_SPLIT_COUNT;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (!strcasestr(name, words[i].word)) continue;
    if (found != LS_SPLIT_COUNT && found != words[i].split) return LS_SPLIT_COUNT;
    found = words[i].split;
  }
  return found;
}

/* Refuse the folder, with what it holds. */
static ls_status fail_files(const ls_folder *folder, const char *what)
{
  ls_text found = {0};
  ls_folder_describe(folder, &found);
  ls_status status = ls_fail(LS_E_INPUT,
                             "IDX folder '%s': %s; found: %s; expected: one file of images and one of labels "
                             "with 'train' in their names, and one of each with 'test' or 't10k'",
                             folder->path, what, ls_text_get(&found));
  ls_text_fini(&found);
  return status;
}

/* Find the slot of a file in its split, which must be empty. */
static ls_status assign(const ls_folder *folder, ls_idx_split splits[LS_SPLIT_COUNT], const ls_idx_file *file,
                        ls_idx_file **out)
{
  char what[512];
  const char *name = file->name;
  const size_t rank = file->magic[LS_IDX_RANK_BYTE], split = split_of(name);
  if (rank != LS_IDX_IMAGE_RANK && rank != LS_IDX_LABEL_RANK)
    return ls_fail(LS_E_INPUT, "'%s/%s' is an IDX file of %zu dimensions: images have 3, labels 1",
                   folder->path, name, rank);
  if (split == LS_SPLIT_COUNT) {
    snprintf(what, sizeof what, "cannot tell from the name of '%.100s' whether it is for training or test",
             name);
    return fail_files(folder, what);
  }
  ls_idx_file *slot = rank == LS_IDX_IMAGE_RANK ? &splits[split].images : &splits[split].labels;
  if (slot->stream) {
    snprintf(what, sizeof what,
             "both '%.90s' and '%.90s' hold %s %s (of several datasets in a folder, one is chosen by the "
             "beginning of "
             "its files' names: %.90s/BEGINNING)",
             slot->name, name, ls_split_words[split], rank == LS_IDX_IMAGE_RANK ? "images" : "labels",
             folder->path);
    return fail_files(folder, what);
  }
  *out = slot;
  return LS_OK;
}

/* Has each split that is there both images and labels? */
static ls_status check_pairs(const ls_reader_input *input, const ls_idx_split splits[LS_SPLIT_COUNT])
{
  const ls_folder *folder = input->folder;
  bool is_empty = true;
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++) {
    char what[64];
    const bool has_images = splits[split].images.stream, has_labels = splits[split].labels.stream;
    const bool has_both = has_images && has_labels;
    const bool has_none = !has_images && !has_labels;
    is_empty = is_empty && has_none;
    if (has_both || (has_none && !input->entry)) continue; /* a dataset may come without a test split */
    snprintf(what, sizeof what, "the %s %s are missing", ls_split_words[split],
             has_none     ? "images and labels"
             : has_images ? "labels"
                          : "images");
    return fail_files(folder, what);
  }
  return is_empty ? fail_files(folder, "no file of images or labels") : LS_OK;
}

/* The error for files of several of the catalogue's datasets, or of one and of others. */
static ls_status fail_mixed(const ls_folder *folder, const char *const names[2])
{
  ls_text found = {0}, example = {0};
  for (const ls_catalogue_entry *entry = ls_catalogue; entry->name; entry++) {
    bool is_there = false;
    for (size_t i = 0; i < folder->count; i++) is_there |= ls_catalogue_of_file(folder->names[i]) == entry;
    if (!is_there) continue;
    if (found.length == 0) ls_text_add(&example, "%s/%s", folder->path, entry->name);
    ls_text_add(&found, "%s%s", found.length > 0 ? ", " : "", entry->name);
  }
  const bool is_named = ls_catalogue_of_file(names[0]) && ls_catalogue_of_file(names[1]);
  ls_status status =
      ls_fail(LS_E_INPUT,
              "IDX folder '%s' holds files of %s%s, such as '%s' and '%s': choose one dataset by the "
              "beginning of its files' names, as in data.source=%s",
              folder->path, ls_text_get(&found), is_named ? "" : " and others", names[0], names[1],
              ls_text_get(&example));
  ls_text_fini(&found);
  ls_text_fini(&example);
  return status;
}

/* The dataset that the files belong to: all names say the same, or nothing. */
static ls_status find_entry(ls_source *source, const ls_reader_input *input, const char *const names[2])
{
  const ls_catalogue_entry *entry = ls_catalogue_of_file(names[1]);
  if (names[0] && entry != ls_catalogue_of_file(names[0])) return fail_mixed(input->folder, names);
  if (entry && input->entry && entry != input->entry)
    return ls_fail(LS_E_INPUT,
                   "%s was asked for, but '%s/%s' is of %s: ask for that, or take it out of the folder",
                   input->entry->name, input->folder->path, names[1], entry->name);
  if (entry) source->entry = entry;
  return LS_OK;
}

ls_status ls_idx_open_files(ls_source *source, const ls_reader_input *input,
                            ls_idx_split splits[LS_SPLIT_COUNT])
{
  const ls_folder *folder = input->folder;
  const char *names[2] = {NULL, NULL}; /* the last two IDX files */
  ls_idx_file file = {.stream = NULL}, *role;
  ls_status status = LS_OK;
  for (size_t i = 0; i < folder->count; i++) {
    LS_GO(open_file(&file, folder, folder->names[i]));
    if (!file.stream) continue;
    file.name = folder->names[i];
    names[0] = names[1];
    names[1] = file.name;
    LS_GO(find_entry(source, input, names));
    LS_GO(assign(folder, splits, &file, &role));
    *role = file;
    file.stream = NULL;
  }
  status = check_pairs(input, splits);
done:
  ls_idx_close(&file);
  return status;
}

void ls_idx_close(ls_idx_file *file)
{
  ls_stream_close(file->stream);
  file->stream = NULL;
}
