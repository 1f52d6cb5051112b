/* SPDX-License-Identifier: BSD-3-Clause */
/* The reader of HDF5 datasets. The file may be hostile: only hard links
 * are followed, types and shapes are compared before anything is read, and a dataset may not declare more
 * than what its bytes in the file can expand to, so a false size is refused rather than allocated. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/readers/h5set_arrays.h"
#include "data/readers/reader.h"
#include "h5/file.h"
#include "h5/guard.h"
#include "h5/h5.h"

enum {
  IMAGE_RANK = 4,
  TEXT_BYTES = 64 /* of a text attribute, with its terminator */
};

typedef char text_slot[TEXT_BYTES];

_Static_assert(sizeof(text_slot) == sizeof((ls_dataset_info *)NULL)->name, "an attribute's text is a name");

typedef struct h5set_state {
  char *path;
  ls_h5_file file;
  ls_h5_data images[LS_SPLIT_COUNT];
  bool is_ours; /* says that its format is lockstep's: images are [N, C, H, W] */
} h5set_state;

static ls_status recognize(const ls_reader_input *input, bool *is_mine)
{
  *is_mine = false;
  if (input->folder) return LS_OK;
  *is_mine = ls_text_ends(input->path, ".h5") || ls_text_ends(input->path, ".hdf5");
  if (*is_mine) return LS_OK;
  LS_TRY(ls_h5_file_recognize(input->path, is_mine), "'%s'", input->path);
  return LS_OK;
}

/* ---- attributes ---- */

/* Read an attribute of `count` texts; `found`: there is one. */
static ls_status read_texts(const h5set_state *state, const char *name, text_slot *slots, size_t count,
                            bool *found)
{
  LS_PASS(ls_h5_has_attribute(state->file.id, name, found));
  if (!*found) return LS_OK;
  LS_PASS(ls_h5_get_slots(state->file.id, name, slots[0], sizeof slots[0], count));
  for (size_t i = 0; i < count; i++)
    for (const char *c = slots[i]; *c; c++)
      if ((unsigned char)*c < ' ' || *c == 0x7f)
        return ls_fail(LS_E_INPUT, "attribute /@%s: a text with a control character", name);
  return LS_OK;
}

static ls_status check_format(h5set_state *state)
{
  text_slot format = "";
  LS_PASS(read_texts(state, "format", &format, 1, &state->is_ours));
  if (state->is_ours && strcmp(format, "lockstep-dataset") != 0)
    return ls_fail(LS_E_INPUT, "it is no dataset: its attribute format says '%s', not 'lockstep-dataset'",
                   format);
  return LS_OK;
}

/* 0 where there is no such attribute. */
static ls_status read_classes(const h5set_state *state, size_t *classes)
{
  uint64_t value = 0;
  bool found;
  LS_PASS(ls_h5_has_attribute(state->file.id, "classes", &found));
  if (found) LS_PASS(ls_h5_get_count(state->file.id, "classes", 1, LS_MAX_CLASSES, &value));
  *classes = (size_t)value;
  return LS_OK;
}

static ls_status read_class_names(const h5set_state *state, ls_dataset_info *info)
{
  text_slot *slots;
  bool found;
  if (info->classes == 0) return LS_OK; /* nothing says how many there should be */
  LS_PASS(ls_alloc(&slots, info->classes, sizeof *slots, "the class names"));
  ls_status status;
  LS_GO(read_texts(state, "class_names", slots, info->classes, &found));
  if (!found) goto done;
  LS_GO(ls_alloc(&info->class_names, info->classes, sizeof *info->class_names, "the class names"));
  for (size_t k = 0; k < info->classes; k++) {
    const size_t length = strlen(slots[k]);
    if (length >= LS_CLASS_NAME_BYTES) {
      status = ls_fail(LS_E_INPUT, "the class name '%s' is too long: at most %d bytes", slots[k],
                       LS_CLASS_NAME_BYTES - 1);
      goto done;
    }
    memcpy(info->class_names[k], slots[k], length + 1);
  }
done:
  free(slots);
  return status;
}

