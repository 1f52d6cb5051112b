/* SPDX-License-Identifier: BSD-3-Clause */
/* model.rename: names of tensors in files of others, changed by regular expressions. */
#ifndef LS_STORE_RENAME_H
#define LS_STORE_RENAME_H

#include <stddef.h>

#include "base/status.h"
#include "config/keys.h"

typedef struct ls_rename ls_rename;

typedef struct ls_renames {
  ls_rename *list; /* [count] owned */
  size_t count;
} ls_renames;

/** Compile patterns and replacements, which alternate in `pairs` and stay the caller's as long as the renames
 * live. Released with ls_renames_fini(), also after an error.
 *
 * Local. Errors: LS_E_CONFIG if a pattern is no extended regular expression of POSIX, or a replacement refers
 * to a group that its pattern has not; LS_E_MEMORY. */
ls_status ls_renames_compile(ls_renames *renames, const ls_text_list *pairs) LS_CHECKED;
void ls_renames_fini(ls_renames *renames);

/** What a name becomes: each pattern in turn replaces every part that it fits, from left to right. A name
 * that would be longer than `size` - 1 characters is cut. Local. */
void ls_renames_apply(const ls_renames *renames, const char *name, char *out, size_t size);

#endif
