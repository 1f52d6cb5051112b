/* SPDX-License-Identifier: BSD-3-Clause */
/* The writer of HDF5 datasets: one pass over the source, in blocks that are whole chunks, so each chunk is
 * compressed once. Chunks hold whole samples: a rank that reads its slice touches little else. */
#include "data/readers/h5set_write.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/files/directory.h"
#include "base/files/temporary.h"
#include "base/memory.h"
#include "base/size.h"
#include "data/readers/reader.h"
#include "h5/file.h"
#include "h5/h5.h"

enum { CHUNK_BYTES = 1 << 18, LABELS_PER_CHUNK = 1 << 14, UINT8_CLASSES = 256 };

/* A file in the making. */
typedef struct h5set_writer {
  ls_h5_file file;
  ls_source *source;
  const ls_ticker *ticker;
  size_t done, total; /* samples */
  size_t block;       /* samples of a chunk */
  ls_h5set_extras extras;
  uint8_t *images; /* [block, c, h, w] */
} h5set_writer;

/* ---- attributes ---- */

static ls_status put_text(const h5set_writer *writer, const char *name, const char *text)
{
  return ls_h5_put_slots(writer->file.id, name, text, strlen(text), 0);
}

static ls_status put_attributes(const h5set_writer *writer)
{
  const ls_dataset_info *info = ls_source_info(writer->source);
  LS_PASS(put_text(writer, "format", "lockstep-dataset"));
  if (info->name[0]) LS_PASS(put_text(writer, "name", info->name));
  LS_PASS(ls_h5_put_count(writer->file.id, "classes", info->classes));
  if (info->picture != LS_PICTURE_AUTO) LS_PASS(put_text(writer, "picture", ls_picture_words[info->picture]));
  for (size_t i = 0; i < writer->extras.number_count; i++) {
    const ls_h5set_number *number = &writer->extras.numbers[i];
    LS_PASS(ls_h5_put_real(writer->file.id, number->name, number->value));
  }
  if (!info->class_names) return LS_OK;
  return ls_h5_put_slots(writer->file.id, "class_names", info->class_names[0], LS_CLASS_NAME_BYTES,
                         info->classes);
}

/* ---- datasets ---- */

/* How labels of a form are stored, and where they come from. */
static ls_h5_plan plan_labels(const ls_dataset_info *info, const size_t dims[2])
{
  const ls_h5_number of_classes = info->classes <= UINT8_CLASSES ? LS_H5_UINT8 : LS_H5_UINT16;
  const ls_h5_number numbers[] = {
      [LS_LABELS_CLASS] = of_classes, [LS_LABELS_SEVERAL] = LS_H5_UINT8, [LS_LABELS_VALUES] = LS_H5_FLOAT32};
  return (ls_h5_plan){.number = numbers[info->labels],
                      .dims = dims,
                      .dim_count = info->labels == LS_LABELS_CLASS ? 1 : 2,
                      .packed_rows = LABELS_PER_CHUNK};
}

static ls_status write_labels(const h5set_writer *writer, ls_h5_id group, ls_split split)
{
  const ls_dataset_info *info = ls_source_info(writer->source);
  const size_t dims[] = {info->count[split], info->classes};
  const float *values = ls_source_values(writer->source, split);
  const ls_h5_plan plan = plan_labels(info, dims);
  ls_h5_data data;
  ls_status status = ls_h5_data_make(&data, group, "labels", &plan);
  if (status == LS_OK)
    status = values ? ls_h5_data_write(&data, LS_H5_FLOAT32, values)
                    : ls_h5_data_write(&data, LS_H5_UINT16, ls_source_labels(writer->source, split));
  return ls_h5_close(data.id, status);
}

/* Read a block of images and write it. */
static ls_status copy_block(h5set_writer *writer, const ls_h5_data *data, ls_split split, size_t first,
                            size_t count)
{
  LS_PASS(ls_source_read_images(writer->source, split, first, count, writer->images));
  const ls_status status = ls_h5_data_write_rows(data, LS_H5_UINT8, first, count, writer->images);
  writer->done += count;
  ls_tick(writer->ticker, writer->done, writer->total);
  return status;
}

