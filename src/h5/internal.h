/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of this module share, and the only file that includes hdf5.h. Private to the module. */
#ifndef LS_H5_INTERNAL_H
#define LS_H5_INTERNAL_H

#include <hdf5.h>

#include "h5/h5.h"

_Static_assert(_Generic((hid_t)0, ls_h5_id : 1, default : 0), "an identifier of HDF5's is one of ours");
_Static_assert(LS_H5_MAX_RANK == H5S_MAX_RANK, "a shape holds every dimension");

/** Start an error chain with our words, then HDF5's innermost ones. A failed allocation in libhdf5 makes
 * LS_E_MEMORY of LS_E_INPUT. Call it before any other HDF5 function. */
ls_status ls_h5_fail(ls_status status, const char *fmt, ...) LS_PRINTF(2, 3) LS_CHECKED;

/** The path of `name` in an open object, cut if it is too long. */
void ls_h5_path(hid_t parent, const char *name, char path[LS_H5_PATH_BYTES]);

/** Let a group that is to be made keep the order of its members. */
bool ls_h5_keep_order(hid_t creation);

/** Open a member that is an object of the wanted type in this very file; `noun` names the type. Errors:
 * LS_E_INPUT. */
ls_status ls_h5_member_open(hid_t *object, hid_t parent, const char *name, H5I_type_t wanted,
                            const char *noun) LS_CHECKED;

/** HDF5's types: borrowed. */
hid_t ls_h5_file_type(ls_h5_number number);
hid_t ls_h5_memory_type(ls_h5_number number);

/** The numbers that a field is kept as. */
ls_h5_number ls_h5_number_of(const ls_field *field);

/** What a type is; LS_H5_OTHER where it cannot be read. */
ls_h5_element ls_h5_element_of(hid_t type);

/** Shape in HDF5's type: `count` extents. */
void ls_h5_extents(const size_t *dims, size_t count, hsize_t extents[LS_H5_MAX_RANK]);

/** Make a dataset of `type` whose chunks have `chunk_rows` rows; out->id is open, the rest describes it.
 * Errors: LS_E_MEMORY. */
ls_status ls_h5_data_make_of(ls_h5_data *out, hid_t parent, const char *name, hid_t type,
                             const ls_h5_plan *plan) LS_CHECKED;

/** Read and write all elements as those of `type`. */
ls_status ls_h5_data_read_as(const ls_h5_data *data, hid_t type, void *out) LS_CHECKED;
ls_status ls_h5_data_write_as(const ls_h5_data *data, hid_t type, const void *values) LS_CHECKED;

/** Read the block of a dataset that begins at `start` and has the extents `shape` (both [rank], within the
 * dataset), as elements of `type`, densely into `out`; in portions: H5Dread() takes some 7 KB of memory for
 * every chunk that it touches, and a chunk may be a single byte. Local. Errors, without the dataset's name:
 * LS_E_INPUT, LS_E_MEMORY. */
ls_status ls_h5_block_read(hid_t dataset, hid_t type, int rank, const hsize_t *start, const hsize_t *shape,
                           void *out) LS_CHECKED;

#endif
