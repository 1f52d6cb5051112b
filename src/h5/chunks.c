/* SPDX-License-Identifier: BSD-3-Clause */
/* Checking chunks. A chunk is inflated into a small buffer to count its bytes: that costs about as much as
 * reading it once. Chunks are looked up by H5Dget_chunk_storage_size(): H5Dget_chunk_info_by_coord() walks
 * through the whole index of libhdf5 1.10 at each call. */
#include "h5/chunks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/memory.h"
#include "base/size.h"

/* The grid of chunks of a dataset, and which of them are checked. */
struct ls_h5_chunks {
  hid_t dataset; /* borrowed */
  int rank;
  hsize_t shape[LS_H5_MAX_RANK]; /* of a chunk */
  size_t along[LS_H5_MAX_RANK];  /* chunks along each dimension */
  size_t count;                  /* all chunks */
  size_t bytes;                  /* of a chunk, as it is read */
  bool is_filtered, is_deflated;
  size_t sum_bytes[2]; /* of the checksums before and after deflation */
  bool *is_checked;    /* [count]; owned */
};

enum { SUM_BYTES = 4, PORTION_BYTES = 1 << 14, LZF = 32000 /* h5py's */ };

/* ---- the whole ---- */

/* h5repack knows HDF5's own filters; others, as LZF, come with the program that wrote the file. */
static ls_status fail_filter(H5Z_filter_t filter)
{
  const char *remedy = filter < H5Z_FILTER_RESERVED
                           ? "h5repack -f GZIP=4 FILE NEW"
                           : "write it anew where it was written, in h5py by create_dataset(NAME, "
                             "data=old[NAME][()], compression='gzip')";
  return ls_fail(LS_E_INPUT,
                 "its chunks are compressed by filter %d%s; only deflate (once), shuffle and Fletcher-32 are "
                 "supported; try: %s",
                 (int)filter, filter == LZF ? " (LZF)" : "", remedy);
}

/* The filters of a chunk in the order of writing; reading applies them in reverse. */
static ls_status read_filters(ls_h5_chunks *chunks, hid_t properties)
{
  const int count = H5Pget_nfilters(properties);
  chunks->is_filtered = count > 0;
  for (int i = 0; i < count; i++) {
    unsigned flags, config;
    size_t values = 0;
    H5Z_filter_t filter = H5Pget_filter2(properties, (unsigned)i, &flags, &values, NULL, 0, NULL, &config);
    if (filter == H5Z_FILTER_FLETCHER32)
      chunks->sum_bytes[chunks->is_deflated] += SUM_BYTES;
    else if (filter == H5Z_FILTER_DEFLATE && !chunks->is_deflated)
      chunks->is_deflated = true;
    else if (filter != H5Z_FILTER_SHUFFLE)
      return fail_filter(filter);
  }
  return LS_OK;
}

/* The size of a chunk, and the grid of them. */
static ls_status measure(ls_h5_chunks *chunks, hid_t properties, const size_t *dims, uint64_t most)
{
  bool fits = H5Pget_chunk(properties, chunks->rank, chunks->shape) == chunks->rank;
  chunks->count = 1;
  for (int i = 0; fits && i < chunks->rank; i++) {
    const size_t extent = (size_t)chunks->shape[i];
    chunks->along[i] = extent > 0 ? ls_size_ceil_div(dims[i], extent) : 0;
    fits = extent > 0 && ls_size_mul(chunks->bytes, extent, &chunks->bytes) &&
           ls_size_mul(chunks->count, chunks->along[i], &chunks->count);
  }
  if (fits && chunks->bytes <= most) return LS_OK;
  return ls_fail(LS_E_INPUT, "its chunks are larger than the file can fill");
}

static ls_status check_written(const ls_h5_chunks *chunks)
{
  hsize_t written = 0;
  hid_t space = H5Dget_space(chunks->dataset);
  herr_t code = H5Dget_num_chunks(chunks->dataset, space, &written);
  H5Sclose(space);
  if (code < 0) return ls_h5_fail(LS_E_INPUT, "its chunks cannot be counted");
  if (written == chunks->count) return LS_OK;
  return ls_fail(LS_E_INPUT, "it is incomplete: %" PRIuHSIZE " of its %zu chunks were written", written,
                 chunks->count);
}

/* ---- each one ---- */

/* Where a chunk begins, the last dimension first. */
static void find_corner(const ls_h5_chunks *chunks, size_t number, hsize_t *offset)
{
  for (int i = chunks->rank; i-- > 0;) {
    offset[i] = number % chunks->along[i] * chunks->shape[i];
    number /= chunks->along[i];
  }
}

