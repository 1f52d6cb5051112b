/* SPDX-License-Identifier: BSD-3-Clause */
/* Datasets: the checks before one is read, and the making of new ones. */
#include <stdio.h>
#include <string.h>

#include "base/size.h"
#include "h5/block.h"
#include "h5/chunks.h"
#include "h5/h5.h"

enum { CHUNK_BYTES = 1 << 24, SUM_BYTES = 4, LEAST_CHUNK_BYTES = 1 << 20 };

void ls_h5_shape_text(const hsize_t *dims, size_t dim_count, char text[LS_H5_SHAPE_BYTES])
{
  size_t length = 1;
  snprintf(text, LS_H5_SHAPE_BYTES, "[");
  for (size_t i = 0; i < dim_count && length < LS_H5_SHAPE_BYTES; i++)
    length += (size_t)snprintf(text + length, LS_H5_SHAPE_BYTES - length, "%s%llu", i ? "," : "",
                               (unsigned long long)dims[i]);
  length = ls_size_min(length, LS_H5_SHAPE_BYTES - 2);
  snprintf(text + length, LS_H5_SHAPE_BYTES - length, "]");
}

/* ---- reading ---- */

/* Filters that leave the number of bytes as it is, or add so many for a checksum; all others could make a
 * small file claim a huge dataset. */
static bool filters_are_plain(hid_t creation, size_t *added)
{
  int count = H5Pget_nfilters(creation);
  bool plain = count >= 0;
  *added = 0;
  for (int i = 0; plain && i < count; i++) {
    unsigned flags, config;
    size_t value_count = 0;
    H5Z_filter_t filter = H5Pget_filter2(creation, (unsigned)i, &flags, &value_count, NULL, 0, NULL, &config);
    plain = filter == H5Z_FILTER_FLETCHER32 || filter == H5Z_FILTER_SHUFFLE;
    *added += filter == H5Z_FILTER_FLETCHER32 ? SUM_BYTES : 0;
  }
  return plain;
}

/* How a dataset is cut into chunks. */
typedef struct grid {
  hsize_t chunk[LS_H5_MAX_RANK]; /* shape of one */
  hsize_t stored_bytes;          /* of each */
} grid;

static bool measure_grid(const ls_h5_data *data, hid_t creation, grid *chunks)
{
  const int rank = (int)data->dim_count;
  size_t added;
  bool fits = filters_are_plain(creation, &added) && H5Pget_chunk(creation, rank, chunks->chunk) == rank;
  chunks->stored_bytes = H5Tget_size(data->type);
  for (int i = 0; fits && i < rank; i++)
    fits = chunks->chunk[i] > 0 &&
           !__builtin_mul_overflow(chunks->stored_bytes, chunks->chunk[i], &chunks->stored_bytes);
  return fits && !__builtin_add_overflow(chunks->stored_bytes, added, &chunks->stored_bytes);
}

/* Go to the chunk after the one at `offset`, the last dimension first; false after the last one. */
static bool next_chunk(const ls_h5_data *data, const grid *chunks, hsize_t *offset)
{
  for (size_t i = data->dim_count; i-- > 0;) {
    offset[i] += chunks->chunk[i];
    if (offset[i] < data->dims[i]) return true;
    offset[i] = 0;
  }
  return false;
}

/* HDF5 takes the file's word for the bytes that a chunk is stored in, and reads beyond its buffers if they
 * are too few. */
static ls_status check_chunks(const ls_h5_data *data, hid_t creation)
{
  grid chunks;
  hsize_t offset[LS_H5_MAX_RANK] = {0}, bytes = 0;
  if (H5Pget_layout(creation) != H5D_CHUNKED || data->count == 0) return LS_OK;
  bool is_whole = measure_grid(data, creation, &chunks);
  while (is_whole) { /* not H5Dget_chunk_info_by_coord(), which walks through the whole index at each call */
    if (H5Dget_chunk_storage_size(data->id, offset, &bytes) < 0)
      return ls_h5_fail(LS_E_INPUT, "dataset %s: its chunks cannot be found", data->path);
    is_whole = bytes == chunks.stored_bytes;
    if (is_whole && !next_chunk(data, &chunks, offset)) return LS_OK;
  }
  return ls_fail(LS_E_INPUT, "dataset %s: damaged: its chunks are not as large as they must be", data->path);
}

