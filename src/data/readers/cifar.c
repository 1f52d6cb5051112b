/* SPDX-License-Identifier: BSD-3-Clause */
/* The reader of CIFAR-10's binary version: data_batch_N.bin and test_batch.bin, plain or gzip, as many as
 * there are. Names are matched whole: a browser calls the second download of a file "data_batch_1 (1).bin",
 * and what looks like a batch but is not called like one is refused rather than read twice or passed over. A
 * record is one byte of label and 3072 of image: 32 rows of 32 red values, then green, then
 * blue, which is [C, H, W] as it stands. There are no headers, so the length of a file gives the count.
 *
 * Source: A. Krizhevsky: "Learning multiple layers of features from tiny images", 2009.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files/file.h"
#include "base/memory.h"
#include "base/show.h"
#include "base/size.h"
#include "base/text.h"
#include "data/readers/reader.h"
#include "data/readers/stream.h"

enum {
  SIDE = 32,
  CHANNELS = 3,
  IMAGE_BYTES = CHANNELS * SIDE * SIDE,
  RECORD_BYTES = 1 + IMAGE_BYTES,
  BLOCK_RECORDS = 64,
  CLASSES = 10,
  BATCHES = 5,       /* of the publisher's training split */
  NUMBER_DIGITS = 4, /* of a batch, at most */
  MISSING_TOLD = 12,
  NAMES_LIMIT_BYTES = 1 << 16
};

static const char *const prefixes[LS_SPLIT_COUNT] = {
    [LS_SPLIT_TRAIN] = "data_batch", [LS_SPLIT_TEST] = "test_batch"};
static const char *const names_file = "batches.meta.txt";

/* A file of records. */
typedef struct batch_file {
  ls_stream *stream;
  size_t first, count; /* samples of the split that it holds */
} batch_file;

typedef struct cifar_state {
  batch_file *files[LS_SPLIT_COUNT]; /* [file_count], in the order of the samples; owned */
  size_t file_count[LS_SPLIT_COUNT];
  uint8_t block[BLOCK_RECORDS * RECORD_BYTES];
} cifar_state;

/* Is it PREFIX.bin, PREFIX_N.bin, or one of these with .gz? *number: N, or 0. */
static bool is_batch(const char *name, size_t split, size_t *number)
{
  if (!ls_text_begins(name, prefixes[split])) return false;
  name += strlen(prefixes[split]);
  *number = 0;
  if (*name == '_') {
    const size_t digits = strspn(++name, "0123456789");
    if (digits == 0 || digits > NUMBER_DIGITS || *name == '0') return false;
    for (size_t i = 0; i < digits; i++) *number = 10 * *number + (size_t)(*name++ - '0');
  }
  return strcmp(name, ".bin") == 0 || strcmp(name, ".bin.gz") == 0;
}

/* Does a name look like a copy, a part of a download, or a batch by another name? A checksum or signature
 * does not. */
static bool looks_like_batch(const char *name)
{
  static const char *const others[] = {".md5", ".sha1", ".sha256", ".sha512", ".asc", ".sig", ".txt"};
  bool has_word = false;
  size_t number;
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++) {
    if (is_batch(name, split, &number)) return false;
    has_word |= strcasestr(name, prefixes[split]) != NULL;
  }
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (ls_text_ends(name, others[i])) return false;
  return has_word && strcasestr(name, ".bin");
}

static ls_status recognize(const ls_reader_input *input, bool *is_mine)
{
  size_t number;
  *is_mine = false;
  for (size_t i = 0; input->folder && i < input->folder->count; i++) {
    const char *name = input->folder->names[i];
    *is_mine = *is_mine || looks_like_batch(name);
    for (size_t split = 0; split < LS_SPLIT_COUNT; split++)
      *is_mine = *is_mine || is_batch(name, split, &number);
  }
  return LS_OK;
}

static ls_status check_names(const ls_folder *folder)
{
  for (size_t i = 0; i < folder->count; i++)
    if (looks_like_batch(folder->names[i]))
      return ls_fail(
          LS_E_INPUT,
          "'%s/%s' looks like a batch of CIFAR-10, or a copy of one: batches are called data_batch_N.bin and "
          "test_batch.bin, or the same with .gz; rename it or take it out of the folder",
          folder->path, folder->names[i]);
  return LS_OK;
}

/* Read as many whole records as are left, at most BLOCK_RECORDS. */
static ls_status read_block(cifar_state *state, ls_stream *stream, size_t *records)
{
  size_t got;
  LS_PASS(ls_stream_read(stream, state->block, sizeof state->block, &got));
  *records = got / RECORD_BYTES;
  if (got % RECORD_BYTES != 0)
    return ls_fail(
        LS_E_INPUT,
        "'%s' is truncated, or no CIFAR-10 file: it ends with %zu bytes that are not a whole record of %d",
        ls_stream_path(stream), got % RECORD_BYTES, RECORD_BYTES);
  return LS_OK;
}

