/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading a block of a dataset in pieces: H5Dread() takes some 7 KB of memory for every chunk that it
 * touches, and a chunk may be a single byte. */
#ifndef LS_H5_BLOCK_H
#define LS_H5_BLOCK_H

#include <hdf5.h>

#include "base/status.h"

/** Read the block of a dataset that begins at `start` and has the extents `shape` (both [rank], within the
 * dataset), as elements of `type`, densely into `out`. Local. Errors, without the dataset's name: LS_E_INPUT,
 * LS_E_MEMORY. */
ls_status ls_h5_block_read(hid_t dataset, hid_t type, int rank, const hsize_t *start, const hsize_t *shape,
                           void *out) LS_CHECKED;

#endif