/* Why the bytes of the dataset are not simply in this file; NULL if they are. */
static const char *find_oddity(hid_t creation)
{
  size_t added;
  if (H5Pget_layout(creation) == H5D_VIRTUAL) return "it is a view of other datasets";
  if (H5Pget_external_count(creation) != 0) return "its contents lie in other files";
  if (!filters_are_plain(creation, &added)) return "it is compressed";
  return NULL;
}

static ls_status find_file_bytes(const ls_h5_data *data, hsize_t *bytes)
{
  hid_t file = H5Iget_file_id(data->id);
  ls_status status = LS_OK;
  if (file < 0 || H5Fget_filesize(file, bytes) < 0)
    status = ls_h5_fail(LS_E_INPUT, "dataset %s: the length of its file is unknown", data->path);
  ls_h5_release(file);
  return status;
}

static ls_status check_plain(const ls_h5_data *data, hid_t creation)
{
  const char *oddity = find_oddity(creation);
  if (oddity)
    return ls_fail(LS_E_INPUT, "dataset %s: %s; lockstep stores its own plainly in the file", data->path,
                   oddity);
  hsize_t whole, stored = H5Dget_storage_size(data->id);
  LS_PASS(find_file_bytes(data, &whole));
  if (data->bytes > whole || data->bytes > stored)
    return ls_fail(LS_E_INPUT, "dataset %s: it declares %zu bytes, but only %llu are in the file", data->path,
                   data->bytes, (unsigned long long)(stored < whole ? stored : whole));
  return check_chunks(data, creation);
}

ls_status ls_h5_data_check_plain(const ls_h5_data *data)
{
  hid_t creation = H5Dget_create_plist(data->id);
  if (creation < 0) return ls_h5_fail(LS_E_INPUT, "dataset %s", data->path);
  ls_status status = check_plain(data, creation);
  ls_h5_release(creation);
  return status;
}

/* All filters are passed in turn; a chunk of a small dataset may be larger than that. */
static ls_status check_expanded(const ls_h5_data *data, hid_t creation)
{
  ls_h5chunks chunks;
  ls_status status;
  LS_GO(ls_h5chunks_init(&chunks, data->id, creation, data->dims, H5Tget_size(data->type),
                         ls_size_max(data->bytes, LEAST_CHUNK_BYTES)));
  LS_GO(ls_h5chunks_check(&chunks, data->id, 0, (size_t)data->dims[0]));
done:
  ls_h5chunks_fini(&chunks);
  return status == LS_OK ? LS_OK : ls_wrap(status, "dataset %s", data->path);
}

ls_status ls_h5_data_check_foreign(const ls_h5_data *data)
{
  size_t added;
  hid_t creation = H5Dget_create_plist(data->id);
  if (creation < 0) return ls_h5_fail(LS_E_INPUT, "dataset %s", data->path);
  const bool is_expanded =
      data->count > 0 && H5Pget_layout(creation) == H5D_CHUNKED && !filters_are_plain(creation, &added);
  ls_status status = is_expanded ? check_expanded(data, creation) : check_plain(data, creation);
  ls_h5_release(creation);
  return status;
}

ls_status ls_h5_data_check_floats(const ls_h5_data *data)
{
  if (H5Tget_class(data->type) == H5T_FLOAT && H5Tget_size(data->type) == sizeof(float)) return LS_OK;
  return ls_fail(LS_E_INPUT, "dataset %s: type float32 expected, another found", data->path);
}

