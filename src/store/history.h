/* SPDX-License-Identifier: BSD-3-Clause */
/* The history of a run as HDF5 tables: /metrics/train and /metrics/validation, one row per epoch, a compound
 * type with the members' names, as pandas.DataFrame(f["metrics/train"][:]) wants it. Private to the module.
 */
#ifndef LS_STORE_HISTORY_H
#define LS_STORE_HISTORY_H

#include "store/checkpoint.h"
#include "h5/h5.h"

/** The row of an epoch, borrowed; NULL if there is none. */
const ls_epoch_metrics *ls_history_find(const ls_history *history, uint64_t epoch);

/** Make the group `metrics` of a file, and write the tables in it. *group is open, closed with ls_h5_close().
 * Errors: LS_E_MEMORY. */
ls_status ls_histories_write(hid_t *group, hid_t file, const ls_history *train,
                             const ls_history *validation) LS_CHECKED;

/** Read it; both histories are newly made. Errors: LS_E_INPUT, LS_E_MEMORY. */
ls_status ls_histories_read(hid_t file, ls_history *train, ls_history *validation) LS_CHECKED;

#endif
