/* SPDX-License-Identifier: BSD-3-Clause */
/* Files by their paths: opening, reading, looking. */
#ifndef LS_BASE_FILES_FILE_H
#define LS_BASE_FILES_FILE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/** Repeat a system call that a signal has interrupted. */
#define LS_RETRY(result, call)                                                                               \
  do (result) = (call);                                                                                      \
  while ((result) < 0 && errno == EINTR)

/** The status of a file that could not be opened or looked at: LS_E_INPUT if it is missing, LS_E_ACCESS for
 * other causes that its owner can mend (it may not be read, ...), LS_E_MEMORY, or LS_E_IO. */
ls_status ls_errno_status(int error);

/** Why a path cannot be opened, for people: strerror(), but a symbolic link that leads to nothing is named.
 * errno, as open() has left it, stays. */
const char *ls_open_error(const char *path);

/** Open a regular file for reading; closed with close(). `bytes` is its length, or NULL.
 *
 * Local. Errors: LS_E_INPUT if it is missing or no regular file; LS_E_ACCESS if it may not be read; LS_E_IO.
 */
ls_status ls_file_open(int *descriptor, const char *path, size_t *bytes) LS_CHECKED;

/** Read up to `bytes` bytes at the descriptor's offset; *got is less only at the end. Local. Errors: LS_E_IO.
 */
ls_status ls_file_read_some(int descriptor, const char *path, void *data, size_t bytes,
                            size_t *got) LS_CHECKED;

/** Read a whole regular file of at most `limit_bytes`; *out is terminated, *length excludes that; freed with
 * free().
 *
 * Local. Errors: LS_E_INPUT if it is missing, a folder or longer; LS_E_ACCESS if it may not be read;
 * LS_E_IO; LS_E_MEMORY.
 */
ls_status ls_file_read(const char *path, size_t limit_bytes, char **out, size_t *length) LS_CHECKED;

/** fsync(). Local. Returns 0; -1 and errno on an error. */
int ls_file_sync(int descriptor) LS_CHECKED;

/** May a file be made there, or a regular one be replaced? Devices, links and folders are not. Local. Errors:
 * LS_E_USAGE; LS_E_IO if that cannot be found out. */
ls_status ls_file_check_target(const char *path) LS_CHECKED;

typedef enum ls_file_kind { LS_FILE_NONE, LS_FILE_REGULAR, LS_FILE_FOLDER, LS_FILE_OTHER } ls_file_kind;

/** Find the kind of file at a path, through symbolic links. LS_FILE_NONE only if it is certainly missing.
 * Local. Errors: LS_E_ACCESS, LS_E_IO, LS_E_MEMORY if the kind cannot be found out. */
ls_status ls_file_look(ls_file_kind *kind, const char *path) LS_CHECKED;

#endif
