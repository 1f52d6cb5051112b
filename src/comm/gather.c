/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows travel in rounds of equal portions: a rank with too few rows fills its portion up, and rank 0 ignores
 * the filling. */
#include "comm/gather.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"

enum { PORTION_BYTES = 1 << 20 }; /* of all ranks, on rank 0; or a row of each, if that is more */

typedef struct gathering {
  ls_comm *comm;
  const unsigned char *rows;
  size_t row_bytes, portion;      /* rows of a rank in a round */
  uint64_t *counts;               /* [ranks] rows of each */
  unsigned char *sent, *portions; /* [portion] rows of this rank; [ranks, portion] rows, on rank 0 */
} gathering;

static size_t rows_left(const gathering *self, size_t rank, size_t first)
{
  const size_t count = (size_t)self->counts[rank];
  return first < count ? ls_size_min(self->portion, count - first) : 0;
}

/* Local. */
static ls_status allocate(gathering *self, size_t ranks)
{
  const size_t here = ls_comm_rank(self->comm) == 0 ? ranks : 0;
  LS_PASS(ls_alloc(&self->sent, self->portion, self->row_bytes, "a portion of the rows"));
  return ls_alloc(&self->portions, here * self->portion, self->row_bytes, "portions of the rows");
}

/* Rank 0. */
static void take_portions(const gathering *self, size_t first, size_t ranks, ls_take_rows *take, void *user)
{
  size_t before = 0;
  for (size_t r = 0; r < ranks; r++) {
    const size_t count = rows_left(self, r, first);
    if (count > 0) take(user, before + first, self->portions + r * self->portion * self->row_bytes, count);
    before += (size_t)self->counts[r];
  }
}

/* Collective. */
static ls_status gather(gathering *self, size_t ranks, ls_take_rows *take, void *user)
{
  const size_t rank = (size_t)ls_comm_rank(self->comm);
  size_t most = 0;
  LS_PASS(ls_comm_sum_u64(self->comm, self->counts, ranks));
  for (size_t r = 0; r < ranks; r++) most = ls_size_max(most, (size_t)self->counts[r]);
  self->portion = ls_size_min(most, ls_size_max(PORTION_BYTES / ranks / self->row_bytes, 1));
  LS_AGREE(self->comm, allocate(self, ranks));
  for (size_t first = 0; first < most; first += self->portion) {
    const size_t mine = rows_left(self, rank, first);
    if (mine > 0) memcpy(self->sent, self->rows + first * self->row_bytes, mine * self->row_bytes);
    LS_PASS(ls_comm_gather(self->comm, self->sent, self->portion * self->row_bytes, self->portions));
    if (rank == 0) take_portions(self, first, ranks, take, user);
  }
  return LS_OK;
}

ls_status ls_comm_gather_rows(ls_comm *comm, const void *rows, size_t count, size_t row_bytes,
                              ls_take_rows *take, void *user)
{
  const size_t ranks = (size_t)ls_comm_size(comm);
  gathering self = {.comm = comm, .rows = rows, .row_bytes = row_bytes};
  ls_status status;
  LS_GO(ls_comm_agree(comm, ls_alloc(&self.counts, ranks, sizeof *self.counts, "the counts of the ranks")));
  self.counts[ls_comm_rank(comm)] = count;
  LS_GO(gather(&self, ranks, take, user));
done:
  free(self.counts);
  free(self.sent);
  free(self.portions);
  return status;
}
