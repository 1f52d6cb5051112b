/* SPDX-License-Identifier: BSD-3-Clause */
/* Gathers rows of all ranks, each of which may have another number, on rank 0: in portions, so that no rank
 * holds more than its own rows and a portion. */
#ifndef LS_COMM_GATHER_H
#define LS_COMM_GATHER_H

#include <stddef.h>

#include "base/status.h"
#include "comm/comm.h"

/** Take rows [first, first + count), counted over all ranks in their order; `rows` are borrowed for the call.
 */
typedef void ls_take_rows(void *user, size_t first, const void *rows, size_t count);

/** Hand all ranks' rows to rank 0, which takes each once, a rank's own in their order.
 *
 * @param[in] rows       [count * row_bytes] of this rank
 * @param[in] row_bytes  the same on all ranks, > 0
 * @param[in] take       called on rank 0 alone
 *
 * Collective. Errors: LS_E_MEMORY, LS_E_COMM.
 */
ls_status ls_comm_gather_rows(ls_comm *comm, const void *rows, size_t count, size_t row_bytes,
                              ls_take_rows *take, void *user) LS_CHECKED;

#endif