/* Walk through a file once, to count its records and append their labels. */
static ls_status read_labels(cifar_state *state, batch_file *file, ls_text *labels)
{
  for (;;) {
    size_t records;
    LS_PASS(read_block(state, file->stream, &records));
    if (records == 0) break;
    for (size_t i = 0; i < records; i++) ls_text_add_bytes(labels, state->block + i * RECORD_BYTES, 1);
    file->count += records;
  }
  if (file->count == 0) return ls_fail(LS_E_INPUT, "'%s' holds no records", ls_stream_path(file->stream));
  return LS_OK;
}

static ls_status open_file(cifar_state *state, size_t split, const ls_reader_input *input, const char *name)
{
  batch_file *file = &state->files[split][state->file_count[split]];
  char *path;
  LS_PASS(ls_path_join(&path, input->folder->path, name));
  const ls_status status = ls_stream_open(&file->stream, path);
  free(path);
  LS_PASS(status);
  state->file_count[split]++;
  return input->checks_files ? ls_stream_check_twin(file->stream) : LS_OK;
}

/* data_batch_2 comes before data_batch_10. */
static int compare_versions(const void *a, const void *b)
{
  const char *const *left = a;
  const char *const *right = b;
  return strverscmp(*left, *right);
}

/* Numbers go from 1 on, and a batch without one is alone. */
static ls_status check_numbers(ls_source *source, size_t split, const char *const *names, size_t count,
                               size_t expected)
{
  size_t number, missing = 0, next = 1;
  ls_text list = {0};
  for (size_t i = 0; i < count; i++) {
    is_batch(names[i], split, &number);
    if (number == 0 && count > 1)
      return ls_fail(LS_E_INPUT,
                     "both '%s' and '%s' hold the %s split, or a part of it: keep the one or the others",
                     names[0], names[1], ls_split_words[split]);
    expected = number == 0 ? 0 : ls_size_max(expected, number);
  }
  for (size_t i = 0; next <= expected; next++) {
    if (i < count) is_batch(names[i], split, &number);
    if (i < count && number == next)
      i++;
    else if (missing++ < MISSING_TOLD)
      ls_text_add(&list, "%s%s_%zu", missing > 1 ? ", " : "", prefixes[split], next);
  }
  if (missing > MISSING_TOLD) ls_text_add(&list, " and %zu more", missing - MISSING_TOLD);
  if (missing > 0)
    ls_text_show(&source->notes, "dataset '%s': %s %s missing: it has %zu of %zu %s batches\n",
                 source->info.name, ls_text_get(&list), missing == 1 ? "is" : "are", count, expected,
                 ls_split_words[split]);
  source->notes.failed |= list.failed;
  ls_text_fini(&list);
  return LS_OK;
}

static ls_status open_files(ls_source *source, size_t split, const ls_reader_input *input)
{
  cifar_state *state = source->state;
  const ls_folder *folder = input->folder;
  const size_t expected = input->entry && split == LS_SPLIT_TRAIN ? BATCHES : 0;
  const char **names;
  size_t count = 0, number;
  LS_PASS(ls_alloc(&names, folder->count, sizeof *names, "the names of the batches"));
  for (size_t i = 0; i < folder->count; i++)
    if (is_batch(folder->names[i], split, &number)) names[count++] = folder->names[i];
  qsort(names, count, sizeof *names, compare_versions);
  ls_status status = check_numbers(source, split, names, count, count > 0 ? expected : 0);
  if (status == LS_OK)
    status = ls_alloc(&state->files[split], count, sizeof *state->files[split], "the batches");
  for (size_t i = 0; i < count && status == LS_OK; i++) status = open_file(state, split, input, names[i]);
  free(names);
  return status;
}

/* Walk through the files of a split. */
static ls_status read_split(ls_source *source, size_t split, const ls_reader_input *input)
{
  cifar_state *state = source->state;
  ls_text labels = {0};
  ls_status status = LS_OK;
  for (size_t i = 0; i < state->file_count[split]; i++) {
    state->files[split][i].first = labels.length;
    LS_GO(read_labels(state, &state->files[split][i], &labels));
  }
  if (labels.failed) {
    status = ls_fail(LS_E_MEMORY, "no memory for the labels in '%s'", input->path);
    goto done;
  }
  LS_GO(ls_alloc(&source->labels[split], labels.length, sizeof *source->labels[split], "the labels"));
  for (size_t i = 0; i < labels.length; i++) source->labels[split][i] = (uint8_t)labels.chars[i];
  source->info.count[split] = labels.length;
done:
  ls_text_fini(&labels);
  return status;
}

static bool is_sequential(const ls_source *source, ls_split split)
{
  const cifar_state *state = source->state;
  for (size_t i = 0; i < state->file_count[split]; i++)
    if (ls_stream_is_gzip(state->files[split][i].stream)) return true;
  return false;
}

static ls_status open_split(ls_source *source, ls_split split, const ls_reader_input *input)
{
  LS_PASS(open_files(source, split, input));
  source->lacks_labels[split] = !input->checks_files && is_sequential(source, split);
  return source->lacks_labels[split] ? LS_OK : read_split(source, split, input);
}

/* The length of a line's name, without blanks at its end. */
static size_t name_length(const char *line)
{
  size_t length = strcspn(line, "\n");
  while (length > 0 && (line[length - 1] == '\r' || line[length - 1] == ' ')) length--;
  return length;
}

