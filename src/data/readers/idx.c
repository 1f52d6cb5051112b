/* SPDX-License-Identifier: BSD-3-Clause */
/* The reader of IDX files, the format of MNIST and its kin: two zero bytes, a type byte, the number of
 * dimensions, each dimension as a big-endian 32-bit integer, and the elements. Which files are which:
 * idx_files.h.
 *
 * Memory is never sized by a header alone: images are counted in the file (a gzip file is decompressed once
 * for that, by rank 0 for all) before anything is allocated for them.
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
#include "data/readers/idx_files.h"
#include "data/readers/reader.h"
#include "data/source.h"
#include "data/readers/stream.h"

enum {
  MAX_RANK = 3,
  DATA_OFFSET = LS_IDX_MAGIC_BYTES + 4 * LS_IDX_IMAGE_RANK, /* of the first image */
  BLOCK_BYTES = 1 << 16
};

typedef struct idx_state {
  ls_idx_split splits[LS_SPLIT_COUNT];
  char *label_paths[LS_SPLIT_COUNT]; /* for messages */
  uint8_t *scratch;                  /* one image, where they are transposed; NULL until one is read */
} idx_state;

typedef struct idx_header {
  size_t rank;
  uint32_t shape[MAX_RANK];
} idx_header;

/* ---- headers ---- */

