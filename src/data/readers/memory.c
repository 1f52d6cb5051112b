/* SPDX-License-Identifier: BSD-3-Clause */
/* A reader that is no row of the table of readers: nothing on disk looks like it. */
#include "data/readers/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/readers/reader.h"

typedef struct memory_state {
  const uint8_t *images; /* [count, c, h, w]; borrowed */
  uint8_t *own;          /* the same, if they are the source's; owned */
} memory_state;

static ls_status read_images(ls_source *source, ls_split split, size_t first, size_t count, uint8_t *images)
{
  (void)split;
  const memory_state *state = source->state;
  const size_t bytes = ls_source_image_bytes(source);
  memcpy(images, state->images + first * bytes, count * bytes);
  return LS_OK;
}

static void close_state(void *state)
{
  if (state) free(((memory_state *)state)->own);
  free(state);
}

static const ls_reader reader = {.format = "memory", .read_images = read_images, .close = close_state};

/* All but the images and the values of the labels. */
static ls_status fill(ls_source *source, const ls_dataset_info *like, ls_split split, size_t count)
{
  ls_dataset_info *info = &source->info;
  source->reader = &reader;
  LS_PASS(ls_alloc(&source->state, 1, sizeof(memory_state), "a dataset"));
  LS_PASS(ls_alloc(&source->labels[split], count, sizeof *source->labels[split], "the labels"));
  *info = *like;
  info->format = reader.format;
  info->class_names = NULL;
  for (size_t other = 0; other < LS_SPLIT_COUNT; other++) info->count[other] = 0;
  info->count[split] = count;
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
  const ls_status status = fill(source, like, LS_SPLIT_TEST, count);
  if (status != LS_OK) {
    ls_source_close(source);
    return status;
  }
  memcpy(source->labels[LS_SPLIT_TEST], labels, count * sizeof *labels);
  ((memory_state *)source->state)->images = images;
  *out = source;
  return LS_OK;
}

/* Any pixels will do, as long as they are the same on every rank. */
static ls_status make_up(ls_source *source, const ls_dataset_info *like, size_t count)
{
  LS_PASS(fill(source, like, LS_SPLIT_TRAIN, count));
  memory_state *state = source->state;
  const size_t bytes = ls_source_image_bytes(source);
  LS_PASS(ls_alloc(&state->own, count, bytes, "made-up images"));
  for (size_t i = 0; i < count * bytes; i++)
    state->own[i] = (uint8_t)((uint32_t)i * UINT32_C(2654435761) >> 24);
  for (size_t i = 0; i < count; i++) source->labels[LS_SPLIT_TRAIN][i] = (uint16_t)(i % like->classes);
  state->images = state->own;
  return LS_OK;
}

ls_status ls_memory_made_up(ls_source **out, const ls_dataset_info *like, size_t count)
{
  ls_source *source;
  LS_PASS(ls_alloc(&source, 1, sizeof *source, "a dataset"));
  const ls_status status = make_up(source, like, count);
  if (status != LS_OK) ls_source_close(source);
  if (status == LS_OK) *out = source;
  return status;
}
