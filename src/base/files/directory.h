/* SPDX-License-Identifier: BSD-3-Clause */
/* An open folder. Writing through it reaches that very folder, also after it was renamed and another one has
 * its path. */
#ifndef LS_BASE_FILES_DIRECTORY_H
#define LS_BASE_FILES_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/** Initialize it with {.descriptor = -1}. */
typedef struct ls_directory {
  char *path;     /* by which it was opened or found again, "" for the working directory; owned */
  int descriptor; /* -1: not open */
} ls_directory;

/** Open a folder. On error *out is empty. Local. Errors: LS_E_INPUT if it is missing; LS_E_ACCESS
 * if it may not be read; LS_E_IO, LS_E_MEMORY. */
ls_status ls_directory_open(ls_directory *out, const char *path) LS_CHECKED;

/** Make a folder and its parents; fine if it exists. Local. Errors: LS_E_IO. */
ls_status ls_folder_make(const char *path) LS_CHECKED;

/** Open the folder that a file's path names, to write that file; *name is the rest of `path`. Local. Errors:
 * LS_E_IO, LS_E_MEMORY. */
ls_status ls_directory_open_around(ls_directory *out, const char *path, const char **name) LS_CHECKED;

/** Open the folder `name` in another one, made if it is missing. Local. Errors: LS_E_IO, LS_E_MEMORY. */
ls_status ls_directory_open_in(ls_directory *out, const ls_directory *parent, const char *name) LS_CHECKED;

/** Fine for one that is not open. */
void ls_directory_close(ls_directory *directory);

/** The path of a file in it, freed with free(). Local. Errors: LS_E_MEMORY. */
ls_status ls_directory_path(const ls_directory *directory, const char *name, char **path) LS_CHECKED;

/** Find the folder again: if its path leads to another one now, `path` becomes its new path, and *moved true.
 * Local. Errors: LS_E_ACCESS if that cannot be looked at; LS_E_IO, also if it was removed, or cannot be
 * found; LS_E_MEMORY. */
ls_status ls_directory_follow(ls_directory *directory, bool *moved) LS_CHECKED;

/** Can a file be opened for reading? *found is false only if the file is certainly missing. Local. Errors:
 * LS_E_ACCESS if it may not be read; LS_E_IO, LS_E_MEMORY. */
ls_status ls_directory_find(const ls_directory *directory, const char *name, bool *found) LS_CHECKED;

/** Remove a file; fine if it is missing. Local. Errors: LS_E_IO. */
ls_status ls_directory_remove(const ls_directory *directory, const char *name) LS_CHECKED;

/** Make its list of files durable. Local. Errors: LS_E_IO. */
ls_status ls_directory_sync(const ls_directory *directory) LS_CHECKED;

/** Names in a folder, in no order. Zero-initialize it. */
typedef struct ls_names {
  char **items; /* [count] and each of them owned; ls_names_fini() */
  size_t count, capacity;
} ls_names;

/** Add a copy of a name. Local. Errors: LS_E_MEMORY. */
ls_status ls_names_add(ls_names *names, const char *name) LS_CHECKED;

/** List what is in it, but "." and "..". On error *out is empty. Local. Errors: LS_E_IO, LS_E_MEMORY. */
ls_status ls_directory_list(const ls_directory *directory, ls_names *out) LS_CHECKED;
void ls_names_fini(ls_names *names);

#endif
