/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole files and folders. */
#ifndef LS_BASE_FILE_H
#define LS_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/** Read a whole regular file of at most `limit_bytes`; *out is terminated, *length excludes that; freed with
 * free().
 *
 * Local. Errors: LS_E_INPUT if it is missing, a folder, unreadable or longer; LS_E_IO; LS_E_MEMORY.
 */
ls_status ls_file_read(const char *path, size_t limit_bytes, char **out, size_t *length) LS_CHECKED;

/** Write a whole file atomically and durably: temporary file beside it, fsync, rename, fsync of the folder.
 *
 * Local. Errors: LS_E_IO; the old file is intact then.
 */
ls_status ls_file_write(const char *path, const void *data, size_t bytes) LS_CHECKED;

/** Make a folder and its parents; fine if it exists. Local. Errors: LS_E_IO. */
ls_status ls_folder_make(const char *path) LS_CHECKED;

/** Make what was written to `path` durable: fsync of the file and of the folder that holds it. Local. Errors:
 * LS_E_IO. */
ls_status ls_file_sync(const char *path) LS_CHECKED;

/** May a file be made there, or a regular one be replaced? Devices, links and folders are not. Local. Errors:
 * LS_E_USAGE. */
ls_status ls_file_check_target(const char *path) LS_CHECKED;

bool ls_file_exists(const char *path);

#endif
