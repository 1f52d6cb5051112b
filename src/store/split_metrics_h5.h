/* SPDX-License-Identifier: BSD-3-Clause */
/* The figures of the splits in HDF5 files: a group for each, with attributes and a dataset for each column of
 * the table of classes. Private to the module. */
#ifndef LS_STORE_SPLIT_METRICS_H5_H
#define LS_STORE_SPLIT_METRICS_H5_H

#include <stdbool.h>

#include <hdf5.h>

#include "base/status.h"
#include "base/text.h"
#include "store/split_metrics.h"

/** In a checkpoint they are in this group of /metrics, beside the tables: readers that do not know it pass
 * over it. */
#define LS_SPLIT_METRICS_GROUP "splits"

/** Write groups `validation` and `test`, as far as there are figures. class_names: one a line, or NULL.
 * Errors: LS_E_MEMORY. */
ls_status ls_split_metrics_write(hid_t parent, const ls_split_metrics *split_metrics,
                                 const char *class_names) LS_CHECKED;

/** Read them from a checkpoint of so many classes; older ones have none. *out is newly made. Errors:
 * LS_E_INPUT, LS_E_MEMORY; *out is empty then. */
ls_status ls_split_metrics_read(hid_t file, size_t classes, ls_split_metrics *out) LS_CHECKED;

/** Append a line for each split of a checkpoint, or of metrics.h5. Errors: LS_E_INPUT. */
ls_status ls_split_metrics_describe(hid_t file, bool is_checkpoint, ls_text *text) LS_CHECKED;

#endif