static const char *next_line(const char *line)
{
  line += strcspn(line, "\n");
  return *line ? line + 1 : line;
}

/* One name a line; empty lines do not count. */
static ls_status parse_names(ls_dataset_info *info, const char *path, const char *text)
{
  size_t count = 0;
  for (const char *line = text; *line; line = next_line(line)) count += name_length(line) > 0;
  if (count == 0) return ls_fail(LS_E_INPUT, "'%s' holds no class names", path);
  LS_PASS(ls_alloc(&info->class_names, count, sizeof *info->class_names, "the class names"));
  info->classes = 0;
  for (const char *line = text; *line; line = next_line(line)) {
    const size_t length = name_length(line);
    if (length >= LS_CLASS_NAME_BYTES)
      return ls_fail(LS_E_INPUT, "'%s': the name '%.*s' is too long: at most %d bytes", path,
                     (int)ls_size_min(length, 60), line, LS_CLASS_NAME_BYTES - 1);
    if (length > 0) memcpy(info->class_names[info->classes++], line, length);
  }
  return LS_OK;
}

static ls_status read_names(ls_dataset_info *info, const ls_folder *folder)
{
  char *path;
  char *text = NULL;
  size_t length;
  ls_file_kind kind;
  LS_PASS(ls_path_join(&path, folder->path, names_file));
  ls_status status;
  LS_GO(ls_file_look(&kind, path));
  if (kind != LS_FILE_REGULAR) goto done;
  LS_GO(ls_file_read(path, NAMES_LIMIT_BYTES, &text, &length));
  LS_GO(parse_names(info, path, text));
done:
  free(text);
  free(path);
  return status;
}

static ls_status fail_missing(const ls_folder *folder, size_t split)
{
  ls_text found = {0};
  ls_folder_describe(folder, &found);
  ls_status status = ls_fail(LS_E_INPUT, "CIFAR-10 folder '%s': no %s file (%s_*.bin or .bin.gz); found: %s",
                             folder->path, ls_split_words[split], prefixes[split], ls_text_get(&found));
  ls_text_fini(&found);
  return status;
}

static ls_status open_cifar(ls_source *source, const ls_reader_input *input)
{
  cifar_state *state;
  LS_PASS(ls_alloc(&state, 1, sizeof *state, "a CIFAR-10 dataset"));
  source->state = state;
  source->info.channels = CHANNELS;
  source->info.height = SIDE;
  source->info.width = SIDE;
  source->info.classes = CLASSES;
  LS_PASS(check_names(input->folder));
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++) {
    LS_PASS(open_split(source, (ls_split)split, input));
    if (state->file_count[split] == 0 && input->entry) return fail_missing(input->folder, split);
  }
  return read_names(&source->info, input->folder);
}

/* Read a run of images that lie in one file. */
static ls_status read_run(cifar_state *state, const batch_file *file, size_t first, size_t count,
                          uint8_t *images)
{
  LS_PASS(ls_stream_seek(file->stream, (uint64_t)first * RECORD_BYTES));
  for (size_t done = 0; done < count;) {
    const size_t records = ls_size_min(count - done, BLOCK_RECORDS);
    LS_PASS(ls_stream_read_all(file->stream, state->block, records * RECORD_BYTES));
    for (size_t i = 0; i < records; i++)
      memcpy(images + (done + i) * IMAGE_BYTES, state->block + i * RECORD_BYTES + 1, IMAGE_BYTES);
    done += records;
  }
  return LS_OK;
}

static ls_status read_images(ls_source *source, ls_split split, size_t first, size_t count, uint8_t *images)
{
  cifar_state *state = source->state;
  for (size_t i = 0; i < state->file_count[split]; i++) {
    const batch_file *file = &state->files[split][i];
    const size_t from = ls_size_max(first, file->first);
    const size_t to = ls_size_min(first + count, file->first + file->count);
    if (from < to)
      LS_PASS(read_run(state, file, from - file->first, to - from, images + (from - first) * IMAGE_BYTES));
  }
  return LS_OK;
}

static void locate(const ls_source *source, ls_split split, size_t sample, ls_text *text)
{
  const cifar_state *state = source->state;
  const batch_file *file = state->files[split];
  const batch_file *last = file + state->file_count[split] - 1; /* counts may be known to rank 0 alone */
  while (file < last && sample >= file->first + file->count) file++;
  ls_text_add(text, "'%s', record %zu of %zu", ls_stream_path(file->stream), sample - file->first + 1,
              file->count);
}

static void close_cifar(void *opened)
{
  cifar_state *state = opened;
  if (!state) return;
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++) {
    for (size_t i = 0; i < state->file_count[split]; i++) ls_stream_close(state->files[split][i].stream);
    free(state->files[split]);
  }
  free(state);
}

const ls_reader ls_reader_cifar = {.format = "CIFAR-10 binary",
                                   .part = "_batch",
                                   .recognize = recognize,
                                   .open = open_cifar,
                                   .is_sequential = is_sequential,
                                   .read_images = read_images,
                                   .locate = locate,
                                   .close = close_cifar};
