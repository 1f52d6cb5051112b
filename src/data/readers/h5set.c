/* SPDX-License-Identifier: BSD-3-Clause */
/* The reader of HDF5 datasets. The file is taken for hostile until it has proved otherwise: only hard links
 * are followed, types and shapes are compared before anything is read, and a dataset may not declare more
 * than what its bytes in the file can expand to, so a lie about the size is refused rather than allocated. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "data/readers/reader.h"
#include "h5/block.h"
#include "h5/call.h"
#include "h5/chunks.h"
#include "h5/file.h"
#include "h5/guard.h"

enum {
  IMAGE_RANK = 4,
  SHAPE_CHARS = 128,
  TEXT_BYTES = 64,      /* of a text attribute, with its terminator */
  LONGEST_TEXT = 1024,  /* bytes of a fixed-length text that are looked at */
  DEFLATE_RATIO = 1032, /* the most that deflate can compress */
  SLACK_BYTES = 1 << 16 /* for the headers of short streams */
};

typedef char text_slot[TEXT_BYTES];

typedef struct h5set_state {
  char *path;
  ls_h5_file file;
  hid_t images[LS_SPLIT_COUNT];       /* 0: not open */
  ls_h5chunks chunks[LS_SPLIT_COUNT]; /* of the images */
  bool is_ours;                       /* says that its format is lockstep's: images are [N, C, H, W] */
} h5set_state;

static ls_status recognize(const ls_reader_place *place, bool *is_mine)
{
  *is_mine = false;
  if (place->folder) return LS_OK;
  *is_mine = ls_text_ends(place->path, ".h5") || ls_text_ends(place->path, ".hdf5");
  if (*is_mine) return LS_OK;
  LS_TRY(ls_h5_file_recognize(place->path, is_mine), "'%s'", place->path);
  return LS_OK;
}

/* ---- objects ---- */

/* Open a group or dataset that a hard link leads to. `object` is its path, for messages. */
static ls_status open_object(hid_t *out, const h5set_state *state, hid_t parent, const char *object,
                             H5I_type_t type)
{
  const char *name = strrchr(object, '/') + 1;
  H5L_info_t info;
  htri_t exists = H5Lexists(parent, name, H5P_DEFAULT);
  if (exists == 0)
    return ls_fail(LS_E_INPUT,
                   "'%s' has no %s: a dataset holds /train/images, /train/labels and the same in /test",
                   state->path, object);
  if (exists < 0 || H5Lget_info(parent, name, &info, H5P_DEFAULT) < 0)
    return ls_h5_fail(LS_E_INPUT, "'%s': cannot look up %s", state->path, object);
  if (info.type != H5L_TYPE_HARD)
    return ls_fail(LS_E_INPUT, "'%s': %s is %s link: only what lies in the file itself is read", state->path,
                   object, info.type == H5L_TYPE_SOFT ? "a soft" : "an external");
  *out = H5Oopen(parent, name, H5P_DEFAULT);
  if (*out < 0) return ls_h5_fail(LS_E_INPUT, "'%s': cannot open %s", state->path, object);
  if (H5Iget_type(*out) == type) return LS_OK;
  H5Oclose(*out);
  return ls_fail(LS_E_INPUT, "'%s': %s is not a %s", state->path, object,
                 type == H5I_GROUP ? "group" : "dataset");
}

/* ---- attributes ---- */

/* Copy one text into a slot: `bytes` at most, a terminator or blanks before that. */
static ls_status take_text(text_slot slot, const char *text, size_t bytes, const char *path, const char *name)
{
  size_t length = text ? strnlen(text, bytes) : 0;
  while (length > 0 && text[length - 1] == ' ') length--;
  if (length >= TEXT_BYTES)
    return ls_fail(LS_E_INPUT, "'%s': attribute %s holds a text of %zu bytes: at most %d are supported", path,
                   name, length, TEXT_BYTES - 1);
  for (size_t i = 0; i < length; i++)
    if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
      return ls_fail(LS_E_INPUT, "'%s': attribute %s holds a control character", path, name);
  if (length > 0) memcpy(slot, text, length);
  return LS_OK;
}

