/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks of the chunks of an HDF5 dataset before HDF5 reads them. HDF5 trusts the file on a chunk's stored
 * bytes, its filters and its expanded size: where these are false, HDF5 reads beyond its buffers, or fills
 * the memory with the expansion of a few bytes. For files of other programs. Private to the module. */
#ifndef LS_H5_CHUNKS_H
#define LS_H5_CHUNKS_H

#include "h5/internal.h"

/** Look at the chunks of a dataset: all must have been written, and none be larger than the file can fill.
 *
 * @param[out] chunks      newly made, freed with ls_h5_chunks_free(); NULL after an error
 * @param[in]  properties  how the dataset was made
 * @param[in]  data        the dataset; no dimension is 0
 * @param[in]  most        bytes that the whole may take, read
 *
 * Local. Errors: LS_E_INPUT (without the names of file and dataset), LS_E_MEMORY.
 */
ls_status ls_h5_chunks_make(ls_h5_chunks **chunks, hid_t properties, const ls_h5_data *data,
                            uint64_t most) LS_CHECKED;
void ls_h5_chunks_free(ls_h5_chunks *chunks);

/** Look all chunks up in their index, without reading them. Local. Errors: as above. */
ls_status ls_h5_chunks_find(const ls_h5_chunks *chunks) LS_CHECKED;

/** Check that the chunks of rows first .. first+count-1 (count above 0) expand to just their size; each is
 * looked at only once. Local. Errors: as above. */
ls_status ls_h5_chunks_check(ls_h5_chunks *chunks, size_t first, size_t count) LS_CHECKED;

#endif
