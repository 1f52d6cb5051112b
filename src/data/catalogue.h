/* SPDX-License-Identifier: BSD-3-Clause */
/* The datasets that lockstep knows by name, and the folders that they may be in. */
#ifndef LS_DATA_CATALOGUE_H
#define LS_DATA_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "base/text.h"
#include "config/spec.h"

typedef struct ls_catalogue_entry {
  const char *name;               /* "fashion-mnist" */
  const char *doc;                /* what it is, in one line */
  size_t classes;                 /* as lockstep numbers them, from 0 */
  const char *const *class_names; /* [classes]; NULL: classes are called by their number */
  const char *folders[3];         /* names of folders to look in, NULL-terminated */
  const char *prefix;             /* only files whose names begin with it belong to the dataset; "": all */
  size_t first_label;             /* the files' number of class 0 */
  bool is_transposed;             /* the files hold each image by columns */
  ls_picture_kind picture;        /* what its images were made of; not LS_PICTURE_AUTO */
} ls_catalogue_entry;

extern const ls_catalogue_entry ls_catalogue[]; /* ends with a row whose name is NULL */

/** The row of that name, or NULL. */
const ls_catalogue_entry *ls_catalogue_find(const char *name);

/** The form of pictures for networks that were trained on the dataset of that name; plain for a name that is
 * not in the catalogue. */
ls_picture_kind ls_catalogue_picture(const char *name);

/** The dataset that a file says it is of: the one whose prefix is in its name ("emnist-letters-"), in
 * capitals or not; NULL: it does not say. */
const ls_catalogue_entry *ls_catalogue_of_file(const char *name);

/** Append the names, joined by ", "; only of those that may lie in a folder of that name, unless it is NULL.
 */
void ls_catalogue_describe(const char *folder, ls_text *text);

/** Find where a dataset lies along LOCKSTEP_DATA_PATH, data/ and /usr/share/datasets: a folder, or NAME.h5.
 *
 * @param[out] path      freed with free(); NULL if it is nowhere
 * @param[in]  name      of the dataset; NAME/ and NAME.h5 are looked for
 * @param[in]  entry     its row, whose folders are looked for instead of NAME/; may be NULL
 * @param[out] searched  appended: the paths, joined by ", "
 *
 * Local. Errors: LS_E_ACCESS, LS_E_IO where a path cannot be looked at; LS_E_MEMORY.
 */
ls_status ls_catalogue_search(char **path, const char *name, const ls_catalogue_entry *entry,
                              ls_text *searched) LS_CHECKED;

#endif
