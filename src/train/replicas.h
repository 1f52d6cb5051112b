/* SPDX-License-Identifier: BSD-3-Clause */
/* Are the replicas still the same? They compute the same updates from the same sums, so a difference means a
 * fault of a processor or a memory, or of ours. */
#ifndef LS_TRAIN_REPLICAS_H
#define LS_TRAIN_REPLICAS_H

#include "base/digest.h"
#include "base/status.h"
#include "comm/comm.h"

/** Compare the ranks' digests of their weights; the ranks that differ from the majority are named.
 *
 * Collective. Errors: LS_E_NONFINITE if they are not all the same; LS_E_MEMORY; LS_E_COMM. */
ls_status ls_check_replicas(ls_comm *comm, const char digest[LS_DIGEST_CHARS]) LS_CHECKED;

#endif
