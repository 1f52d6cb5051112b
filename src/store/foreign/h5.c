/* SPDX-License-Identifier: BSD-3-Clause */
/* HDF5: our checkpoints, of which the moving average counts, if there is one; and state dicts that h5py has
 * written. */
#include <stdio.h>
#include <string.h>

#include "store/foreign/reader.h"
#include "store/internal.h"

typedef struct walker {
  const ls_foreign_file *file;
  const ls_foreign_visitor *visitor;
  size_t root_length; /* characters of the path of the group that is walked through */
  bool is_selected;   /* what is walked through is what the file's key names */
} walker;

static ls_status read_dataset(const ls_foreign_tensor *tensor, float *values)
{
  LS_PASS(ls_h5_data_check_foreign(tensor->source));
  return ls_h5_data_read(tensor->source, LS_H5_FLOAT32, values);
}

/* float16, bfloat16 where it has a type of its own, float32, float64: all become float32. */
static ls_status take(const walker *self, ls_h5_data *data)
{
  const bool is_real = data->element.class == LS_H5_REAL && data->element.bytes <= sizeof(double);
  ls_foreign_tensor tensor = {.noun = "dataset",
                              .dim_count = data->dim_count,
                              .count = data->count,
                              .is_real = is_real,
                              .read = read_dataset,
                              .source = data};
  snprintf(tensor.place, sizeof tensor.place, "%s", data->path);
  memcpy(tensor.dims, data->dims, sizeof tensor.dims);
  return self->visitor->take(self->visitor->user, &tensor);
}

static ls_status visit(void *user, const ls_h5_entry *entry)
{
  const walker *self = user;
  if (entry->type != LS_H5_DATASET) return LS_OK;
  const char *name = entry->path + self->root_length + 1;
  if (!self->is_selected) name = ls_foreign_select(self->file, name);
  if (!name || !self->visitor->wants(self->visitor->user, name)) return LS_OK;
  ls_h5_data data;
  LS_PASS(ls_h5_data_open(&data, entry->parent, entry->name));
  const ls_status status = take(self, &data);
  ls_h5_data_close(&data);
  return status;
}

static ls_status walk_checkpoint(ls_h5_id file, walker *self)
{
  ls_h5_id group;
  LS_PASS(ls_format_check(file, LS_CHECKPOINT_FORMAT));
  bool has_average;
  LS_PASS(ls_h5_has(file, "ema", &has_average));
  const char *name = self->file->key ? self->file->key : has_average ? "ema" : "model";
  self->root_length = strlen("/") + strlen(name);
  self->is_selected = true;
  LS_PASS(ls_h5_group_open(&group, file, name));
  const ls_status status = ls_h5_walk(group, visit, self);
  ls_h5_release(group);
  return status;
}

/* A file that says what it is must be a checkpoint; any other one may be a state dict. */
static ls_status walk_open(ls_h5_id file, void *user)
{
  walker *self = user;
  bool has_format;
  self->visitor->start(self->visitor->user);
  self->root_length = 0;
  self->is_selected = false;
  LS_PASS(ls_h5_has_attribute(file, "format", &has_format));
  return has_format ? walk_checkpoint(file, self) : ls_h5_walk(file, visit, self);
}

/* Tensors may be stored in few bytes, but they are looked at, expanded and converted as a whole. */
static ls_status walk(const ls_foreign_file *file, const ls_foreign_visitor *visitor)
{
  walker self = {.file = file, .visitor = visitor};
  return ls_h5_read_work(file->path, file->work_bytes, walk_open, &self);
}

static const unsigned char signature[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1A, '\n'};

/* At the start, or behind a block of its user's: 512 bytes, or twice as many, and so on. */
static bool recognises(const ls_foreign_file *file)
{
  for (size_t at = 0; at < file->count && file->count - at >= sizeof signature; at = at ? 2 * at : 512)
    if (memcmp(file->bytes + at, signature, sizeof signature) == 0) return true;
  return false;
}

static const char *const extensions[] = {".h5", ".hdf5", NULL};

const ls_foreign_reader ls_foreign_reader_h5 = {
    .name = "HDF5", .extensions = extensions, .recognises = recognises, .walk = walk};