/* The bytes that a chunk is stored in; the index, which has them, has no checksum. */
static ls_status find_stored(const ls_h5_chunks *chunks, const hsize_t *offset, hsize_t *bytes)
{
  if (H5Dget_chunk_storage_size(chunks->dataset, offset, bytes) < 0)
    return ls_h5_fail(LS_E_INPUT, "its chunks cannot be found");
  const size_t whole = chunks->bytes + chunks->sum_bytes[0]; /* if it is not deflated */
  if (*bytes > chunks->sum_bytes[1] && (chunks->is_deflated || *bytes == whole)) return LS_OK;
  return ls_fail(LS_E_INPUT, "the index of its chunks is damaged");
}

/* Check that a zlib stream expands to just `wanted` bytes. */
static ls_status check_size(const uint8_t *data, size_t bytes, size_t wanted)
{
  uint8_t portion[PORTION_BYTES];
  z_stream stream = {.next_in = (uint8_t *)(uintptr_t)data, .avail_in = (uInt)bytes};
  int code = inflateInit(&stream);
  while (code == Z_OK && stream.total_out <= wanted) {
    stream.next_out = portion;
    stream.avail_out = sizeof portion;
    code = inflate(&stream, Z_NO_FLUSH);
  }
  const bool fits = code == Z_STREAM_END && stream.total_out == wanted;
  (void)inflateEnd(&stream);
  if (code == Z_MEM_ERROR) return ls_fail(LS_E_MEMORY, "no memory to expand a chunk");
  return fits ? LS_OK
              : ls_fail(LS_E_INPUT, "a chunk is damaged: it does not expand to its %zu bytes", wanted);
}

/* A chunk records the filters that were skipped for it: none may be. */
static ls_status check_stream(const ls_h5_chunks *chunks, const hsize_t *offset, hsize_t stored)
{
  uint8_t *data;
  uint32_t skipped;
  LS_PASS(ls_alloc(&data, (size_t)stored, 1, "a chunk"));
  ls_status status = LS_OK;
  if (H5Dread_chunk(chunks->dataset, H5P_DEFAULT, offset, &skipped, data) < 0)
    status = ls_h5_fail(LS_E_INPUT, "a chunk cannot be read");
  else if (skipped != 0)
    status = ls_fail(LS_E_INPUT, "the index of its chunks is damaged");
  else if (chunks->is_deflated)
    status = check_size(data, (size_t)stored - chunks->sum_bytes[1], chunks->bytes + chunks->sum_bytes[0]);
  free(data);
  return status;
}

static ls_status check_chunk(const ls_h5_chunks *chunks, size_t number)
{
  hsize_t offset[LS_H5_MAX_RANK], stored;
  find_corner(chunks, number, offset);
  LS_PASS(find_stored(chunks, offset, &stored));
  return chunks->is_filtered ? check_stream(chunks, offset, stored) : LS_OK;
}

ls_status ls_h5_chunks_check(ls_h5_chunks *chunks, size_t first, size_t count)
{
  const size_t rows = (size_t)chunks->shape[0], per_row = chunks->count / chunks->along[0];
  const size_t end = ((first + count - 1) / rows + 1) * per_row;
  for (size_t i = first / rows * per_row; i < end; i++) {
    if (!chunks->is_checked[i]) LS_PASS(check_chunk(chunks, i));
    chunks->is_checked[i] = true;
  }
  return LS_OK;
}

ls_status ls_h5_chunks_find(const ls_h5_chunks *chunks)
{
  hsize_t offset[LS_H5_MAX_RANK], stored;
  for (size_t i = 0; i < chunks->count; i++) {
    find_corner(chunks, i, offset);
    LS_PASS(find_stored(chunks, offset, &stored));
  }
  return LS_OK;
}

static ls_status init(ls_h5_chunks *chunks, hid_t properties, const ls_h5_data *data, uint64_t most)
{
  chunks->dataset = data->id;
  chunks->bytes = data->element.bytes;
  chunks->rank = H5Pget_chunk(properties, 0, NULL);
  LS_PASS(read_filters(chunks, properties));
  LS_PASS(measure(chunks, properties, data->dims, most));
  LS_PASS(check_written(chunks));
  return ls_alloc(&chunks->is_checked, chunks->count, sizeof *chunks->is_checked, "the chunks of a dataset");
}

ls_status ls_h5_chunks_make(ls_h5_chunks **chunks, hid_t properties, const ls_h5_data *data, uint64_t most)
{
  LS_PASS(ls_alloc(chunks, 1, sizeof **chunks, "the chunks of a dataset"));
  const ls_status status = init(*chunks, properties, data, most);
  if (status == LS_OK) return LS_OK;
  ls_h5_chunks_free(*chunks);
  *chunks = NULL;
  return status;
}

void ls_h5_chunks_free(ls_h5_chunks *chunks)
{
  if (chunks) free(chunks->is_checked);
  free(chunks);
}
