/* SPDX-License-Identifier: BSD-3-Clause */
/* Datasets that are read: what they declare, and their elements. */
#include <stdio.h>

#include "base/size.h"
#include "h5/chunks.h"

void ls_h5_shape_text(const size_t *dims, size_t dim_count, char text[LS_H5_SHAPE_BYTES])
{
  size_t length = 1;
  snprintf(text, LS_H5_SHAPE_BYTES, "[");
  for (size_t i = 0; i < dim_count && length < LS_H5_SHAPE_BYTES; i++)
    length += (size_t)snprintf(text + length, LS_H5_SHAPE_BYTES - length, "%s%zu", i ? "," : "", dims[i]);
  length = ls_size_min(length, LS_H5_SHAPE_BYTES - 2);
  snprintf(text + length, LS_H5_SHAPE_BYTES - length, "]");
}

/* Shape of an open dataset, with products that do not overflow. */
static ls_status read_shape(ls_h5_data *data)
{
  hid_t space = H5Dget_space(data->id);
  int rank = space >= 0 && H5Sis_simple(space) > 0 ? H5Sget_simple_extent_ndims(space) : -1;
  hsize_t dims[LS_H5_MAX_RANK];
  bool sound = rank >= 0 && H5Sget_simple_extent_type(space) != H5S_NULL &&
               H5Sget_simple_extent_dims(space, dims, NULL) == rank;
  ls_h5_release(space);
  if (!sound) return ls_h5_fail(LS_E_INPUT, "dataset %s: it has no shape", data->path);
  data->dim_count = (size_t)rank;
  data->count = 1;
  data->bytes = data->element.bytes;
  bool fits = data->bytes > 0;
  for (size_t i = 0; i < data->dim_count; i++) {
    data->dims[i] = (size_t)dims[i];
    fits = fits && data->dims[i] == dims[i] && ls_size_mul(data->count, data->dims[i], &data->count) &&
           ls_size_mul(data->bytes, data->dims[i], &data->bytes);
  }
  if (!fits || data->bytes > SIZE_MAX / 2) {
    char shape[LS_H5_SHAPE_BYTES];
    ls_h5_shape_text(data->dims, data->dim_count, shape);
    return ls_fail(LS_E_INPUT, "dataset %s: its shape %s is impossibly large", data->path, shape);
  }
  return LS_OK;
}

ls_status ls_h5_data_open(ls_h5_data *data, ls_h5_id parent, const char *name)
{
  *data = LS_H5_DATA_CLOSED;
  ls_h5_path(parent, name, data->path);
  LS_PASS(ls_h5_member_open(&data->id, parent, name, H5I_DATASET, "dataset"));
  data->type = H5Dget_type(data->id);
  data->element = ls_h5_element_of(data->type);
  ls_status status = data->type < 0
                         ? ls_h5_fail(LS_E_INPUT, "dataset %s: its type cannot be read", data->path)
                         : read_shape(data);
  if (status != LS_OK) ls_h5_data_close(data);
  return status;
}

void ls_h5_data_close(ls_h5_data *data)
{
  ls_h5_chunks_free(data->chunks);
  ls_h5_release(data->type);
  ls_h5_release(data->id);
  *data = LS_H5_DATA_CLOSED;
}

ls_status ls_h5_data_check_floats(const ls_h5_data *data)
{
  if (data->element.class == LS_H5_REAL && data->element.bytes == sizeof(float)) return LS_OK;
  return ls_fail(LS_E_INPUT, "dataset %s: type float32 expected, another found", data->path);
}

ls_status ls_h5_data_check_shape(const ls_h5_data *data, const size_t *dims, size_t dim_count)
{
  bool same = dim_count == data->dim_count;
  for (size_t i = 0; same && i < dim_count; i++) same = dims[i] == data->dims[i];
  if (same) return LS_OK;
  char expected[LS_H5_SHAPE_BYTES], found[LS_H5_SHAPE_BYTES];
  ls_h5_shape_text(dims, dim_count, expected);
  ls_h5_shape_text(data->dims, data->dim_count, found);
  return ls_fail(LS_E_INPUT, "dataset %s: shape %s expected, %s found", data->path, expected, found);
}

/* ---- reading ---- */

/* A block of whole rows; of everything where there are no dimensions. */
static ls_status read_block(const ls_h5_data *data, hid_t type, size_t first, size_t count, void *out)
{
  const hsize_t start[LS_H5_MAX_RANK] = {first};
  hsize_t shape[LS_H5_MAX_RANK];
  if (data->count == 0 || (data->dim_count > 0 && count == 0)) return LS_OK;
  if (data->chunks) LS_TRY(ls_h5_chunks_check(data->chunks, first, count), "dataset %s", data->path);
  ls_h5_extents(data->dims, data->dim_count, shape);
  if (data->dim_count > 0) shape[0] = count;
  const ls_status status = ls_h5_block_read(data->id, type, (int)data->dim_count, start, shape, out);
  if (status == LS_E_INPUT) return ls_wrap(status, "dataset %s: damaged", data->path);
  return status == LS_OK ? LS_OK : ls_wrap(status, "dataset %s", data->path);
}

ls_status ls_h5_data_read_as(const ls_h5_data *data, hid_t type, void *out)
{
  return read_block(data, type, 0, data->dims[0], out);
}

ls_status ls_h5_data_read(const ls_h5_data *data, ls_h5_number number, void *out)
{
  return ls_h5_data_read_as(data, ls_h5_memory_type(number), out);
}

ls_status ls_h5_data_read_rows(const ls_h5_data *data, ls_h5_number number, size_t first, size_t count,
                               void *out)
{
  return read_block(data, ls_h5_memory_type(number), first, count, out);
}
