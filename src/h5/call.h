/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls of libhdf5: made ready once for all, its reasons in our error chain, identifiers released. */
#ifndef LS_H5_CALL_H
#define LS_H5_CALL_H

#include <hdf5.h>

#include "base/status.h"

/** Make libhdf5 ready in this thread, without its handler at the program's exit and without its own printing.
 * Cheap but for the first time; call it before anything else of HDF5 (its names of types are calls too).
 * Local. Errors: LS_E_MEMORY: then nothing else of HDF5 may be called. */
ls_status ls_h5_start(void) LS_CHECKED;

/** Start an error chain with our words, then HDF5's innermost ones. A failed allocation in libhdf5 makes
 * LS_E_MEMORY of LS_E_INPUT. Call it before any other HDF5 function. */
ls_status ls_h5_fail(ls_status status, const char *fmt, ...) LS_PRINTF(2, 3) LS_CHECKED;

/** Release an identifier of any kind; negative ones are fine. For what was only read. */
void ls_h5_release(hid_t id);

#endif
