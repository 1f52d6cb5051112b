/* SPDX-License-Identifier: BSD-3-Clause */
/* The contents of a folder: the sorted names of its files, or of those that begin alike. For the
 * readers and the catalogue. */
#ifndef LS_DATA_READERS_FOLDER_H
#define LS_DATA_READERS_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "base/text.h"

typedef struct ls_folder {
  char *path;   /* as given; owned */
  char **names; /* [count] of regular files and what may not be looked at, none hidden; sorted; owned */
  size_t count;
  const char *beginning; /* of all names; "": any. Borrowed */
} ls_folder;

/** List the files of a folder whose names begin with `beginning`, which ends where a word does: at one of
 * "-_." or a blank. Where both NAME and NAME.gz lie there, NAME.gz is left out: NAME is quicker to read, and
 * ls_stream_check_twin() sees to it that they are the same. Local. Errors: LS_E_INPUT if the folder is
 * missing; LS_E_ACCESS if it may not be read; LS_E_IO, LS_E_MEMORY. */
ls_status ls_folder_list(ls_folder *folder, const char *path, const char *beginning) LS_CHECKED;
void ls_folder_fini(ls_folder *folder);

/** Append the names, quoted, at most a dozen: "'a', 'b' and 3 more", or "no files". */
void ls_folder_describe(const ls_folder *folder, ls_text *text);

/** The path of `name` in a folder, freed with free(). Local. Errors: LS_E_MEMORY. */
ls_status ls_path_join(char **out, const char *folder, const char *name) LS_CHECKED;

#endif
