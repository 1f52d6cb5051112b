/* SPDX-License-Identifier: BSD-3-Clause */
/* The chunks of an HDF5 dataset, looked at before HDF5 reads them. HDF5 takes the file's word for how many
 * bytes a chunk is stored in, which filters it passed and how much comes out of them: where that is a lie, it
 * reads beyond its buffers, or fills the memory with what a few bytes expand to.
 * For files that others made. Private to the module. */
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
