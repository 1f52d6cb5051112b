/* SPDX-License-Identifier: BSD-3-Clause */
/* Datasets that are written. */
#include "base/size.h"
#include "h5/internal.h"

enum { CHUNK_BYTES = 1 << 24, DEFLATE_LEVEL = 6 };

/* Chunks of whole rows, as checksums need chunks: small enough for HDF5's limits, few enough to be one
 * usually. */
static void choose_chunk(const ls_h5_plan *plan, size_t element_bytes, hsize_t *chunk)
{
  size_t row_bytes = element_bytes;
  for (size_t i = 0; i < plan->dim_count; i++) {
    chunk[i] = plan->dims[i] > 0 ? plan->dims[i] : 1;
    if (i > 0) row_bytes *= (size_t)chunk[i];
  }
  const size_t rows = plan->packed_rows > 0 ? plan->packed_rows : ls_size_max(CHUNK_BYTES / row_bytes, 1);
  chunk[0] = ls_size_min((size_t)chunk[0], rows);
}

/* An unlimited first dimension is what lets a chunked dataset be empty. */
static hid_t make_space(const ls_h5_plan *plan)
{
  hsize_t extents[LS_H5_MAX_RANK], most[LS_H5_MAX_RANK];
  ls_h5_extents(plan->dims, plan->dim_count, extents);
  ls_h5_extents(plan->dims, plan->dim_count, most);
  if (plan->dims[0] == 0) most[0] = H5S_UNLIMITED;
  return H5Screate_simple((int)plan->dim_count, extents, most);
}

/* Bytes of the same significance lie together before they are compressed. Times are left out, so that the
 * same contents make the same file. */
static bool set_packing(hid_t creation)
{
  return H5Pset_shuffle(creation) >= 0 && H5Pset_deflate(creation, DEFLATE_LEVEL) >= 0 &&
         H5Pset_obj_track_times(creation, 0) >= 0;
}

static void describe(ls_h5_data *out, hid_t parent, const char *name, const ls_h5_plan *plan)
{
  *out = LS_H5_DATA_CLOSED;
  ls_h5_path(parent, name, out->path);
  out->dim_count = plan->dim_count;
  out->count = 1;
  for (size_t i = 0; i < plan->dim_count; i++) {
    out->dims[i] = plan->dims[i];
    out->count *= plan->dims[i];
  }
}

ls_status ls_h5_data_make_of(ls_h5_data *out, hid_t parent, const char *name, hid_t type,
                             const ls_h5_plan *plan)
{
  describe(out, parent, name, plan);
  hsize_t chunk[LS_H5_MAX_RANK];
  choose_chunk(plan, H5Tget_size(type), chunk);
  hid_t space = make_space(plan), creation = H5Pcreate(H5P_DATASET_CREATE);
  if (space >= 0 && creation >= 0 && H5Pset_chunk(creation, (int)plan->dim_count, chunk) >= 0 &&
      (plan->packed_rows == 0 || set_packing(creation)) && H5Pset_fletcher32(creation) >= 0)
    out->id = H5Dcreate2(parent, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  ls_status status = LS_OK;
  if (out->id < 0) status = ls_h5_fail(LS_E_MEMORY, "cannot make dataset %s", out->path);
  ls_h5_release(creation);
  ls_h5_release(space);
  return status;
}

ls_status ls_h5_data_make(ls_h5_data *out, ls_h5_id parent, const char *name, const ls_h5_plan *plan)
{
  return ls_h5_data_make_of(out, parent, name, ls_h5_file_type(plan->number), plan);
}

static ls_status written(const ls_h5_data *data, bool is_written)
{
  return is_written ? LS_OK : ls_h5_fail(LS_E_MEMORY, "cannot write dataset %s", data->path);
}

ls_status ls_h5_data_write_as(const ls_h5_data *data, hid_t type, const void *values)
{
  if (data->count == 0) return LS_OK;
  return written(data, H5Dwrite(data->id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
}

ls_status ls_h5_data_write(const ls_h5_data *data, ls_h5_number number, const void *values)
{
  return ls_h5_data_write_as(data, ls_h5_memory_type(number), values);
}

ls_status ls_h5_data_write_rows(const ls_h5_data *data, ls_h5_number number, size_t first, size_t count,
                                const void *values)
{
  const hsize_t start[LS_H5_MAX_RANK] = {first};
  hsize_t shape[LS_H5_MAX_RANK];
  if (data->count == 0 || count == 0) return LS_OK;
  ls_h5_extents(data->dims, data->dim_count, shape);
  shape[0] = count;
  hid_t all = H5Dget_space(data->id), block = H5Screate_simple((int)data->dim_count, shape, NULL);
  const bool is_written = all >= 0 && block >= 0 &&
                          H5Sselect_hyperslab(all, H5S_SELECT_SET, start, NULL, shape, NULL) >= 0 &&
                          H5Dwrite(data->id, ls_h5_memory_type(number), block, all, H5P_DEFAULT, values) >= 0;
  const ls_status status = written(data, is_written);
  ls_h5_release(block);
  ls_h5_release(all);
  return status;
}

ls_status ls_h5_data_put(ls_h5_id parent, const char *name, const ls_h5_plan *plan, const void *values)
{
  ls_h5_data data;
  ls_status status = ls_h5_data_make(&data, parent, name, plan);
  if (status == LS_OK) status = ls_h5_data_write(&data, plan->number, values);
  return ls_h5_close(data.id, status);
}
