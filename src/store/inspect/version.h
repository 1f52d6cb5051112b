/* SPDX-License-Identifier: BSD-3-Clause */
/* The HDF5 library that the program runs with. */
#ifndef LS_STORE_INSPECT_VERSION_H
#define LS_STORE_INSPECT_VERSION_H

#include "base/status.h"

/** Make the library ready, as every use of it does. It is tried in a child process for a moment, which is
 * best made before MPI and threads are there, and not at the first checkpoint. Local. Errors: LS_E_MEMORY. */
ls_status ls_h5_prepare(void) LS_CHECKED;

/** Version of the HDF5 library ("1.10.8"), borrowed, valid until this thread's next call; "unknown" if the
 * library does not tell. Local. */
const char *ls_h5_version(void);

#endif
