/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of ls_inspect(), one per kind of file. Private to the module. */
#ifndef LS_STORE_INSPECT_INTERNAL_H
#define LS_STORE_INSPECT_INTERNAL_H

#include <stddef.h>

#include "base/show.h"
#include "h5/h5.h"

/** Append the metrics of the last `most` epochs as a table. Errors: LS_E_INPUT, LS_E_MEMORY. */
ls_status ls_inspect_metrics(ls_h5_id file, size_t most, ls_text *text) LS_CHECKED;

/** Append what a checkpoint holds. Errors: LS_E_INPUT, LS_E_MEMORY. */
ls_status ls_inspect_checkpoint(ls_h5_id file, ls_text *text) LS_CHECKED;

/** Append a line for each member of any HDF5 file: path, shape, type. Errors: LS_E_INPUT, LS_E_MEMORY. */
ls_status ls_inspect_members(ls_h5_id file, ls_text *text) LS_CHECKED;

/** Append a line for each attribute of the root: name, value. Errors: LS_E_INPUT, LS_E_MEMORY. */
ls_status ls_inspect_attributes(ls_h5_id file, ls_text *text) LS_CHECKED;

#endif
