/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds the rows of a table for the keys of a mapping. Private to the module. */
#ifndef LS_CONFIG_LOCATE_H
#define LS_CONFIG_LOCATE_H

#include "config/document.h"
#include "config/rows.h"

/** A table of rows and the mapping that they are read from. */
typedef struct ls_scope {
  const ls_document *document;
  int mapping;
  const ls_path *path;       /* of the mapping; NULL for the outermost */
  const char *owner;         /* the kind whose rows these are; NULL: the configuration's */
  const ls_key *keys;        /* [key_count] */
  size_t key_count;          /* <= LS_ROWS_MAX */
  const char *const *common; /* keys that are read by others, such as `type`; NULL-terminated */
  int found[LS_ROWS_MAX];    /* the value of each row, set by ls_scope_locate(); 0: not given */
} ls_scope;

/** Find the row of every key that is written; dotted paths are sections.
 *
 * Local. Errors: LS_E_CONFIG if a key is unknown or double, or a section is none.
 */
ls_status ls_scope_locate(ls_scope *scope) LS_CHECKED;

#endif