static ls_status read_picture(const h5set_state *state, ls_dataset_info *info)
{
  text_slot word = "";
  bool found;
  LS_PASS(read_texts(state, "picture", &word, 1, &found));
  if (found) LS_TRY(ls_picture_find(word, &info->picture), "attribute picture");
  return LS_OK;
}

static ls_status read_attributes(h5set_state *state, ls_dataset_info *info)
{
  text_slot name = "";
  bool found;
  LS_PASS(check_format(state));
  LS_PASS(read_texts(state, "name", &name, 1, &found));
  if (found && name[0]) memcpy(info->name, name, sizeof info->name);
  LS_PASS(read_picture(state, info));
  LS_PASS(read_classes(state, &info->classes));
  return read_class_names(state, info);
}

/* ---- splits ---- */

/* Numbers of channels that images commonly have. */
static bool is_channels(size_t count)
{
  return count == 1 || count == 3 || count == 4;
}

/* Is the second axis plainly that of the channels, and not the last? Files of others may be [N, H, W, C], as
 * Keras has it: images of one, three or four channels are recognized by their sizes, unless both axes are of
 * such a size; others where there are fewer channels than columns. A single pixel of one channel is the same
 * both ways. */
static bool are_channels_first(const size_t shape[IMAGE_RANK])
{
  const size_t second = shape[1], last = shape[3];
  if (second == 1 && shape[2] == 1 && last == 1) return true;
  return !is_channels(last) && (is_channels(second) || second < last);
}

static ls_status check_layout(const h5set_state *state, const ls_h5_data *images)
{
  const size_t *shape = images->dims;
  char text[LS_H5SET_SHAPE_CHARS];
  if (state->is_ours || are_channels_first(shape)) return LS_OK;
  ls_h5set_shape(images, text);
  return ls_fail(LS_E_INPUT,
                 "%s is %s: either %zux%zu images of %zu channels, which come last, or %zux%zu images of %zu "
                 "channels, which come first, as they must: in the first case write x.transpose(0, 3, 1, 2) "
                 "by h5py, in the second say so by file.attrs['format'] = 'lockstep-dataset'",
                 images->path, text, shape[1], shape[2], shape[3], shape[2], shape[3], shape[1]);
}

static ls_status open_images(ls_source *source, ls_split split, ls_h5_id group)
{
  static const ls_h5set_expectation expected = {.name = "images",
                                                .bytes = 1,
                                                .type = "uint8",
                                                .rank = IMAGE_RANK,
                                                .dims = "4: samples, channels, height, width; grey "
                                                        "images get their channel by x[:, None] in NumPy"};
  h5set_state *state = source->state;
  ls_dataset_info *info = &source->info;
  ls_h5_data *images = &state->images[split];
  LS_PASS(ls_h5set_open_array(images, group, split, &expected));
  LS_PASS(check_layout(state, images));
  LS_PASS(ls_h5_data_check_storage(images));
  const size_t *shape = images->dims;
  if (info->height != 0 &&
      (shape[1] != info->channels || shape[2] != info->height || shape[3] != info->width))
    return ls_fail(LS_E_INPUT,
                   "%s has images of %zux%zux%zu, but those of the training split are %zux%zux%zu",
                   images->path, shape[1], shape[2], shape[3], info->channels, info->height, info->width);
  info->count[split] = shape[0];
  info->channels = shape[1];
  info->height = shape[2];
  info->width = shape[3];
  return LS_OK;
}

/* A dataset may have one split alone. */
static ls_status open_split(ls_source *source, ls_split split)
{
  const h5set_state *state = source->state;
  ls_h5_id group;
  bool has;
  LS_PASS(ls_h5_has(state->file.id, ls_split_words[split], &has));
  if (!has) return LS_OK;
  LS_PASS(ls_h5_group_open(&group, state->file.id, ls_split_words[split]));
  ls_status status = open_images(source, split, group);
  if (status == LS_OK) status = ls_h5set_read_labels(source, split, group);
  ls_h5_release(group);
  return status;
}

/* ---- the file ---- */