/* Texts of variable length, as h5py writes them. */
static ls_status read_variable(hid_t attribute, hid_t type, text_slot *slots, size_t count, const char *path,
                               const char *name)
{
  char **texts;
  LS_PASS(ls_alloc(&texts, count, sizeof *texts, "an attribute"));
  ls_status status = LS_OK;
  if (H5Aread(attribute, type, texts) < 0) {
    status = ls_h5_fail(LS_E_INPUT, "'%s': cannot read attribute %s", path, name);
    free(texts);
    return status;
  }
  for (size_t i = 0; i < count && status == LS_OK; i++)
    status = take_text(slots[i], texts[i], texts[i] ? strlen(texts[i]) : 0, path, name);
  hid_t space = H5Aget_space(attribute);
  H5Dvlen_reclaim(type, space, H5P_DEFAULT, texts);
  H5Sclose(space);
  free(texts);
  return status;
}

static ls_status read_fixed(hid_t attribute, hid_t type, text_slot *slots, size_t count, const char *path,
                            const char *name)
{
  const size_t bytes = H5Tget_size(type);
  char *texts;
  if (bytes > LONGEST_TEXT)
    return ls_fail(LS_E_INPUT, "'%s': attribute %s holds texts of %zu bytes: at most %d are supported", path,
                   name, bytes, TEXT_BYTES - 1);
  LS_PASS(ls_alloc(&texts, count, bytes, "an attribute"));
  ls_status status = LS_OK;
  if (H5Aread(attribute, type, texts) < 0)
    status = ls_h5_fail(LS_E_INPUT, "'%s': cannot read attribute %s", path, name);
  for (size_t i = 0; i < count && status == LS_OK; i++)
    status = take_text(slots[i], texts + i * bytes, bytes, path, name);
  free(texts);
  return status;
}

static ls_status has_attribute(const h5set_state *state, const char *name, bool *has)
{
  const htri_t found = H5Aexists(state->file.id, name);
  *has = found > 0;
  if (found >= 0) return LS_OK;
  return ls_h5_fail(LS_E_INPUT, "'%s': cannot look for attribute %s", state->path, name);
}

/* Read an attribute of `count` texts; `found` tells whether there is one. */
static ls_status read_texts(const h5set_state *state, const char *name, text_slot *slots, size_t count,
                            bool *found)
{
  LS_PASS(has_attribute(state, name, found));
  if (!*found) return LS_OK;
  hid_t attribute = H5Aopen(state->file.id, name, H5P_DEFAULT);
  if (attribute < 0) return ls_h5_fail(LS_E_INPUT, "'%s': cannot open attribute %s", state->path, name);
  hid_t type = H5Aget_type(attribute);
  hid_t space = H5Aget_space(attribute);
  hssize_t elements = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
  ls_status status;
  if (type < 0 || space < 0)
    status = ls_h5_fail(LS_E_INPUT, "'%s': cannot read attribute %s", state->path, name);
  else if (H5Tget_class(type) != H5T_STRING)
    status = ls_fail(LS_E_INPUT, "'%s': attribute %s is not a text", state->path, name);
  else if (elements < 0 || (size_t)elements != count)
    status = ls_fail(LS_E_INPUT, "'%s': attribute %s has %lld elements, %zu are expected", state->path, name,
                     (long long)elements, count);
  else if (H5Tis_variable_str(type) > 0)
    status = read_variable(attribute, type, slots, count, state->path, name);
  else
    status = read_fixed(attribute, type, slots, count, state->path, name);
  if (space >= 0) H5Sclose(space);
  if (type >= 0) H5Tclose(type);
  H5Aclose(attribute);
  return status;
}

static ls_status check_format(h5set_state *state)
{
  text_slot format = "";
  LS_PASS(read_texts(state, "format", &format, 1, &state->is_ours));
  if (state->is_ours && strcmp(format, "lockstep-dataset") != 0)
    return ls_fail(LS_E_INPUT, "'%s' is no dataset: its attribute format says '%s', not 'lockstep-dataset'",
                   state->path, format);
  return LS_OK;
}

