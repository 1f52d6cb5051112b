/* SPDX-License-Identifier: BSD-3-Clause */
/* A dataset whose images are made of another one's: a reader that is no row of the table of readers. All that
 * is asked of a source holds of the images as they are wanted; the loader alone reads those of the files, and
 * makes of them what a rank needs. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "data/readers/reader.h"
#include "data/readers/resize.h"
#include "data/source.h"
#include "kernels/normalize.h"

enum { SLICE = 64 /* images that are read at once */ };

static bool is_sequential(const ls_source *source, ls_split split)
{
  const ls_source *original = source->original;
  return original->reader->is_sequential && original->reader->is_sequential(original, split);
}

static ls_status read_images(ls_source *source, ls_split split, size_t first, size_t count, uint8_t *images)
{
  const size_t image_bytes = ls_source_image_bytes(source);
  const size_t slice = ls_size_min(count, SLICE);
  uint8_t *originals = NULL, *scratch = NULL;
  ls_status status;
  LS_GO(ls_alloc(&originals, slice, ls_source_image_bytes(source->original), "images"));
  LS_GO(ls_alloc(&scratch, ls_resizer_scratch_bytes(source->resizer), 1, "an image"));
  for (size_t done = 0; done < count; done += slice) {
    const size_t now = ls_size_min(slice, count - done);
    LS_GO(ls_source_read_images(source->original, split, first + done, now, originals));
    ls_resizer_run(source->resizer, originals, now, images + done * image_bytes, scratch);
  }
done:
  free(originals);
  free(scratch);
  return status;
}

static const ls_reader reader = {
    .format = "resized", .is_sequential = is_sequential, .read_images = read_images, .close = free};

/* The shape that is asked for. */
static ls_image_shape find_shape(const ls_dataset_info *info, const ls_reading *reading)
{
  return (ls_image_shape){.channels = reading->channels > 0 ? reading->channels : info->channels,
                          .height = reading->height > 0 ? reading->height : info->height,
                          .width = reading->width > 0 ? reading->width : info->width};
}

static ls_status check(const ls_dataset_info *info, ls_image_shape to)
{
  size_t bytes;
  if (to.channels != info->channels && info->channels != 1)
    return ls_fail(LS_E_INPUT,
                   "data.channels: %zu (--channels), but the images of '%s' have %zu: only a single channel "
                   "can be repeated; leave it out",
                   to.channels, info->name, info->channels);
  if (to.channels > LS_MAX_CHANNELS)
    return ls_fail(LS_E_INPUT, "data.channels: %zu (--channels): at most %d are supported", to.channels,
                   LS_MAX_CHANNELS);
  if (ls_size_mul(to.channels, to.height, &bytes) && ls_size_mul(bytes, to.width, &bytes)) return LS_OK;
  return ls_fail(LS_E_INPUT, "data.resize: an image of %zux%zux%zu does not fit into memory", to.channels,
                 to.height, to.width);
}

/* What is known of the samples goes over to the new source; the reader's state stays. */
static void take_over(ls_source *source, ls_source *original, ls_image_shape to)
{
  source->reader = &reader;
  source->original = original;
  source->entry = original->entry;
  source->info = original->info;
  source->info.channels = to.channels;
  source->info.height = to.height;
  source->info.width = to.width;
  source->notes = original->notes;
  memcpy(source->labels, original->labels, sizeof source->labels);
  memcpy(source->values, original->values, sizeof source->values);
  original->info.class_names = NULL;
  original->notes = (ls_text){0};
  memset(original->labels, 0, sizeof original->labels);
  memset(original->values, 0, sizeof original->values);
}

ls_status ls_source_resize(ls_source **source, const ls_reading *reading)
{
  const ls_dataset_info *info = &(*source)->info;
  const ls_image_shape from = {info->channels, info->height, info->width}, to = find_shape(info, reading);
  ls_source *resized;
  if (from.channels == to.channels && from.height == to.height && from.width == to.width) return LS_OK;
  LS_PASS(check(info, to));
  LS_PASS(ls_alloc(&resized, 1, sizeof *resized, "a dataset"));
  const ls_status status = ls_resizer_new(&resized->resizer, from, to);
  if (status == LS_OK) {
    take_over(resized, *source, to);
    *source = resized;
  } else {
    free(resized);
  }
  return status;
}
