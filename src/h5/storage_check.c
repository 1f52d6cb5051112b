/* SPDX-License-Identifier: BSD-3-Clause */
/* Do the bytes of a dataset lie in its file, as many as it declares? Checked before any is read. */
#include <inttypes.h>

#include "base/size.h"
#include "h5/chunks.h"

enum {
  SUM_BYTES = 4,
  LEAST_CHUNK_BYTES = 1 << 20,
  DEFLATE_RATIO = 1032, /* the most that deflate can compress */
  SLACK_BYTES = 1 << 16 /* for the headers of short streams */
};

/* ---- what we write ourselves ---- */

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
  chunks->stored_bytes = data->element.bytes;
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

/* HDF5 trusts the file on the bytes that a chunk is stored in, and reads beyond its buffers if they are too
 * few. */
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

static ls_status find_length(const ls_h5_data *data, uint64_t *bytes)
{
  LS_TRY(ls_h5_file_length(data->id, bytes), "dataset %s", data->path);
  return LS_OK;
}

static ls_status check_plain(ls_h5_data *data, hid_t creation)
{
  const char *oddity = find_oddity(creation);
  if (oddity)
    return ls_fail(LS_E_INPUT, "dataset %s: %s; lockstep stores its own plainly in the file", data->path,
                   oddity);
  uint64_t whole;
  const uint64_t stored = H5Dget_storage_size(data->id);
  LS_PASS(find_length(data, &whole));
  if (data->bytes > whole || data->bytes > stored)
    return ls_fail(LS_E_INPUT, "dataset %s: it declares %zu bytes, but only %llu are in the file", data->path,
                   data->bytes, (unsigned long long)(stored < whole ? stored : whole));
  return check_chunks(data, creation);
}

/* ---- what others write ---- */

/* All filters are passed in turn; a chunk of a small dataset may be larger than that. */
static ls_status find_expanded(ls_h5_data *data, hid_t creation, uint64_t most)
{
  LS_TRY(ls_h5_chunks_make(&data->chunks, creation, data, most), "dataset %s", data->path);
  return LS_OK;
}

static ls_status check_foreign(ls_h5_data *data, hid_t creation)
{
  size_t added;
  const bool is_expanded =
      data->count > 0 && H5Pget_layout(creation) == H5D_CHUNKED && !filters_are_plain(creation, &added);
  return is_expanded ? find_expanded(data, creation, ls_size_max(data->bytes, LEAST_CHUNK_BYTES))
                     : check_plain(data, creation);
}

/* The largest number of bytes that `stored` bytes can stand for: only chunks are ever compressed. */
static uint64_t expansion_of(hid_t creation, uint64_t stored)
{
  uint64_t most = stored;
  if (H5Pget_layout(creation) == H5D_CHUNKED && H5Pget_nfilters(creation) > 0 &&
      (__builtin_mul_overflow(stored, (uint64_t)DEFLATE_RATIO, &most) ||
       __builtin_add_overflow(most, (uint64_t)SLACK_BYTES, &most)))
    most = UINT64_MAX;
  return most;
}

static ls_status check_storage(ls_h5_data *data, hid_t creation)
{
  if (H5Pget_layout(creation) == H5D_VIRTUAL || H5Pget_external_count(creation) > 0)
    return ls_fail(LS_E_INPUT,
                   "dataset %s: it lies in other files: only what lies in the file itself is read",
                   data->path);
  uint64_t whole;
  const uint64_t stored = H5Dget_storage_size(data->id), most = expansion_of(creation, stored);
  LS_PASS(find_length(data, &whole));
  if (stored > whole || data->bytes > most)
    return ls_fail(LS_E_INPUT,
                   "dataset %s: it declares %zu bytes, but the file of %" PRIu64 " bytes holds only %" PRIu64
                   " for it: it is damaged or was never completed",
                   data->path, data->bytes, whole, stored);
  return H5Pget_layout(creation) == H5D_CHUNKED ? find_expanded(data, creation, most) : LS_OK;
}

/* ---- the checks ---- */

typedef ls_status (*storage_check)(ls_h5_data *data, hid_t creation);

static ls_status check(ls_h5_data *data, storage_check how)
{
  hid_t creation = H5Dget_create_plist(data->id);
  if (creation < 0) return ls_h5_fail(LS_E_INPUT, "dataset %s", data->path);
  const ls_status status = how(data, creation);
  ls_h5_release(creation);
  return status;
}

ls_status ls_h5_data_check_plain(ls_h5_data *data)
{
  return check(data, check_plain);
}

ls_status ls_h5_data_check_foreign(ls_h5_data *data)
{
  return check(data, check_foreign);
}

ls_status ls_h5_data_check_storage(ls_h5_data *data)
{
  return check(data, check_storage);
}

ls_status ls_h5_data_find_chunks(const ls_h5_data *data)
{
  if (data->chunks) LS_TRY(ls_h5_chunks_find(data->chunks), "dataset %s", data->path);
  return LS_OK;
}
