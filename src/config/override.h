/* SPDX-License-Identifier: BSD-3-Clause */
/* `key.path=value` from the command line. Private to the module. */
#ifndef LS_CONFIG_OVERRIDE_H
#define LS_CONFIG_OVERRIDE_H

#include "config/document.h"

/** Put the values of overrides into a document whose root is a mapping, in order, before it is bound: so they
 * are checked like values of the file.
 *
 * `overrides` is borrowed for the life of the document.
 * Local. Errors: LS_E_CONFIG "override 'text': ..."; LS_E_MEMORY.
 */
ls_status ls_overrides_apply(ls_document *document, const char *const *overrides, size_t count) LS_CHECKED;

#endif