static ls_status write_images(h5set_writer *writer, ls_h5_id group, ls_split split)
{
  const ls_dataset_info *info = ls_source_info(writer->source);
  const size_t count = info->count[split];
  const size_t shape[] = {count, info->channels, info->height, info->width};
  const ls_h5_plan plan = {
      .number = LS_H5_UINT8, .dims = shape, .dim_count = 4, .packed_rows = writer->block};
  ls_h5_data data;
  ls_status status = ls_h5_data_make(&data, group, "images", &plan);
  for (size_t first = 0; first < count && status == LS_OK; first += writer->block)
    status = copy_block(writer, &data, split, first, ls_size_min(count - first, writer->block));
  return ls_h5_close(data.id, status);
}

static ls_status write_extra(const h5set_writer *writer, ls_h5_id group, const ls_h5set_extra *extra)
{
  const ls_dataset_info *info = ls_source_info(writer->source);
  const size_t shape[] = {info->count[LS_SPLIT_TEST], info->channels, info->height, info->width};
  static const ls_h5_number numbers[] = {[LS_H5SET_UINT8] = LS_H5_UINT8,
                                         [LS_H5SET_UINT16] = LS_H5_UINT16,
                                         [LS_H5SET_UINT64] = LS_H5_UINT64,
                                         [LS_H5SET_FLOAT32] = LS_H5_FLOAT32};
  const ls_h5_plan plan = {.number = numbers[extra->type],
                           .dims = shape,
                           .dim_count = extra->is_images ? 4 : 1,
                           .packed_rows = extra->is_images ? writer->block : LABELS_PER_CHUNK};
  return ls_h5_data_put(group, extra->name, &plan, extra->data);
}

static ls_status write_split(h5set_writer *writer, ls_split split)
{
  ls_h5_id group;
  ls_status status;
  if (ls_source_info(writer->source)->count[split] == 0) return LS_OK;
  LS_GO(ls_h5_group_make(&group, writer->file.id, ls_split_words[split]));
  LS_GO(write_images(writer, group, split));
  LS_GO(write_labels(writer, group, split));
  for (size_t i = 0; split == LS_SPLIT_TEST && i < writer->extras.array_count; i++)
    LS_GO(write_extra(writer, group, &writer->extras.arrays[i]));
done:
  return ls_h5_close(group, status);
}

/* ---- the file ---- */

static ls_status write_all(h5set_writer *writer)
{
  const size_t image_bytes = ls_source_image_bytes(writer->source);
  writer->block = ls_size_max(CHUNK_BYTES / image_bytes, 1);
  LS_PASS(ls_alloc(&writer->images, writer->block, image_bytes, "a block of images"));
  LS_PASS(put_attributes(writer));
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++) LS_PASS(write_split(writer, (ls_split)split));
  return LS_OK;
}

static ls_status write_file(h5set_writer *writer, int descriptor)
{
  const ls_dataset_info *info = ls_source_info(writer->source);
  writer->total = info->count[LS_SPLIT_TRAIN] + info->count[LS_SPLIT_TEST];
  LS_PASS(ls_h5_file_create(&writer->file, descriptor));
  const ls_status status = write_all(writer);
  free(writer->images);
  return ls_h5_file_complete(&writer->file, status);
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
  h5set_writer writer = {.source = source, .ticker = ticker, .extras = *extras};
  ls_status status;
  LS_GO(ls_temporary_make(&temporary, &folder, name));
  status = write_file(&writer, temporary.descriptor);
  if (status != LS_OK) status = ls_wrap(status, "cannot write '%s'", path);
  LS_GO(status);
  LS_GO(ls_temporary_keep(&temporary));
done:
  ls_temporary_fini(&temporary);
  ls_directory_close(&folder);
  return status;
}
