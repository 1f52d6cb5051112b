/* SPDX-License-Identifier: BSD-3-Clause */
/* Files that get their name when they are complete: after a crash there is the old or the new file, never a
 * half. */
#ifndef LS_BASE_FILES_TEMPORARY_H
#define LS_BASE_FILES_TEMPORARY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/files/directory.h"
#include "base/status.h"

/** Write a whole file atomically and durably: a temporary file, fsync, rename, fsync of the folder.
 *
 * Local. Errors: LS_E_IO, LS_E_MEMORY; the old file is intact then, or the new one complete.
 */
ls_status ls_directory_write(const ls_directory *directory, const char *name, const void *data,
                             size_t bytes) LS_CHECKED;

/** Write a whole file atomically and durably: ls_directory_write() in the folder that its path names.
 *
 * Local. Errors: LS_E_IO, LS_E_MEMORY; the old file is intact then, or the new one complete.
 */
ls_status ls_file_write(const char *path, const void *data, size_t bytes) LS_CHECKED;

/** A temporary file that is being written, under a name that no other has: ".TARGET.<8 digits>.tmp". A signal
 * that ends the program removes it (base/files/unfinished.h). A file that a killed process has left looks
 * like one that another host is writing: nothing here removes it. */
typedef struct ls_temporary {
  const ls_directory *directory; /* borrowed */
  char *name;                    /* in it; owned */
  char *path;                    /* for libraries that write by path; owned */
  char *target;                  /* path of the final file, for messages; owned */
  int descriptor;                /* open for writing */
  bool is_known;                 /* to base/files/unfinished.h */
} ls_temporary;

/** Make an empty temporary file for `target`. A symbolic link of its name is never followed. On error *out is
 * empty. Local. Errors: LS_E_IO, LS_E_MEMORY. */
ls_status ls_temporary_make(ls_temporary *out, const ls_directory *directory, const char *target) LS_CHECKED;

/** Make it durable, and rename it to its target. Local. Errors: LS_E_IO. */
ls_status ls_temporary_keep(ls_temporary *temporary) LS_CHECKED;

/** Release it; the file is removed unless it was kept. */
void ls_temporary_fini(ls_temporary *temporary);

/** Is `name` that of a temporary file? If so, `target` gets the name of the file that it was for. */
bool ls_temporary_is(const char *name, char *target, size_t bytes);

#endif
