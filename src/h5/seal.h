/* SPDX-License-Identifier: BSD-3-Clause */
/* The seal of a checkpoint: length and digest of the whole file, in the user block that HDF5 allows in front
 * of its own data. HDF5's checksums leave gaps (texts lie in heaps that have none), and libhdf5 may crash on
 * damaged files: so damage is found before it reads them. The block is text: `head -3` shows it.
 * The store writes it in front of a checkpoint; guarded_read.c checks it. */
#ifndef LS_H5_SEAL_H
#define LS_H5_SEAL_H

#include <stddef.h>

#include "base/status.h"
#include "h5/file.h"

enum { LS_SEAL_BYTES = 512 };

/** Fill in the first LS_SEAL_BYTES bytes of a file; `count` is the whole file's length. */
void ls_seal_set(unsigned char *bytes, size_t count);

/** Check the seal of an open file, which is read as a whole for it: afterwards `image` holds what was
 * checked. A file that begins as HDF5, without a user block, has none: others' programs write such. *image
 * stays NULL then. Local. Errors: LS_E_INPUT if it does not hold; LS_E_IO; LS_E_MEMORY. */
ls_status ls_seal_check(ls_h5_file *file) LS_CHECKED;

#endif
