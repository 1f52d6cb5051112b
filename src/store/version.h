/* SPDX-License-Identifier: BSD-3-Clause */
/* The HDF5 library that the program runs with. */
#ifndef LS_STORE_VERSION_H
#define LS_STORE_VERSION_H

/** Version of the HDF5 library ("1.10.8"), borrowed, valid until this thread's next call; "unknown" if the
 * library does not tell. Local. */
const char *ls_h5_version(void);

#endif
