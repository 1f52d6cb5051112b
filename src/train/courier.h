/* SPDX-License-Identifier: BSD-3-Clause */
/* A thread that does one job at a time beside the others: MPI libraries make little progress while nobody
 * calls them, so a transfer that shall go on during computation needs somebody who waits for it. */
#ifndef LS_TRAIN_COURIER_H
#define LS_TRAIN_COURIER_H

#include "base/status.h"

typedef struct ls_courier ls_courier;

/** What it does when it is sent; runs in its thread. */
typedef ls_status ls_courier_job(void *user);

/** Start the thread, which sleeps until it is sent. Local. Errors: LS_E_MEMORY. */
ls_status ls_courier_new(ls_courier **out, ls_courier_job *job, void *user) LS_CHECKED;

/** End the thread, once its job is done. NULL is fine. */
void ls_courier_free(ls_courier *courier);

/** Do the job; the one before must have been waited for. Local. */
void ls_courier_send(ls_courier *courier);

/** Wait until the job is done. Returns its status, with its message. Local. */
ls_status ls_courier_wait(ls_courier *courier) LS_CHECKED;

#endif
