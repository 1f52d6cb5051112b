/* SPDX-License-Identifier: BSD-3-Clause */
/* A reader that is no row of the table of readers: nothing on disk looks like it. */
#include "data/readers/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/readers/reader.h"

typedef struct memory_state {
  const uint8_t *images; /* [count, c, h, w]; borrowed */
} memory_state;

static ls_status read_images(ls_source *source, ls_split split, size_t first, size_t count, uint8_t *images)
{
  (void)split;
  const memory_state *state = source->state;
  const size_t bytes = ls_source_image_bytes(source);
  memcpy(images, state->images + first * bytes, count * bytes);
  return LS_OK;
}

static const ls_reader reader = {.format = "memory", .read_images = read_images, .close = free};

static ls_status fill(ls_source *source, const ls_dataset_info *like, const uint16_t *labels, size_t count)
{
  ls_dataset_info *info = &source->info;
  source->reader = &reader;
  LS_PASS(ls_alloc(&source->state, 1, sizeof(memory_state), "a dataset"));
  LS_PASS(ls_alloc(&source->labels[LS_SPLIT_TEST], count, sizeof *labels, "the labels"));
  memcpy(source->labels[LS_SPLIT_TEST], labels, count * sizeof *labels);
  *info = *like;
  info->format = reader.format;
  info->class_names = NULL;
  info->count[LS_SPLIT_TRAIN] = 0;
  info->count[LS_SPLIT_TEST] = count;
  if (!like->class_names) return LS_OK;
  LS_PASS(ls_alloc(&info->class_names, like->classes, sizeof *like->class_names, "the class names"));
  memcpy(info->class_names, like->class_names, like->classes * sizeof *like->class_names);
  return LS_OK;
}

ls_status ls_memory_source(ls_source **out, const ls_dataset_info *like, const uint8_t *images,
                           const uint16_t *labels, size_t count)
{
  ls_source *source;
  LS_PASS(ls_alloc(&source, 1, sizeof *source, "a dataset"));
  const ls_status status = fill(source, like, labels, count);
  if (status != LS_OK) {
    ls_source_close(source);
    return status;
  }
  ((memory_state *)source->state)->images = images;
  *out = source;
  return LS_OK;
}
