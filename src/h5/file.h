/* SPDX-License-Identifier: BSD-3-Clause */
/* Files as HDF5 sees them: read and written by our own driver. It takes no locks, whatever the environment
 * says; it goes on after interrupts; and it remembers the system's first error, which libhdf5 would tell as
 * damage, or as something that is not there. */
#ifndef LS_H5_FILE_H
#define LS_H5_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include <hdf5.h>

#include "base/status.h"

typedef struct ls_h5_file {
  hid_t id;             /* HDF5's; negative: not open */
  int descriptor;       /* owned; negative: not open */
  unsigned char *image; /* the contents, if they were read as a whole: then nothing else is; owned */
  uint64_t bytes;       /* length when it was opened */
  int error;            /* errno of the first read or write that failed; 0: none did */
} ls_h5_file;

/** A file that is not open: closing it is fine. */
#define LS_H5_FILE_CLOSED ((ls_h5_file){.id = H5I_INVALID_HID, .descriptor = -1})

/** Open a regular file for reading, without HDF5 yet. Closed by ls_h5_file_close(), after an error too.
 *
 * Local. Errors, without the file's name: LS_E_INPUT if it is missing, out of reach or no regular file;
 * LS_E_IO.
 */
ls_status ls_h5_file_open(ls_h5_file *file, const char *path) LS_CHECKED;

/** Read the first `bytes` bytes, which the file must have. Local. Errors, without the file's name: LS_E_IO.
 */
ls_status ls_h5_file_read(ls_h5_file *file, void *data, size_t bytes) LS_CHECKED;

/** Let HDF5, which was started (call.h), open it: afterwards `id` is valid. Local. Errors, without the file's
 * name: LS_E_INPUT, LS_E_IO, LS_E_MEMORY. */
ls_status ls_h5_file_start(ls_h5_file *file) LS_CHECKED;

/** How HDF5, which was started, is to open or make this file: file access properties, released by the caller;
 * negative if there is no memory. */
hid_t ls_h5_file_access(ls_h5_file *file);

/** The outcome of reading or writing a file: a system's error, if there was one, whatever else came of it.
 *
 * @param[in] status  as it would be without
 *
 * Local. Errors, without the file's name: LS_E_IO; `status`.
 */
ls_status ls_h5_file_outcome(const ls_h5_file *file, ls_status status) LS_CHECKED;

/** Close HDF5's file, then the descriptor. Closing twice is fine. */
void ls_h5_file_close(ls_h5_file *file);

/** Does a file begin as HDF5, at one of the places where that may be? Local. Errors: those of
 * ls_h5_file_open(), LS_E_IO. */
ls_status ls_h5_file_recognize(const char *path, bool *is_hdf5) LS_CHECKED;

#endif
