/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of rank 0, a portion each, in the order in which it makes the rows. A rank knows how many it is to
 * get; one without bytes says that none will come any more, and all hear why when they agree. */
#include "comm/scatter.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/size.h"
#include "comm/internal.h"
#include "comm/portions.h"

enum { PORTION_BYTES = 1 << 20, TAG = 1 };

typedef struct request {
  uint64_t first, count;
} request;

typedef struct scattering {
  ls_comm *comm;
  size_t row_bytes, portion; /* rows of a portion */
  ls_make_rows *make;
  void *user;
  request *requests;           /* [ranks], on rank 0 */
  unsigned char *portion_rows; /* [portion * row_bytes], on rank 0 */
  int to;                      /* rank that rank 0 sends to */
  unsigned char *bytes;        /* where what comes next goes, on other ranks */
  bool has_ended;              /* none will come any more */
} scattering;

static ls_status send_bytes(void *context, size_t first, int count)
{
  const scattering *self = context;
  return LS_COMM_WAIT(
      self->comm, MPI_Send(self->portion_rows + first, count, MPI_BYTE, self->to, TAG, self->comm->handle),
      "sending rows to the ranks");
}

static ls_status receive_bytes(void *context, size_t first, int count)
{
  static const char doing[] = "receiving rows of rank 0";
  scattering *self = context;
  MPI_Status received;
  int got;
  if (self->has_ended) return LS_OK;
  LS_PASS(LS_COMM_WAIT(self->comm,
                       MPI_Recv(self->bytes + first, count, MPI_BYTE, 0, TAG, self->comm->handle, &received),
                       doing));
  LS_PASS(ls_comm_check(MPI_Get_count(&received, MPI_BYTE, &got), doing));
  self->has_ended = got == 0;
  return LS_OK;
}

/* Make and send what a rank asks for. Rank 0. */
static ls_status serve(scattering *self, const request *asked)
{
  for (size_t done = 0; done < asked->count; done += self->portion) {
    const size_t now = ls_size_min(self->portion, asked->count - done);
    LS_PASS(self->make(self->user, asked->first + done, now, self->portion_rows));
    LS_PASS(ls_in_portions(now * self->row_bytes, INT_MAX, send_bytes, self));
  }
  return LS_OK;
}

/* Rank 0. */
static ls_status serve_all(scattering *self, const ls_row_range *mine)
{
  ls_status status = mine->count > 0 ? self->make(self->user, mine->first, mine->count, mine->rows) : LS_OK;
  for (self->to = 1; self->to < ls_comm_size(self->comm); self->to++) {
    const request *asked = &self->requests[self->to];
    if (asked->count == 0) continue;
    if (status == LS_OK) status = serve(self, asked);
    if (status == LS_E_COMM) return status;
    if (status != LS_OK) LS_PASS(send_bytes(self, 0, 0));
  }
  return status;
}

/* Other ranks. */
static ls_status receive(scattering *self, const ls_row_range *mine)
{
  for (size_t done = 0; done < mine->count && !self->has_ended; done += self->portion) {
    const size_t now = ls_size_min(self->portion, mine->count - done);
    self->bytes = (unsigned char *)mine->rows + done * self->row_bytes;
    LS_PASS(ls_in_portions(now * self->row_bytes, INT_MAX, receive_bytes, self));
  }
  return LS_OK;
}

/* Local. */
static ls_status allocate(scattering *self)
{
  if (ls_comm_rank(self->comm) > 0) return LS_OK;
  const size_t ranks = (size_t)ls_comm_size(self->comm);
  LS_PASS(ls_alloc(&self->requests, ranks, sizeof *self->requests, "what the ranks ask for"));
  return ls_alloc(&self->portion_rows, ranks > 1 ? self->portion : 0, self->row_bytes,
                  "a portion of the rows");
}

ls_status ls_comm_scatter_rows(ls_comm *comm, const ls_row_range *mine, size_t row_bytes, ls_make_rows *make,
                               void *user)
{
  scattering self = {.comm = comm,
                     .row_bytes = row_bytes,
                     .portion = ls_size_max(PORTION_BYTES / row_bytes, 1),
                     .make = make,
                     .user = user};
  const request asked = {.first = mine->first, .count = mine->count};
  ls_status status;
  LS_GO(ls_comm_agree(comm, allocate(&self)));
  LS_GO(ls_comm_gather(comm, &asked, sizeof asked, self.requests));
  status = ls_comm_agree(comm, ls_comm_rank(comm) == 0 ? serve_all(&self, mine) : receive(&self, mine));
done:
  free(self.requests);
  free(self.portion_rows);
  return status;
}
