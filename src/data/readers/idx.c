/* SPDX-License-Identifier: BSD-3-Clause */
/* The reader of IDX files, the format of MNIST and its kin: two zero bytes, a type byte, the number of
 * dimensions, each dimension as a big-endian 32-bit integer, and the elements.
 *
 * In a folder, images (three dimensions) and labels (one) are told apart by their headers, whatever the files
 * are called; train and test by a word in the name, and so is whether they are EMNIST's, which hold images by
 * columns and number letters from 1. What is not clear is refused, never guessed: training on
 * the wrong file looks like a bad model. Memory is never sized by a header alone: images are counted in the
 * file (a gzip file is decompressed once for that) before anything is allocated for them.
 *
 * Source: Y. LeCun, C. Cortes, C. Burges: "The MNIST database of handwritten digits".
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "data/readers/reader.h"
#include "data/readers/stream.h"

enum {
  MAX_RANK = 3,
  IMAGE_RANK = 3,
  LABEL_RANK = 1,
  MAGIC_BYTES = 4,
  TYPE_UINT8 = 0x08,
  BLOCK_BYTES = 1 << 16
};

/* The files of a split. */
typedef struct idx_files {
  const char *images, *labels; /* names in the folder, borrowed; NULL: none */
} idx_files;

typedef struct idx_state {
  ls_stream *images[LS_SPLIT_COUNT];
  char *label_paths[LS_SPLIT_COUNT]; /* for messages */
  size_t data_offset;                /* of the first image */
  uint8_t *scratch;                  /* one image, where they are transposed */
} idx_state;

typedef struct idx_header {
  size_t rank;
  uint32_t shape[MAX_RANK];
} idx_header;