/* 0 where there is no such attribute. */
static ls_status read_classes(const h5set_state *state, size_t *classes)
{
  *classes = 0;
  bool found;
  LS_PASS(has_attribute(state, "classes", &found));
  if (!found) return LS_OK;
  hid_t attribute = H5Aopen(state->file.id, "classes", H5P_DEFAULT);
  if (attribute < 0) return ls_h5_fail(LS_E_INPUT, "'%s': cannot open attribute classes", state->path);
  hid_t type = H5Aget_type(attribute);
  hid_t space = H5Aget_space(attribute);
  unsigned long long value = 0;
  ls_status status = LS_OK;
  if (type < 0 || space < 0)
    status = ls_h5_fail(LS_E_INPUT, "'%s': cannot read attribute classes", state->path);
  else if (H5Tget_class(type) != H5T_INTEGER || H5Sget_simple_extent_npoints(space) != 1)
    status = ls_fail(LS_E_INPUT, "'%s': attribute classes is not one integer", state->path);
  else if (H5Aread(attribute, H5T_NATIVE_ULLONG, &value) < 0)
    status = ls_h5_fail(LS_E_INPUT, "'%s': cannot read attribute classes", state->path);
  else if (value < 1 || value > LS_MAX_CLASSES)
    status = ls_fail(LS_E_INPUT, "'%s': attribute classes is %llu: expected 1 to %d", state->path, value,
                     LS_MAX_CLASSES);
  *classes = (size_t)value;
  ls_h5_release(space);
  ls_h5_release(type);
  H5Aclose(attribute);
  return status;
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
      status = ls_fail(LS_E_INPUT, "'%s': the class name '%s' is too long: at most %d bytes", state->path,
                       slots[k], LS_CLASS_NAME_BYTES - 1);
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
  if (found) LS_TRY(ls_picture_find(word, &info->picture), "'%s': attribute picture", state->path);
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

/* ---- shapes ---- */

/* A dataset that is being looked at. */
typedef struct h5set_array {
  hid_t dataset;
  const char *object; /* "/train/images" */
  size_t bytes_each;  /* of an element */
  int rank;
  hsize_t shape[H5S_MAX_RANK];
  size_t bytes; /* of all elements */
  ls_h5chunks chunks;
} h5set_array;

/* "200x28x28", of as many dimensions as there is room for. */
static void write_shape(const h5set_array *array, char text[SHAPE_CHARS])
{
  size_t length = 0;
  text[0] = '\0';
  for (int i = 0; i < array->rank && length < SHAPE_CHARS; i++)
    length += (size_t)snprintf(text + length, SHAPE_CHARS - length, i > 0 ? "x%" PRIuHSIZE : "%" PRIuHSIZE,
                               array->shape[i]);
}

/* Rank, shape and overall size. */
static ls_status measure(h5set_array *array, const char *path, int rank, const char *expected)
{
  hid_t space = H5Dget_space(array->dataset);
  if (space < 0) return ls_h5_fail(LS_E_INPUT, "'%s': %s has no shape", path, array->object);
  array->rank = H5Sget_simple_extent_dims(space, array->shape, NULL);
  H5Sclose(space);
  char shape[SHAPE_CHARS];
  write_shape(array, shape);
  if (array->rank != rank)
    return ls_fail(LS_E_INPUT, "'%s': %s has %d dimensions (%s): expected %s", path, array->object,
                   array->rank, shape, expected);
  array->bytes = array->bytes_each;
  bool fits = true;
  for (int i = 0; i < rank; i++)
    fits = fits && ls_size_mul(array->bytes, (size_t)array->shape[i], &array->bytes);
  if (!fits || array->bytes > INT64_MAX)
    return ls_fail(LS_E_INPUT, "'%s': %s declares more bytes than any file can hold", path, array->object);
  if (array->bytes == 0) return ls_fail(LS_E_INPUT, "'%s': %s is empty", path, array->object);
  return LS_OK;
}

/* What a type is called in NumPy, as far as it is a number. */
static void name_type(hid_t type, char name[SHAPE_CHARS])
{
  const H5T_class_t class = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
  const char *word = class == H5T_FLOAT                  ? "float"
                     : class != H5T_INTEGER              ? NULL
                     : H5Tget_sign(type) == H5T_SGN_NONE ? "uint"
                                                         : "int";
  if (word)
    snprintf(name, SHAPE_CHARS, "%s%zu", word, 8 * H5Tget_size(type));
  else
    snprintf(name, SHAPE_CHARS, "no number");
}

/* An unsigned integer of an allowed width. */
static ls_status check_type(h5set_array *array, const char *path, size_t widest, const char *expected)
{
  hid_t type = H5Dget_type(array->dataset);
  if (type < 0) return ls_h5_fail(LS_E_INPUT, "'%s': %s has no type", path, array->object);
  bool is_good = H5Tget_class(type) == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_NONE &&
                 H5Tget_size(type) <= widest && H5Tget_precision(type) == 8 * H5Tget_size(type);
  char found[SHAPE_CHARS];
  name_type(type, found);
  array->bytes_each = H5Tget_size(type);
  H5Tclose(type);
  if (!is_good)
    return ls_fail(LS_E_INPUT, "'%s': %s has the wrong type, %s: expected %s", path, array->object, found,
                   expected);
  return LS_OK;
}

/* The largest number of bytes that `stored` bytes can stand for: only chunks are ever compressed. */
static uint64_t expansion_of(hid_t properties, H5D_layout_t layout, uint64_t stored)
{
  uint64_t most = stored;
  if (layout == H5D_CHUNKED && H5Pget_nfilters(properties) > 0 &&
      (__builtin_mul_overflow(stored, (uint64_t)DEFLATE_RATIO, &most) ||
       __builtin_add_overflow(most, (uint64_t)SLACK_BYTES, &most)))
    most = UINT64_MAX;
  return most;
}

/* Can the file hold what the dataset declares? */
static ls_status check_storage(const h5set_state *state, h5set_array *array, hid_t properties)
{
  const H5D_layout_t layout = H5Pget_layout(properties);
  if (layout == H5D_VIRTUAL || H5Pget_external_count(properties) > 0)
    return ls_fail(LS_E_INPUT, "'%s': %s lies in other files: only what lies in the file itself is read",
                   state->path, array->object);
  const uint64_t stored = H5Dget_storage_size(array->dataset);
  const uint64_t most = expansion_of(properties, layout, stored);
  if (stored > state->file.bytes || array->bytes > most)
    return ls_fail(LS_E_INPUT,
                   "'%s': %s declares %zu bytes, but the file of %" PRIu64 " bytes holds only %" PRIu64
                   " for it: it is damaged or was never completed",
                   state->path, array->object, array->bytes, state->file.bytes, stored);
  if (layout != H5D_CHUNKED) return LS_OK;
  LS_TRY(ls_h5chunks_init(&array->chunks, array->dataset, properties, array->shape, array->bytes_each, most),
         "'%s': %s", state->path, array->object);
  return LS_OK;
}

static ls_status check_array(const h5set_state *state, h5set_array *array)
{
  hid_t properties = H5Dget_create_plist(array->dataset);
  if (properties < 0)
    return ls_h5_fail(LS_E_INPUT, "'%s': cannot look at the layout of %s", state->path, array->object);
  ls_status status = check_storage(state, array, properties);
  H5Pclose(properties);
  return status;
}

/* ---- splits ---- */

/* Numbers of channels that images commonly have. */
static bool is_channels(hsize_t count)
{
  return count == 1 || count == 3 || count == 4;
}

/* Is the second axis plainly that of the channels, and not the last? Files of others may be [N, H, W, C], as
 * Keras has it: images of one, three or four channels are told by their sizes, unless both axes are of such a
 * size; others where there are fewer channels than columns. A single pixel of one channel is the same both
 * ways. */
static bool are_channels_first(const hsize_t shape[IMAGE_RANK])
{
  const hsize_t second = shape[1], last = shape[3];
  if (second == 1 && shape[2] == 1 && last == 1) return true;
  return !is_channels(last) && (is_channels(second) || second < last);
}

static ls_status check_layout(const h5set_state *state, const h5set_array *images)
{
  const hsize_t *shape = images->shape;
  char text[SHAPE_CHARS];
  if (state->is_ours || are_channels_first(shape)) return LS_OK;
  write_shape(images, text);
  return ls_fail(LS_E_INPUT,
                 "'%s': %s is %s: either %" PRIuHSIZE "x%" PRIuHSIZE " images of %" PRIuHSIZE
                 " channels, which come last, or %" PRIuHSIZE "x%" PRIuHSIZE " images of %" PRIuHSIZE
                 " channels, which come first, as they must: in the first case write x.transpose(0, 3, 1, 2) "
                 "by h5py, in the "
                 "second say so by file.attrs['format'] = 'lockstep-dataset'",
                 state->path, images->object, text, shape[1], shape[2], shape[3], shape[2], shape[3],
                 shape[1]);
}

static ls_status open_images(ls_source *source, ls_split split, hid_t group, const char *object)
{
  h5set_state *state = source->state;
  ls_dataset_info *info = &source->info;
  h5set_array images = {.object = object};
  LS_PASS(open_object(&images.dataset, state, group, object, H5I_DATASET));
  state->images[split] = images.dataset;
  LS_PASS(check_type(&images, state->path, 1, "uint8"));
  LS_PASS(measure(&images, state->path, IMAGE_RANK,
                  "4: samples, channels, height, width; grey "
                  "images get their channel by x[:, None] in NumPy"));
  LS_PASS(check_layout(state, &images));
  ls_status status = check_array(state, &images);
  state->chunks[split] = images.chunks;
  LS_PASS(status);
  const hsize_t *shape = images.shape;
  if (info->height != 0 &&
      (shape[1] != info->channels || shape[2] != info->height || shape[3] != info->width))
    return ls_fail(LS_E_INPUT,
                   "'%s': %s has images of %" PRIuHSIZE "x%" PRIuHSIZE "x%" PRIuHSIZE
                   ", but those of the training split are %zux%zux%zu",
                   state->path, object, shape[1], shape[2], shape[3], info->channels, info->height,
                   info->width);
  info->count[split] = (size_t)shape[0];
  info->channels = (size_t)shape[1];
  info->height = (size_t)shape[2];
  info->width = (size_t)shape[3];
  return LS_OK;
}

/* Check the labels of a split, and read them. */
static ls_status read_labels(ls_source *source, ls_split split, h5set_array *labels)
{
  const h5set_state *state = source->state;
  const size_t count = source->info.count[split];
  LS_PASS(check_type(labels, state->path, 2, "uint8 or uint16"));
  LS_PASS(measure(labels, state->path, 1,
                  "1: samples; in NumPy, labels.ravel(), or labels.argmax(1) where there is a "
                  "column for each class"));
  LS_PASS(check_array(state, labels));
  if (labels->shape[0] != count)
    return ls_fail(LS_E_INPUT, "'%s': %s has %" PRIuHSIZE " labels, but there are %zu images", state->path,
                   labels->object, labels->shape[0], count);
  LS_PASS(ls_alloc(&source->labels[split], count, sizeof *source->labels[split], "the labels"));
  LS_TRY(ls_h5chunks_check(&labels->chunks, labels->dataset, 0, count), "'%s': %s", state->path,
         labels->object);
  const hsize_t start = 0;
  LS_TRY(
      ls_h5_block_read(labels->dataset, H5T_NATIVE_UINT16, 1, &start, labels->shape, source->labels[split]),
      "'%s': %s", state->path, labels->object);
  return LS_OK;
}

static ls_status open_members(ls_source *source, ls_split split, hid_t group)
{
  char object[32];
  snprintf(object, sizeof object, "/%s/images", ls_split_words[split]);
  LS_PASS(open_images(source, split, group, object));
  snprintf(object, sizeof object, "/%s/labels", ls_split_words[split]);
  h5set_array labels = {.object = object};
  LS_PASS(open_object(&labels.dataset, source->state, group, object, H5I_DATASET));
  ls_status status = read_labels(source, split, &labels);
  ls_h5chunks_fini(&labels.chunks);
  H5Dclose(labels.dataset);
  return status;
}

static ls_status open_split(ls_source *source, ls_split split)
{
  const h5set_state *state = source->state;
  char object[16];
  hid_t group;
  snprintf(object, sizeof object, "/%s", ls_split_words[split]);
  if (H5Lexists(state->file.id, object, H5P_DEFAULT) == 0)
    return LS_OK; /* a dataset may have one split alone */
  LS_PASS(open_object(&group, state, state->file.id, object, H5I_GROUP));
  ls_status status = open_members(source, split, group);
  H5Gclose(group);
  return status;
}

/* ---- the file ---- */

/* What came of reading: a system's error is told as that, whatever HDF5 made of it. */
static ls_status finish(const h5set_state *state, ls_status status)
{
  if (state->file.error == 0) return status;
  return ls_wrap(ls_h5_file_outcome(&state->file, status), "cannot read '%s'", state->path);
}

/* Everything but the images. */
static ls_status read_dataset(ls_source *source)
{
  h5set_state *state = source->state;
  LS_TRY(ls_h5_file_start(&state->file), "'%s'", state->path);
  LS_PASS(read_attributes(state, &source->info));
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++) LS_PASS(open_split(source, (ls_split)split));
  if (source->info.height == 0)
    return ls_fail(
        LS_E_INPUT,
        "'%s' has neither /train nor /test: it is no dataset, which holds /train/images, /train/labels "
        "and the same in /test",
        state->path);
  return LS_OK;
}

