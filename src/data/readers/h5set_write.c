/* SPDX-License-Identifier: BSD-3-Clause */
/* The writer of HDF5 datasets: one pass over the source, in blocks that are whole chunks, so each chunk is
 * compressed once. Chunks hold whole samples: a rank that reads its slice touches little else. */
#include "data/readers/h5set.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/directory.h"
#include "base/memory.h"
#include "base/size.h"
#include "data/readers/reader.h"
#include "h5/call.h"
#include "h5/file.h"

enum { CHUNK_BYTES = 1 << 18, LABELS_PER_CHUNK = 1 << 14, DEFLATE_LEVEL = 6, UINT8_CLASSES = 256 };

/* A file in the making. */
typedef struct h5set_writer {
  const ls_temporary *temporary;
  ls_h5_file file; /* its descriptor is the temporary file's */
  ls_source *source;
  const ls_ticker *ticker;
  size_t done, total; /* samples */
  size_t block;       /* samples of a chunk */
  ls_h5set_extras extras;
  uint8_t *images; /* [block, c, h, w] */
} h5set_writer;

static ls_status fail_write(const h5set_writer *writer, const char *what)
{
  const ls_status status = ls_h5_fail(LS_E_IO, "cannot write %s to '%s'", what, writer->temporary->target);
  if (writer->file.error == 0) return status;
  return ls_wrap(ls_h5_file_outcome(&writer->file, status), "cannot write %s to '%s'", what,
                 writer->temporary->target);
}

/* ---- attributes ---- */