static const char *type_name(unsigned char type)
{
  static const struct {
    unsigned char type;
    const char *name;
  } table[] = {{TYPE_UINT8, "unsigned bytes"}, {0x09, "signed bytes"},  {0x0b, "16-bit integers"},
               {0x0c, "32-bit integers"},      {0x0d, "32-bit floats"}, {0x0e, "64-bit floats"}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (table[i].type == type) return table[i].name;
  return NULL;
}

/* ---- which files ---- */

/* A name that promises IDX by its end, so that a damaged file is told of and not passed over. What has
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

static bool is_magic(const unsigned char magic[MAGIC_BYTES])
{
  return magic[0] == 0 && magic[1] == 0 && type_name(magic[2]) && magic[3] > 0;
}

/* The first bytes of a file; *got is less than MAGIC_BYTES if there are no more. */
static ls_status read_magic(const char *path, unsigned char magic[MAGIC_BYTES], size_t *got)
{
  ls_stream *stream;
  *got = 0;
  LS_PASS(ls_stream_open(&stream, path));
  ls_status status = ls_stream_read(stream, magic, MAGIC_BYTES, got);
  ls_stream_close(stream);
  return status;
}

/* Dimensions of an IDX file; 0: it is none, and its name does not say so either. */
static ls_status rank_of(const ls_folder *folder, const char *name, size_t *rank)
{
  unsigned char magic[MAGIC_BYTES] = {0};
  size_t got;
  char *path;
  *rank = 0;
  LS_PASS(ls_path_join(&path, folder->path, name));
  ls_status status = read_magic(path, magic, &got);
  if ((status == LS_E_INPUT || status == LS_E_ACCESS) && !promises_idx(name))
    status = LS_OK; /* some other, unreadable file */
  else if (status == LS_OK && got == MAGIC_BYTES && is_magic(magic))
    *rank = magic[3];
  else if (status == LS_OK && promises_idx(name))
    status =
        ls_fail(LS_E_INPUT,
                "'%s' is no IDX file: it begins with the %zu bytes %02x %02x %02x %02x, where an IDX file of "
                "images has 00 00 08 03 and one of labels 00 00 08 01",
                path, got, magic[0], magic[1], magic[2], magic[3]);
  free(path);
  return status;
}

/* Does one of the files belong to this format? */
static ls_status recognize(const ls_reader_place *place, bool *is_mine)
{
  *is_mine = false;
  if (!place->folder) return LS_OK;
  for (size_t i = 0; i < place->folder->count && !*is_mine; i++) {
    size_t rank = 0;
    *is_mine = promises_idx(place->folder->names[i]);
    if (*is_mine) break;
    LS_PASS(rank_of(place->folder, place->folder->names[i], &rank));
    *is_mine = rank > 0;
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

/* Take a file for its split, which must not have one like it. */
static ls_status assign(const ls_folder *folder, idx_files files[LS_SPLIT_COUNT], const char *name,
                        size_t rank)
{
  char what[512];
  const size_t split = split_of(name);
  if (rank != IMAGE_RANK && rank != LABEL_RANK)
    return ls_fail(LS_E_INPUT, "'%s/%s' is an IDX file of %zu dimensions: images have 3, labels 1",
                   folder->path, name, rank);
  if (split == LS_SPLIT_COUNT) {
    snprintf(what, sizeof what, "cannot tell from the name of '%.100s' whether it is for training or test",
             name);
    return fail_files(folder, what);
  }
  const char **place = rank == IMAGE_RANK ? &files[split].images : &files[split].labels;
  if (*place) {
    snprintf(what, sizeof what,
             "both '%.90s' and '%.90s' hold %s %s (of several datasets in a folder, one is chosen by the "
             "beginning of "
             "its files' names: %.90s/BEGINNING)",
             *place, name, ls_split_words[split], rank == IMAGE_RANK ? "images" : "labels", folder->path);
    return fail_files(folder, what);
  }
  *place = name;
  return LS_OK;
}

/* Has each split that is there both images and labels? */
static ls_status check_pairs(const ls_reader_place *place, const idx_files files[LS_SPLIT_COUNT])
{
  const ls_folder *folder = place->folder;
  bool is_empty = true;
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++) {
    char what[64];
    const idx_files *pair = &files[split];
    const bool has_both = pair->images && pair->labels;
    const bool has_none = !pair->images && !pair->labels;
    is_empty = is_empty && has_none;
    if (has_both || (has_none && !place->entry)) continue; /* a dataset may come without a test split */
    snprintf(what, sizeof what, "the %s %s are missing", ls_split_words[split],
             has_none       ? "images and labels"
             : pair->images ? "labels"
                            : "images");
    return fail_files(folder, what);
  }
  return is_empty ? fail_files(folder, "no file of images or labels") : LS_OK;
}

/* Files of several of the catalogue's datasets, or of one and of who knows what. */
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

/* Whose files they are: all say the same, or nothing. */
static ls_status find_entry(ls_source *source, const ls_reader_place *place, const char *const names[2])
{
  const ls_catalogue_entry *entry = ls_catalogue_of_file(names[1]);
  if (names[0] && entry != ls_catalogue_of_file(names[0])) return fail_mixed(place->folder, names);
  if (entry && place->entry && entry != place->entry)
    return ls_fail(LS_E_INPUT,
                   "%s was asked for, but '%s/%s' is of %s: ask for that, or take it out of the folder",
                   place->entry->name, place->folder->path, names[1], entry->name);
  if (entry) source->entry = entry;
  return LS_OK;
}

/* Find each file's role. */
static ls_status assign_all(ls_source *source, const ls_reader_place *place, idx_files files[LS_SPLIT_COUNT])
{
  const ls_folder *folder = place->folder;
  const char *names[2] = {NULL, NULL}; /* the last two IDX files */
  for (size_t i = 0; i < folder->count; i++) {
    size_t rank;
    LS_PASS(rank_of(folder, folder->names[i], &rank));
    if (rank == 0) continue;
    names[0] = names[1];
    names[1] = folder->names[i];
    LS_PASS(find_entry(source, place, names));
    LS_PASS(assign(folder, files, folder->names[i], rank));
  }
  return check_pairs(place, files);
}

/* ---- headers ---- */

static uint32_t big_endian(const unsigned char bytes[4])
{
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Read and check the header; the stream stands at the first element afterwards. */
static ls_status read_header(ls_stream *stream, size_t rank, idx_header *header)
{
  unsigned char bytes[MAGIC_BYTES + 4 * MAX_RANK];
  assert(rank <= MAX_RANK);
  LS_TRY(ls_stream_read_all(stream, bytes, MAGIC_BYTES + 4 * rank), "reading the IDX header");
  const char *type = type_name(bytes[2]);
  if (bytes[2] != TYPE_UINT8)
    return ls_fail(LS_E_INPUT, "'%s' holds %s (type byte 0x%02x): only unsigned bytes (0x08) are supported",
                   ls_stream_path(stream), type ? type : "an unknown type", bytes[2]);
  *header = (idx_header){.rank = rank};
  for (size_t i = 0; i < rank; i++) {
    header->shape[i] = big_endian(bytes + MAGIC_BYTES + 4 * i);
    if (header->shape[i] == 0)
      return ls_fail(LS_E_INPUT, "'%s' is empty: dimension %zu of its header is 0", ls_stream_path(stream),
                     i + 1);
  }
  return LS_OK;
}

/* Check the images of a split against their header, and leave the stream open. */
static ls_status open_images(ls_source *source, ls_split split, const char *path)
{
  idx_state *state = source->state;
  ls_dataset_info *info = &source->info;
  idx_header header = {0};
  LS_PASS(ls_stream_check_twin(path));
  LS_PASS(ls_stream_open(&state->images[split], path));
  LS_PASS(read_header(state->images[split], IMAGE_RANK, &header));
  const size_t count = header.shape[0];
  const size_t height = header.shape[1 + info->is_transposed];
  const size_t width = header.shape[2 - info->is_transposed];
  char promise[128];
  snprintf(promise, sizeof promise, "the header promises %zu images of %zux%zu", count, height, width);
  size_t bytes;
  if (!ls_size_mul(height, width, &bytes) || !ls_size_mul(bytes, count, &bytes) || bytes > INT64_MAX)
    return ls_fail(LS_E_INPUT, "'%s': %s, more than any file can hold", path, promise);
  LS_PASS(ls_stream_expect(state->images[split], bytes, promise));
  if (info->height != 0 && (info->height != height || info->width != width))
    return ls_fail(LS_E_INPUT, "'%s': images of %zux%zu, but those of the training split are %zux%zu", path,
                   height, width, info->height, info->width);
  info->channels = 1;
  info->height = height;
  info->width = width;
  info->count[split] = count;
  return LS_OK;
}

/* Read a block of labels, numbered as the file does. */
static ls_status read_label_block(ls_stream *stream, uint16_t *labels, size_t count)
{
  uint8_t block[BLOCK_BYTES];
  LS_PASS(ls_stream_read_all(stream, block, count));
  for (size_t i = 0; i < count; i++) labels[i] = block[i];
  return LS_OK;
}

/* Check and read labels; there must be one for each image. */
static ls_status read_labels(ls_source *source, ls_split split, ls_stream *stream)
{
  const size_t count = source->info.count[split];
  const idx_state *state = source->state;
  idx_header header = {0};
  char promise[64];
  LS_PASS(read_header(stream, LABEL_RANK, &header));
  snprintf(promise, sizeof promise, "the header promises %" PRIu32 " labels", header.shape[0]);
  LS_PASS(ls_stream_expect(stream, header.shape[0], promise));
  if (header.shape[0] != count)
    return ls_fail(LS_E_INPUT,
                   "'%s' has %" PRIu32 " labels, but '%s' has %zu images: these files do not belong together",
                   ls_stream_path(stream), header.shape[0], ls_stream_path(state->images[split]), count);
  LS_PASS(ls_alloc(&source->labels[split], count, sizeof *source->labels[split], "the labels"));
  LS_PASS(ls_stream_seek(stream, MAGIC_BYTES + 4 * LABEL_RANK));
  for (size_t i = 0; i < count; i += BLOCK_BYTES)
    LS_PASS(read_label_block(stream, source->labels[split] + i, ls_size_min(count - i, BLOCK_BYTES)));
  return LS_OK;
}

static ls_status open_labels(ls_source *source, ls_split split)
{
  const idx_state *state = source->state;
  ls_stream *stream;
  LS_PASS(ls_stream_check_twin(state->label_paths[split]));
  LS_PASS(ls_stream_open(&stream, state->label_paths[split]));
  ls_status status = read_labels(source, split, stream);
  ls_stream_close(stream);
  return status;
}

static ls_status open_split(ls_source *source, ls_split split, const char *folder, const idx_files *files)
{
  idx_state *state = source->state;
  char *images_path;
  LS_PASS(ls_path_join(&images_path, folder, files->images));
  ls_status status = open_images(source, split, images_path);
  free(images_path);
  LS_PASS(status);
  return ls_path_join(&state->label_paths[split], folder, files->labels);
}

static bool is_transposed(const ls_source *source, const ls_reading *reading)
{
  if (reading->transpose != LS_TRANSPOSE_AUTO) return reading->transpose == LS_TRANSPOSE_TRUE;
  return source->entry && source->entry->is_transposed;
}

static ls_status open_idx(ls_source *source, const ls_reader_place *place)
{
  idx_state *state;
  idx_files files[LS_SPLIT_COUNT] = {{NULL, NULL}};
  LS_PASS(ls_alloc(&state, 1, sizeof *state, "an IDX dataset"));
  source->state = state;
  state->data_offset = MAGIC_BYTES + 4 * IMAGE_RANK;
  LS_PASS(assign_all(source, place, files));
  source->info.is_transposed = is_transposed(source, place->reading);
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++) {
    if (!files[split].images) continue;
    LS_PASS(open_split(source, (ls_split)split, place->path, &files[split]));
    LS_PASS(open_labels(source, (ls_split)split));
  }
  if (!source->info.is_transposed) return LS_OK;
  return ls_alloc(&state->scratch, ls_source_image_bytes(source), 1, "an image");
}

/* ---- images ---- */

/* Turn an image that lies by columns. */
static void transpose(uint8_t *image, uint8_t *scratch, size_t height, size_t width)
{
  memcpy(scratch, image, height * width);
  for (size_t y = 0; y < height; y++)
    for (size_t x = 0; x < width; x++) image[y * width + x] = scratch[x * height + y];
}

static ls_status read_images(ls_source *source, ls_split split, size_t first, size_t count, uint8_t *images)
{
  idx_state *state = source->state;
  const size_t image_bytes = ls_source_image_bytes(source);
  LS_PASS(ls_stream_seek(state->images[split], state->data_offset + first * image_bytes));
  LS_PASS(ls_stream_read_all(state->images[split], images, count * image_bytes));
  if (!source->info.is_transposed) return LS_OK;
  for (size_t i = 0; i < count; i++)
    transpose(images + i * image_bytes, state->scratch, source->info.height, source->info.width);
  return LS_OK;
}

static void locate(const ls_source *source, ls_split split, size_t sample, ls_text *text)
{
  const idx_state *state = source->state;
  ls_text_add(text, "'%s', label %zu of %zu", state->label_paths[split], sample + 1,
              source->info.count[split]);
}

static void close_idx(void *opened)
{
  idx_state *state = opened;
  if (!state) return;
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++) {
    ls_stream_close(state->images[split]);
    free(state->label_paths[split]);
  }
  free(state->scratch);
  free(state);
}

const ls_reader ls_reader_idx = {.format = "IDX",
                                 .part = "ubyte",
                                 .follows_layout = true,
                                 .recognize = recognize,
                                 .open = open_idx,
                                 .read_images = read_images,
                                 .locate = locate,
                                 .close = close_idx};
