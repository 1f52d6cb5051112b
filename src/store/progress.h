/* SPDX-License-Identifier: BSD-3-Clause */
/* ls_progress as the attributes of /progress. Private to the module. */
#ifndef LS_STORE_PROGRESS_H
#define LS_STORE_PROGRESS_H

#include "store/checkpoint.h"
#include "h5/h5.h"

/** Make the group `progress` of a file. Errors: LS_E_MEMORY. */
ls_status ls_progress_write(hid_t file, const ls_progress *progress) LS_CHECKED;

/** Read it. Errors: LS_E_INPUT. */
ls_status ls_progress_read(hid_t file, ls_progress *progress) LS_CHECKED;

#endif