static ls_status find_images(h5set_state *state)
{
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++)
    LS_TRY(ls_h5chunks_find(&state->chunks[split], state->images[split]), "'%s': /%s/images", state->path,
           ls_split_words[split]);
  return LS_OK;
}

static void close_images(h5set_state *state)
{
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++) {
    ls_h5chunks_fini(&state->chunks[split]);
    if (state->images[split] > 0) H5Dclose(state->images[split]);
    state->images[split] = 0;
  }
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
  ls_status status = read_dataset(source);
  if (status == LS_OK) status = find_images(state);
  status = finish(state, status);
  close_images(state);
  ls_h5_release(state->file.id);
  state->file.id = H5I_INVALID_HID;
  return status;
}

static ls_status open_h5set(ls_source *source, const ls_reader_place *place)
{
  h5set_state *state;
  LS_PASS(ls_alloc(&state, 1, sizeof *state, "an HDF5 dataset"));
  state->file = LS_H5_FILE_CLOSED;
  source->state = state;
  LS_PASS(ls_text_copy(&state->path, place->path));
  LS_TRY(ls_h5_file_open(&state->file, state->path), "'%s'", state->path);
  LS_TRY(ls_h5_start(), "'%s'", state->path);
  LS_PASS(ls_h5_guard(state->path, state->file.bytes, try_dataset, source));
  const ls_status status = finish(state, read_dataset(source));
  /* The child has come through with the same bytes. */
  return status == LS_E_INPUT ? ls_wrap(LS_E_MEMORY, "no memory to read it") : status;
}

static ls_status read_block(ls_source *source, ls_split split, size_t first, size_t count, uint8_t *images)
{
  h5set_state *state = source->state;
  const ls_dataset_info *info = &source->info;
  const hsize_t start[IMAGE_RANK] = {first};
  const hsize_t shape[IMAGE_RANK] = {count, info->channels, info->height, info->width};
  ls_status status = ls_h5chunks_check(&state->chunks[split], state->images[split], first, count);
  if (status == LS_OK)
    status = ls_h5_block_read(state->images[split], H5T_NATIVE_UINT8, IMAGE_RANK, start, shape, images);
  if (status != LS_OK) status = ls_wrap(status, "'%s': /%s/images", state->path, ls_split_words[split]);
  return finish(state, status);
}

/* What failed because memory was missing for a moment, which libhdf5 tells as damage, succeeds the second
 * time. */
static ls_status read_images(ls_source *source, ls_split split, size_t first, size_t count, uint8_t *images)
{
  const ls_status status = read_block(source, split, first, count, images);
  return status == LS_E_INPUT ? read_block(source, split, first, count, images) : status;
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