ls_status ls_h5_data_check_shape(const ls_h5_data *data, const size_t *dims, size_t dim_count)
{
  bool same = dim_count == data->dim_count;
  hsize_t wanted[LS_H5_MAX_RANK];
  for (size_t i = 0; i < dim_count; i++) {
    wanted[i] = dims[i];
    same = same && dims[i] == data->dims[i];
  }
  if (same) return LS_OK;
  char expected[LS_H5_SHAPE_BYTES], found[LS_H5_SHAPE_BYTES];
  ls_h5_shape_text(wanted, dim_count, expected);
  ls_h5_shape_text(data->dims, data->dim_count, found);
  return ls_fail(LS_E_INPUT, "dataset %s: shape %s expected, %s found", data->path, expected, found);
}

ls_status ls_h5_data_read(const ls_h5_data *data, hid_t type, void *out)
{
  if (data->count == 0) return LS_OK;
  const hsize_t start[LS_H5_MAX_RANK] = {0};
  const ls_status status = ls_h5_block_read(data->id, type, (int)data->dim_count, start, data->dims, out);
  if (status == LS_E_INPUT) return ls_wrap(status, "dataset %s: damaged", data->path);
  return status == LS_OK ? LS_OK : ls_wrap(status, "dataset %s", data->path);
}

/* ---- writing ---- */

/* Chunks of whole rows, as checksums need chunks: small enough for HDF5's limits, few enough to be one
 * usually. */
static void choose_chunk(const hsize_t *dims, size_t dim_count, size_t element_bytes, hsize_t *chunk)
{
  size_t row_bytes = element_bytes;
  for (size_t i = 0; i < dim_count; i++) {
    chunk[i] = dims[i] > 0 ? dims[i] : 1;
    if (i > 0) row_bytes *= (size_t)chunk[i];
  }
  size_t rows = ls_size_max(CHUNK_BYTES / row_bytes, 1);
  chunk[0] = ls_size_min((size_t)chunk[0], rows);
}

/* An unlimited first dimension is what lets a chunked dataset be empty. */
static hid_t make_space(const ls_h5_data *data)
{
  hsize_t most[LS_H5_MAX_RANK];
  memcpy(most, data->dims, sizeof most);
  if (data->dims[0] == 0) most[0] = H5S_UNLIMITED;
  return H5Screate_simple((int)data->dim_count, data->dims, most);
}

ls_status ls_h5_data_make(ls_h5_data *out, hid_t parent, const char *name, hid_t file_type,
                          const size_t *dims, size_t dim_count)
{
  *out = (ls_h5_data){.id = H5I_INVALID_HID, .type = H5I_INVALID_HID, .dim_count = dim_count, .count = 1};
  ls_h5_path(parent, name, out->path);
  for (size_t i = 0; i < dim_count; i++) {
    out->dims[i] = dims[i];
    out->count *= dims[i];
  }
  hsize_t chunk[LS_H5_MAX_RANK];
  choose_chunk(out->dims, dim_count, H5Tget_size(file_type), chunk);
  hid_t space = make_space(out), creation = H5Pcreate(H5P_DATASET_CREATE);
  if (space >= 0 && creation >= 0 && H5Pset_chunk(creation, (int)dim_count, chunk) >= 0 &&
      H5Pset_fletcher32(creation) >= 0)
    out->id = H5Dcreate2(parent, name, file_type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  ls_status status = LS_OK;
  if (out->id < 0) status = ls_h5_fail(LS_E_MEMORY, "cannot make dataset %s", out->path);
  ls_h5_release(creation);
  ls_h5_release(space);
  return status;
}

ls_status ls_h5_data_write(const ls_h5_data *data, hid_t memory_type, const void *values)
{
  if (data->count == 0) return LS_OK;
  if (H5Dwrite(data->id, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
    return ls_h5_fail(LS_E_MEMORY, "cannot write dataset %s", data->path);
  return LS_OK;
}
