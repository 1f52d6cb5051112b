/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules that a row of the table cannot express. Private to the module. */
#ifndef LS_CONFIG_CHECK_H
#define LS_CONFIG_CHECK_H

#include "config/document.h"
#include "config/spec.h"

/** Check a complete configuration; `document` is what it was bound from.
 *
 * Local. Errors: LS_E_CONFIG with the origin and the key path of what has to change.
 */
ls_status ls_config_check(const ls_spec *spec, const ls_document *document) LS_CHECKED;

/** Turn what older files say into what the keys of today do: a checked configuration. Local. Errors:
 * LS_E_MEMORY. */
ls_status ls_config_replace(ls_spec *spec) LS_CHECKED;

/** Refuse a document that is no configuration: its origin is reported, and nothing of what it holds. Local.
 * Errors: LS_E_CONFIG. */
ls_status ls_config_check_root(const ls_document *document) LS_CHECKED;

/** Check the name of a layer: it becomes part of tensor names, override paths and HDF5 paths. Local.
 * Errors: LS_E_CONFIG, to be wrapped with the origin. */
ls_status ls_config_check_layer_name(const char *name) LS_CHECKED;

#endif
