/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading a block of a dataset in portions. A block of too many chunks is halved, between two chunks of the
 * dimension that has most of them. */
#include <stdbool.h>
#include <string.h>

#include "h5/internal.h"

enum { MOST_CHUNKS = 1024 }; /* of a portion */

typedef struct reading {
  hid_t dataset, type;
  hid_t file_space, memory_space;
  int rank;
  hsize_t start[H5S_MAX_RANK]; /* of the whole block */
  hsize_t chunk[H5S_MAX_RANK]; /* extents; 0: the dataset has no chunks */
  void *out;
} reading;

/* Chunks of a portion along one dimension. */
static hsize_t count_along(const reading *self, int i, const hsize_t *start, const hsize_t *shape)
{
  const hsize_t extent = self->chunk[i];
  return extent == 0 ? 1 : (start[i] + shape[i] - 1) / extent - start[i] / extent + 1;
}

/* Where to halve a portion: the dimension, and the extent of the first half; 0 if it need not be. */
static hsize_t find_half(const reading *self, const hsize_t *start, const hsize_t *shape, int *dimension)
{
  hsize_t all = 1, most = 0;
  for (int i = 0; i < self->rank; i++) {
    const hsize_t along = count_along(self, i, start, shape);
    all = all > MOST_CHUNKS / along ? MOST_CHUNKS + 1 : all * along;
    if (along > most) *dimension = i;
    if (along > most) most = along;
  }
  if (all <= MOST_CHUNKS) return 0;
  const hsize_t extent = self->chunk[*dimension], first = start[*dimension];
  return (first / extent + most / 2) * extent - first;
}

static bool read_portion(const reading *self, const hsize_t *start, const hsize_t *shape)
{
  int dimension = 0;
  const hsize_t half = find_half(self, start, shape, &dimension);
  hsize_t from[H5S_MAX_RANK], extent[H5S_MAX_RANK];
  if (half > 0) {
    memcpy(from, start, sizeof from);
    memcpy(extent, shape, sizeof extent);
    extent[dimension] = half;
    if (!read_portion(self, from, extent)) return false;
    from[dimension] += half;
    extent[dimension] = shape[dimension] - half;
    return read_portion(self, from, extent);
  }
  for (int i = 0; i < self->rank; i++) from[i] = start[i] - self->start[i];
  return H5Sselect_hyperslab(self->file_space, H5S_SELECT_SET, start, NULL, shape, NULL) >= 0 &&
         H5Sselect_hyperslab(self->memory_space, H5S_SELECT_SET, from, NULL, shape, NULL) >= 0 &&
         H5Dread(self->dataset, self->type, self->memory_space, self->file_space, H5P_DEFAULT, self->out) >=
             0;
}

/* The extents of a chunk; zeros where the dataset has none. */
static bool find_chunk(reading *self)
{
  hid_t creation = H5Dget_create_plist(self->dataset);
  bool is_found = creation >= 0;
  if (is_found && H5Pget_layout(creation) == H5D_CHUNKED)
    is_found = H5Pget_chunk(creation, self->rank, self->chunk) == self->rank;
  ls_h5_release(creation);
  return is_found;
}

static ls_status read_block(reading *self, const hsize_t *start, const hsize_t *shape)
{
  const bool is_read = self->rank == 0
                           ? H5Dread(self->dataset, self->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, self->out) >= 0
                           : self->file_space >= 0 && self->memory_space >= 0 && find_chunk(self) &&
                                 read_portion(self, start, shape);
  return is_read ? LS_OK : ls_h5_fail(LS_E_INPUT, "cannot be read");
}

ls_status ls_h5_block_read(hid_t dataset, hid_t type, int rank, const hsize_t *start, const hsize_t *shape,
                           void *out)
{
  hsize_t extent[H5S_MAX_RANK] = {0};
  reading self = {.dataset = dataset, .type = type, .rank = rank, .out = out};
  memcpy(self.start, start, (size_t)rank * sizeof *start);
  memcpy(extent, shape, (size_t)rank * sizeof *shape);
  self.memory_space = H5Screate_simple(rank, extent, NULL);
  self.file_space = H5Dget_space(dataset);
  const ls_status status = read_block(&self, self.start, extent);
  ls_h5_release(self.memory_space);
  ls_h5_release(self.file_space);
  return status;
}
