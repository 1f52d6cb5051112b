/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows that rank 0 alone can make, and in one direction only, for all ranks: in portions, so that it holds no
 * more than its own and a portion. */
#ifndef LS_COMM_SCATTER_H
#define LS_COMM_SCATTER_H

#include <stddef.h>

#include "base/status.h"
#include "comm/comm.h"

/** Make rows [first, first + count). Rank 0. */
typedef ls_status ls_make_rows(void *user, size_t first, size_t count, void *rows);

/** What a rank is to get. */
typedef struct ls_row_range {
  size_t first, count;
  void *rows; /* [count * row_bytes] */
} ls_row_range;

/** Bring to each rank the rows that it asks for: rank 0's own first, all at once, then those of rank 1, and
 * so on, in portions of about 1 MiB.
 *
 * @param[in] row_bytes  the same on all ranks, > 0
 * @param[in] make       called on rank 0 alone; not again once it has failed
 *
 * Collective. Errors: those of `make`; LS_E_MEMORY, LS_E_COMM. What has come until then is in the rows.
 */
ls_status ls_comm_scatter_rows(ls_comm *comm, const ls_row_range *mine, size_t row_bytes, ls_make_rows *make,
                               void *user) LS_CHECKED;

#endif