static uint32_t big_endian(const unsigned char bytes[4])
{
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Read and check the header behind the magic; the stream stands at the first element afterwards. */
static ls_status read_header(const ls_idx_file *file, idx_header *header)
{
  unsigned char bytes[4 * MAX_RANK];
  const unsigned char type = file->magic[LS_IDX_TYPE_BYTE];
  const size_t rank = file->magic[LS_IDX_RANK_BYTE];
  ls_stream *stream = file->stream;
  assert(rank <= MAX_RANK);
  LS_TRY(ls_stream_read_all(stream, bytes, 4 * rank), "reading the IDX header");
  if (type != LS_IDX_UINT8)
    return ls_fail(LS_E_INPUT, "'%s' holds %s (type byte 0x%02x): only unsigned bytes (0x08) are supported",
                   ls_stream_path(stream), ls_idx_type_name(type), type);
  *header = (idx_header){.rank = rank};
  for (size_t i = 0; i < rank; i++) {
    header->shape[i] = big_endian(bytes + 4 * i);
    if (header->shape[i] == 0)
      return ls_fail(LS_E_INPUT, "'%s' is empty: dimension %zu of its header is 0", ls_stream_path(stream),
                     i + 1);
  }
  return LS_OK;
}

/* Check the images of a split against their header. */
static ls_status open_images(ls_source *source, ls_split split, bool checks_files)
{
  const idx_state *state = source->state;
  ls_stream *stream = state->splits[split].images.stream;
  const char *path = ls_stream_path(stream);
  ls_dataset_info *info = &source->info;
  idx_header header = {0};
  if (checks_files) LS_PASS(ls_stream_check_twin(stream));
  LS_PASS(read_header(&state->splits[split].images, &header));
  const size_t count = header.shape[0];
  const size_t height = header.shape[1 + info->is_transposed];
  const size_t width = header.shape[2 - info->is_transposed];
  char promise[128];
  snprintf(promise, sizeof promise, "the header promises %zu images of %zux%zu", count, height, width);
  size_t bytes;
  if (!ls_size_mul(height, width, &bytes) || !ls_size_mul(bytes, count, &bytes) || bytes > INT64_MAX)
    return ls_fail(LS_E_INPUT, "'%s': %s, more than any file can hold", path, promise);
  if (checks_files || !ls_stream_is_gzip(stream)) LS_PASS(ls_stream_expect(stream, bytes, promise));
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
static ls_status read_labels(ls_source *source, ls_split split, bool checks_files)
{
  const size_t count = source->info.count[split];
  const ls_idx_split *files = &((idx_state *)source->state)->splits[split];
  ls_stream *stream = files->labels.stream;
  idx_header header = {0};
  char promise[64];
  if (checks_files) LS_PASS(ls_stream_check_twin(stream));
  LS_PASS(read_header(&files->labels, &header));
  snprintf(promise, sizeof promise, "the header promises %" PRIu32 " labels", header.shape[0]);
  LS_PASS(ls_stream_expect(stream, header.shape[0], promise));
  if (header.shape[0] != count)
    return ls_fail(LS_E_INPUT,
                   "'%s' has %" PRIu32 " labels, but '%s' has %zu images: these files do not belong together",
                   ls_stream_path(stream), header.shape[0], ls_stream_path(files->images.stream), count);
  LS_PASS(ls_alloc(&source->labels[split], count, sizeof *source->labels[split], "the labels"));
  LS_PASS(ls_stream_seek(stream, LS_IDX_MAGIC_BYTES + 4 * LS_IDX_LABEL_RANK));
  for (size_t i = 0; i < count; i += BLOCK_BYTES)
    LS_PASS(read_label_block(stream, source->labels[split] + i, ls_size_min(count - i, BLOCK_BYTES)));
  return LS_OK;
}

/* Of the labels nothing is left to read. */
static ls_status open_split(ls_source *source, ls_split split, bool checks_files)
{
  idx_state *state = source->state;
  ls_idx_file *labels = &state->splits[split].labels;
  LS_PASS(open_images(source, split, checks_files));
  LS_PASS(ls_text_copy(&state->label_paths[split], ls_stream_path(labels->stream)));
  LS_PASS(read_labels(source, split, checks_files));
  ls_idx_close(labels);
  return LS_OK;
}

static bool is_transposed(const ls_source *source, const ls_reading *reading)
{
  if (reading->transpose != LS_TRANSPOSE_AUTO) return reading->transpose == LS_TRANSPOSE_TRUE;
  return source->entry && source->entry->is_transposed;
}

static ls_status open_idx(ls_source *source, const ls_reader_input *input)
{
  idx_state *state;
  LS_PASS(ls_alloc(&state, 1, sizeof *state, "an IDX dataset"));
  source->state = state;
  LS_PASS(ls_idx_open_files(source, input, state->splits));
  source->info.is_transposed = is_transposed(source, input->reading);
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++)
    if (state->splits[split].images.stream) LS_PASS(open_split(source, (ls_split)split, input->checks_files));
  return LS_OK;
}

/* ---- images ---- */

/* Turn an image that lies by columns. */
static void transpose(uint8_t *image, uint8_t *scratch, size_t height, size_t width)
{
  memcpy(scratch, image, height * width);
  for (size_t y = 0; y < height; y++)
    for (size_t x = 0; x < width; x++) image[y * width + x] = scratch[x * height + y];
}

static bool is_sequential(const ls_source *source, ls_split split)
{
  const ls_stream *stream = ((idx_state *)source->state)->splits[split].images.stream;
  return stream && ls_stream_is_gzip(stream);
}

static ls_status read_images(ls_source *source, ls_split split, size_t first, size_t count, uint8_t *images)
{
  idx_state *state = source->state;
  ls_stream *stream = state->splits[split].images.stream;
  const size_t image_bytes = ls_source_image_bytes(source);
  LS_PASS(ls_stream_seek(stream, DATA_OFFSET + first * image_bytes));
  LS_PASS(ls_stream_read_all(stream, images, count * image_bytes));
  if (!source->info.is_transposed) return LS_OK;
  if (!state->scratch) LS_PASS(ls_alloc(&state->scratch, image_bytes, 1, "an image"));
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
    ls_idx_close(&state->splits[split].images);
    ls_idx_close(&state->splits[split].labels);
    free(state->label_paths[split]);
  }
  free(state->scratch);
  free(state);
}

const ls_reader ls_reader_idx = {.format = "IDX",
                                 .part = "ubyte",
                                 .follows_layout = true,
                                 .recognize = ls_idx_recognize,
                                 .open = open_idx,
                                 .is_sequential = is_sequential,
                                 .read_images = read_images,
                                 .locate = locate,
                                 .close = close_idx};
