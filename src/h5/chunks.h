/* SPDX-License-Identifier: BSD-3-Clause */
/* The chunks of an HDF5 dataset, looked at before HDF5 reads them. HDF5 takes the file's word for how many
 * bytes a chunk is stored in, which filters it passed and how much comes out of them: where that is a lie, it
 * reads beyond its buffers, or fills the memory with what a few bytes expand to.
 * For files that others made. */
#ifndef LS_H5_CHUNKS_H
#define LS_H5_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hdf5.h>

#include "base/status.h"

/** How a dataset is cut into chunks, and which of them are known to be sound. */
typedef struct ls_h5chunks {
  int rank;
  hsize_t shape[H5S_MAX_RANK]; /* of a chunk */
  size_t along[H5S_MAX_RANK];  /* chunks along each dimension */
  size_t count;                /* all chunks; 0: the dataset has none */
  size_t bytes;                /* of a chunk, as it is read */
  bool is_filtered, is_deflated;
  size_t sum_bytes[2]; /* of the checksums before and after deflation */
  bool *is_checked;    /* [count]; owned */
} ls_h5chunks;

/** Look at the chunks of a dataset: all must have been written, and none be larger than the file can fill.
 *
 * @param[out] chunks         released with ls_h5chunks_fini(), also after an error
 * @param[in]  properties     how the dataset was made
 * @param[in]  dims           its shape, [rank]; no dimension is 0
 * @param[in]  element_bytes  of an element
 * @param[in]  most           bytes that the whole may take, read
 *
 * Local. Errors: LS_E_INPUT (without the names of file and dataset), LS_E_MEMORY.
 */
ls_status ls_h5chunks_init(ls_h5chunks *chunks, hid_t dataset, hid_t properties, const hsize_t *dims,
                           size_t element_bytes, uint64_t most) LS_CHECKED;
void ls_h5chunks_fini(ls_h5chunks *chunks);

/** Look all chunks up in their index, without reading them. Local. Errors: as above. */
ls_status ls_h5chunks_find(const ls_h5chunks *chunks, hid_t dataset) LS_CHECKED;

/** Check that the chunks of rows first .. first+count-1 (count above 0) expand to just their size; each is
 * looked at only once. Nothing to do for a dataset without chunks. Local. Errors: as above. */
ls_status ls_h5chunks_check(ls_h5chunks *chunks, hid_t dataset, size_t first, size_t count) LS_CHECKED;

#endif