/* The result of reading: an error of the system is reported as that, whatever HDF5 made of it. */
static ls_status finish(const h5set_state *state, ls_status status)
{
  if (state->file.error == 0) return status;
  return ls_wrap(ls_h5_file_outcome(&state->file, status), "cannot read '%s'", state->path);
}

/* Everything but the images. */
static ls_status read_dataset(ls_source *source)
{
  h5set_state *state = source->state;
  LS_PASS(ls_h5_file_start(&state->file));
  LS_PASS(read_attributes(state, &source->info));
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++) LS_PASS(open_split(source, (ls_split)split));
  if (source->info.height == 0)
    return ls_fail(
        LS_E_INPUT,
        "it has neither /train nor /test: it is no dataset, which holds /train/images, /train/labels "
        "and the same in /test");
  return LS_OK;
}

/* The same with the file's name; an error of the system is reported as that. */
static ls_status read_named(ls_source *source)
{
  const h5set_state *state = source->state;
  const ls_status status = finish(state, read_dataset(source));
  return status == LS_OK || state->file.error != 0 ? status : ls_wrap(status, "'%s'", state->path);
}

static ls_status find_images(const h5set_state *state)
{
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++)
    LS_TRY(ls_h5_data_find_chunks(&state->images[split]), "'%s'", state->path);
  return LS_OK;
}

static void close_images(h5set_state *state)
{
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++) ls_h5_data_close(&state->images[split]);
}

static void close_h5set(void *opened)
{
  h5set_state *state = opened;
  if (!state) return;
  close_images(state);
  ls_h5_file_close(&state->file);
  free(state->path);
  free(state);
}

/* All that libhdf5 will be asked for but the chunks themselves, which h5/chunks.h checks. In the child, which
 * may do it again. */
static ls_status try_dataset(void *opened)
{
  ls_source *source = opened;
  h5set_state *state = source->state;
  ls_status status = read_named(source);
  if (status == LS_OK) status = finish(state, find_images(state));
  close_images(state);
  ls_h5_file_stop(&state->file);
  return status;
}

static ls_status open_h5set(ls_source *source, const ls_reader_input *input)
{
  h5set_state *state;
  LS_PASS(ls_alloc(&state, 1, sizeof *state, "an HDF5 dataset"));
  state->file = LS_H5_FILE_CLOSED;
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++) state->images[split] = LS_H5_DATA_CLOSED;
  source->state = state;
  LS_PASS(ls_text_copy(&state->path, input->path));
  LS_TRY(ls_h5_file_open(&state->file, state->path), "'%s'", state->path);
  LS_TRY(ls_h5_start(), "'%s'", state->path);
  LS_PASS(ls_h5_guard(state->path, state->file.bytes, try_dataset, source));
  const ls_status status = read_named(source);
  /* The child has read the same bytes without a crash. */
  return status == LS_E_INPUT ? ls_wrap(LS_E_MEMORY, "no memory to read it") : status;
}

static ls_status read_block(const h5set_state *state, ls_split split, size_t first, size_t count,
                            uint8_t *images)
{
  ls_status status = ls_h5_data_read_rows(&state->images[split], LS_H5_UINT8, first, count, images);
  if (status != LS_OK) status = ls_wrap(status, "'%s'", state->path);
  return finish(state, status);
}

/* What failed because memory was missing for a moment, which libhdf5 reports as damage, succeeds the second
 * time. */
static ls_status read_images(ls_source *source, ls_split split, size_t first, size_t count, uint8_t *images)
{
  const ls_status status = read_block(source->state, split, first, count, images);
  return status == LS_E_INPUT ? read_block(source->state, split, first, count, images) : status;
}

static void locate(const ls_source *source, ls_split split, size_t sample, ls_text *text)
{
  const h5set_state *state = source->state;
  ls_text_add(text, "'%s', /%s/labels, element %zu", state->path, ls_split_words[split], sample);
}

const ls_reader ls_reader_h5set = {.format = "HDF5",
                                   .recognize = recognize,
                                   .open = open_h5set,
                                   .read_images = read_images,
                                   .locate = locate,
                                   .close = close_h5set};