/* An attribute of `count` elements (0: a scalar) of `type`. */
static ls_status put_attribute(const h5set_writer *writer, const char *name, hid_t type, size_t count,
                               const void *data)
{
  const hsize_t shape = count;
  hid_t space = count > 0 ? H5Screate_simple(1, &shape, NULL) : H5Screate(H5S_SCALAR);
  hid_t attribute = space < 0 ? -1 : H5Acreate2(writer->file.id, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  bool is_written = attribute >= 0 && H5Awrite(attribute, type, data) >= 0;
  ls_status status = is_written ? LS_OK : fail_write(writer, name);
  if (attribute >= 0) H5Aclose(attribute);
  if (space >= 0) H5Sclose(space);
  return status;
}

/* Texts in slots of `bytes` bytes, UTF-8, padded with zeros. */
static ls_status put_texts(const h5set_writer *writer, const char *name, size_t bytes, size_t count,
                           const void *data)
{
  hid_t type = H5Tcopy(H5T_C_S1);
  ls_status status;
  if (type < 0 || H5Tset_size(type, bytes) < 0 || H5Tset_strpad(type, H5T_STR_NULLPAD) < 0 ||
      H5Tset_cset(type, H5T_CSET_UTF8) < 0)
    status = fail_write(writer, name);
  else
    status = put_attribute(writer, name, type, count, data);
  if (type >= 0) H5Tclose(type);
  return status;
}

static ls_status put_attributes(const h5set_writer *writer)
{
  static const char format[] = "lockstep-dataset";
  const ls_dataset_info *info = ls_source_info(writer->source);
  const uint32_t classes = (uint32_t)info->classes;
  LS_PASS(put_texts(writer, "format", sizeof format - 1, 0, format));
  if (info->name[0]) LS_PASS(put_texts(writer, "name", strlen(info->name), 0, info->name));
  LS_PASS(put_attribute(writer, "classes", H5T_NATIVE_UINT32, 0, &classes));
  if (info->picture != LS_PICTURE_AUTO) {
    const char *word = ls_picture_words[info->picture];
    LS_PASS(put_texts(writer, "picture", strlen(word), 0, word));
  }
  for (size_t i = 0; i < writer->extras.number_count; i++) {
    const ls_h5set_number *number = &writer->extras.numbers[i];
    LS_PASS(put_attribute(writer, number->name, H5T_NATIVE_DOUBLE, 0, &number->value));
  }
  if (!info->class_names) return LS_OK;
  return put_texts(writer, "class_names", LS_CLASS_NAME_BYTES, info->classes, info->class_names);
}

/* ---- datasets ---- */

/* Creation properties: chunked by `chunk`, compressed, with a checksum; times left out, so that the same
 * contents make the same file. */
static hid_t make_properties(int rank, const hsize_t *chunk)
{
  hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
  if (properties < 0) return properties;
  if (H5Pset_chunk(properties, rank, chunk) < 0 || H5Pset_shuffle(properties) < 0 ||
      H5Pset_deflate(properties, DEFLATE_LEVEL) < 0 || H5Pset_fletcher32(properties) < 0 ||
      H5Pset_obj_track_times(properties, 0) < 0) {
    H5Pclose(properties);
    return -1;
  }
  return properties;
}

static hid_t make_dataset(hid_t group, const char *name, hid_t type, int rank, const hsize_t *shape,
                          const hsize_t *chunk)
{
  hid_t properties = make_properties(rank, chunk);
  if (properties < 0) return -1;
  hid_t space = H5Screate_simple(rank, shape, NULL);
  hid_t dataset = space < 0 ? -1 : H5Dcreate2(group, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
  if (space >= 0) H5Sclose(space);
  H5Pclose(properties);
  return dataset;
}

static ls_status write_labels(const h5set_writer *writer, hid_t group, ls_split split)
{
  const ls_dataset_info *info = ls_source_info(writer->source);
  const hsize_t count = info->count[split];
  const hsize_t chunk = ls_size_min(info->count[split], LABELS_PER_CHUNK);
  hid_t type = info->classes <= UINT8_CLASSES ? H5T_STD_U8LE : H5T_STD_U16LE;
  hid_t dataset = make_dataset(group, "labels", type, 1, &count, &chunk);
  if (dataset < 0) return fail_write(writer, "labels");
  bool is_written = H5Dwrite(dataset, H5T_NATIVE_UINT16, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                             ls_source_labels(writer->source, split)) >= 0;
  ls_status status = is_written ? LS_OK : fail_write(writer, "labels");
  if (H5Dclose(dataset) < 0 && status == LS_OK) status = fail_write(writer, "labels");
  return status;
}

/* Read a block of images and write it. */
static ls_status copy_block(h5set_writer *writer, hid_t dataset, ls_split split, size_t first, size_t count)
{
  const ls_dataset_info *info = ls_source_info(writer->source);
  LS_PASS(ls_source_read_images(writer->source, split, first, count, writer->images));
  const hsize_t start[4] = {first};
  const hsize_t shape[4] = {count, info->channels, info->height, info->width};
  hid_t all = H5Dget_space(dataset);
  hid_t block = H5Screate_simple(4, shape, NULL);
  bool is_written = all >= 0 && block >= 0 &&
                    H5Sselect_hyperslab(all, H5S_SELECT_SET, start, NULL, shape, NULL) >= 0 &&
                    H5Dwrite(dataset, H5T_NATIVE_UINT8, block, all, H5P_DEFAULT, writer->images) >= 0;
  ls_status status = is_written ? LS_OK : fail_write(writer, "images");
  if (block >= 0) H5Sclose(block);
  if (all >= 0) H5Sclose(all);
  writer->done += count;
  ls_tick(writer->ticker, writer->done, writer->total);
  return status;
}

static ls_status write_images(h5set_writer *writer, hid_t group, ls_split split)
{
  const ls_dataset_info *info = ls_source_info(writer->source);
  const size_t count = info->count[split];
  const hsize_t shape[4] = {count, info->channels, info->height, info->width};
  const hsize_t chunk[4] = {ls_size_min(count, writer->block), info->channels, info->height, info->width};
  hid_t dataset = make_dataset(group, "images", H5T_STD_U8LE, 4, shape, chunk);
  if (dataset < 0) return fail_write(writer, "images");
  ls_status status = LS_OK;
  for (size_t first = 0; first < count && status == LS_OK; first += writer->block)
    status = copy_block(writer, dataset, split, first, ls_size_min(count - first, writer->block));
  if (H5Dclose(dataset) < 0 && status == LS_OK) status = fail_write(writer, "images");
  return status;
}

static ls_status write_extra(const h5set_writer *writer, hid_t group, const ls_h5set_extra *extra)
{
  const hid_t types[][2] = {[LS_H5SET_UINT8] = {H5T_STD_U8LE, H5T_NATIVE_UINT8},
                            [LS_H5SET_UINT16] = {H5T_STD_U16LE, H5T_NATIVE_UINT16},
                            [LS_H5SET_UINT64] = {H5T_STD_U64LE, H5T_NATIVE_UINT64},
                            [LS_H5SET_FLOAT32] = {H5T_IEEE_F32LE, H5T_NATIVE_FLOAT}};
  const ls_dataset_info *info = ls_source_info(writer->source);
  const size_t count = info->count[LS_SPLIT_TEST];
  const int rank = extra->is_images ? 4 : 1;
  const hsize_t shape[4] = {count, info->channels, info->height, info->width};
  const hsize_t chunk[4] = {ls_size_min(count, extra->is_images ? writer->block : LABELS_PER_CHUNK),
                            info->channels, info->height, info->width};
  hid_t dataset = make_dataset(group, extra->name, types[extra->type][0], rank, shape, chunk);
  if (dataset < 0) return fail_write(writer, extra->name);
  bool is_written = H5Dwrite(dataset, types[extra->type][1], H5S_ALL, H5S_ALL, H5P_DEFAULT, extra->data) >= 0;
  ls_status status = is_written ? LS_OK : fail_write(writer, extra->name);
  if (H5Dclose(dataset) < 0 && status == LS_OK) status = fail_write(writer, extra->name);
  return status;
}

static ls_status write_split(h5set_writer *writer, ls_split split)
{
  if (ls_source_info(writer->source)->count[split] == 0) return LS_OK;
  hid_t group = H5Gcreate2(writer->file.id, ls_split_words[split], H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (group < 0) return fail_write(writer, ls_split_words[split]);
  ls_status status;
  LS_GO(write_images(writer, group, split));
  LS_GO(write_labels(writer, group, split));
  for (size_t i = 0; split == LS_SPLIT_TEST && i < writer->extras.array_count; i++)
    LS_GO(write_extra(writer, group, &writer->extras.arrays[i]));
done:
  H5Gclose(group);
  return status;
}

/* ---- the file ---- */

static ls_status create(h5set_writer *writer)
{
  writer->file.descriptor = writer->temporary->descriptor;
  LS_TRY(ls_h5_start(), "'%s'", writer->temporary->target);
  hid_t access = ls_h5_file_access(&writer->file);
  if (access < 0) return ls_h5_fail(LS_E_MEMORY, "cannot prepare to write '%s'", writer->temporary->target);
  /* This version of the format can hold the names of more than some thousand classes. */
  if (H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18) >= 0)
    writer->file.id = H5Fcreate(writer->temporary->path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
  ls_status status = LS_OK;
  if (writer->file.id < 0) status = fail_write(writer, "the beginning");
  H5Pclose(access);
  return status;
}

static ls_status write_all(h5set_writer *writer)
{
  const size_t image_bytes = ls_source_image_bytes(writer->source);
  writer->block = ls_size_max(CHUNK_BYTES / image_bytes, 1);
  LS_PASS(ls_alloc(&writer->images, writer->block, image_bytes, "a block of images"));
  LS_PASS(create(writer));
  LS_PASS(put_attributes(writer));
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++) LS_PASS(write_split(writer, (ls_split)split));
  return LS_OK;
}

/* What HDF5 still holds is written now. */
static ls_status close_file(h5set_writer *writer, ls_status status)
{
  const bool is_closed = writer->file.id < 0 || H5Fclose(writer->file.id) >= 0;
  if ((!is_closed || writer->file.error != 0) && status == LS_OK) status = fail_write(writer, "the file");
  return status;
}

static ls_status write_file(h5set_writer *writer)
{
  const ls_dataset_info *info = ls_source_info(writer->source);
  writer->total = info->count[LS_SPLIT_TRAIN] + info->count[LS_SPLIT_TEST];
  ls_status status = write_all(writer);
  status = close_file(writer, status);
  free(writer->images);
  return status;
}

ls_status ls_h5set_write(const char *path, ls_source *source, const ls_ticker *ticker)
{
  return ls_h5set_write_extra(path, source, &(ls_h5set_extras){.array_count = 0}, ticker);
}

ls_status ls_h5set_write_extra(const char *path, ls_source *source, const ls_h5set_extras *extras,
                               const ls_ticker *ticker)
{
  ls_directory folder;
  ls_temporary temporary = {.descriptor = -1};
  const char *name;
  LS_PASS(ls_directory_open_around(&folder, path, &name));
  h5set_writer writer = {.temporary = &temporary,
                         .file = LS_H5_FILE_CLOSED,
                         .source = source,
                         .ticker = ticker,
                         .extras = *extras};
  ls_status status;
  LS_GO(ls_temporary_make(&temporary, &folder, name));
  LS_GO(write_file(&writer));
  LS_GO(ls_temporary_keep(&temporary));
done:
  ls_temporary_fini(&temporary);
  ls_directory_close(&folder);
  return status;
}
