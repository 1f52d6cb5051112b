/* SPDX-License-Identifier: BSD-3-Clause */
/* HDF5's errors in our chain, and its defaults as both the reader and the writer of datasets need them.
 * Private to them. */
#ifndef LS_DATA_H5CALL_H
#define LS_DATA_H5CALL_H

#include <hdf5.h>

#include "base/status.h"

/** Start an error chain with our words and HDF5's innermost ones. Call it before any other HDF5 function. */
ls_status ls_h5call_fail(ls_status status, const char *fmt, ...) LS_PRINTF(2, 3) LS_CHECKED;

/** Switch HDF5's own printing of errors off, in this thread. */
void ls_h5call_quiet(void);

/** File access properties: locks where the file system has them, everything closed with the file. Negative if
 * HDF5 has no memory. The caller closes them. */
hid_t ls_h5call_access(void);

#endif
