/* SPDX-License-Identifier: BSD-3-Clause */
/* Cutting long vectors, apart from MPI so that lengths no test machine could hold are tested, too. */
#include "comm/pieces.h"

#include "base/size.h"

ls_status ls_in_pieces(size_t count, int limit, ls_piece_call *call, void *context)
{
  for (size_t first = 0; first < count;) {
    const size_t piece = ls_size_min(count - first, (size_t)limit);
    LS_PASS(call(context, first, (int)piece));
    first += piece;
  }
  return LS_OK;
}
