/* SPDX-License-Identifier: BSD-3-Clause */
/* Files as HDF5 sees them: read and written by our own driver. It takes no locks, whatever the environment
 * says; it goes on after interrupts; and it remembers the system's first error, which libhdf5 would report as
 * damage, or as a missing object. */
#ifndef LS_H5_FILE_H
#define LS_H5_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "h5/h5.h"

typedef struct ls_h5_file {
  ls_h5_id id;    /* of HDF5's open file */
  int descriptor; /* owned; negative: not open */
  unsigned char
      *image;     /* the contents, if they were read as a whole: then reads come from here alone; owned */
  uint64_t bytes; /* length when it was opened */
  int error;      /* errno of the first read or write that failed; 0: none did */
} ls_h5_file;

/** A file that is not open: closing it is fine. */
#define LS_H5_FILE_CLOSED ((ls_h5_file){.id = LS_H5_NONE, .descriptor = -1})

/** Open a regular file for reading, without HDF5 yet. Closed by ls_h5_file_close(), after an error too.
 *
 * Local. Errors, without the file's name: LS_E_INPUT if it is missing, out of reach or no regular file;
 * LS_E_IO.
 */
ls_status ls_h5_file_open(ls_h5_file *file, const char *path) LS_CHECKED;

/** Read the first `bytes` bytes, which the file must have. Local. Errors, without the file's name: LS_E_IO.
 */
ls_status ls_h5_file_read(ls_h5_file *file, void *data, size_t bytes) LS_CHECKED;

/** Let HDF5, which was started (h5.h), open it: afterwards `id` is valid. Local. Errors, without the file's
 * name: LS_E_INPUT, LS_E_IO, LS_E_MEMORY. */
ls_status ls_h5_file_start(ls_h5_file *file) LS_CHECKED;

/** Let HDF5 close it, whether it was opened or not: it may be started anew. */
void ls_h5_file_stop(ls_h5_file *file);

/** Begin an HDF5 file in an empty file that is open for writing: `id` is valid then. Completed by
 * ls_h5_file_complete().
 *
 * @param[in] descriptor  borrowed
 *
 * Local. Errors, without the file's name: LS_E_IO, LS_E_MEMORY.
 */
ls_status ls_h5_file_create(ls_h5_file *file, int descriptor) LS_CHECKED;

/** Write what HDF5 still holds of a created file, and release the descriptor.
 *
 * @param[in] status  the status of writing so far
 *
 * Local. Errors, without the file's name: LS_E_IO; `status`; LS_E_MEMORY.
 */
ls_status ls_h5_file_complete(ls_h5_file *file, ls_status status) LS_CHECKED;

/** The status of reading or writing a file: the system's error, if there was one, instead of any other
 * status.
 *
 * @param[in] status  the status without an error of the system
 *
 * Local. Errors, without the file's name: LS_E_IO; `status`.
 */
ls_status ls_h5_file_outcome(const ls_h5_file *file, ls_status status) LS_CHECKED;

/** Close HDF5's file, then the descriptor. Closing twice is fine. */
void ls_h5_file_close(ls_h5_file *file);

/** Does a file begin as HDF5, at one of the offsets where that may be? Local. Errors: those of
 * ls_h5_file_open(), LS_E_IO. */
ls_status ls_h5_file_recognize(const char *path, bool *is_hdf5) LS_CHECKED;

#endif
