/* SPDX-License-Identifier: BSD-3-Clause */
/* One MPI_Ialltoallw whose datatypes, one per peer and direction, list where the items lie. MPI packs and
 * unpacks them portion by portion while it sends, so it needs memory for the datatypes only. */
#include "comm/exchange.h"

#include <limits.h>
#include <stdlib.h>

#include "base/memory.h"
#include "comm/internal.h"

struct ls_exchange {
  const ls_comm *comm; /* borrowed */
  MPI_Request request;
  size_t size;         /* ranks */
  MPI_Datatype *types; /* [2 * size] of what goes to each rank, then of what comes; MPI_BYTE: nothing */
  int *counts;         /* [2 * size] 1, or 0 for nothing */
  int *displacements;  /* [size] 0: the datatypes say where */
};

static void exchange_free(ls_exchange *exchange)
{
  if (!exchange) return;
  for (size_t i = 0; exchange->types && i < 2 * exchange->size; i++)
    if (exchange->types[i] != MPI_BYTE) MPI_Type_free(&exchange->types[i]);
  free(exchange->types);
  free(exchange->counts);
  free(exchange->displacements);
  free(exchange);
}

static ls_status exchange_new(ls_exchange **out, size_t size)
{
  ls_exchange *exchange;
  ls_status status;
  LS_PASS(ls_alloc(&exchange, 1, sizeof *exchange, "an exchange"));
  exchange->size = size;
  LS_GO(ls_alloc(&exchange->types, 2 * size, sizeof *exchange->types, "the datatypes of an exchange"));
  for (size_t i = 0; i < 2 * size; i++) exchange->types[i] = MPI_BYTE;
  LS_GO(ls_alloc(&exchange->counts, 2 * size, sizeof *exchange->counts, "the counts of an exchange"));
  LS_GO(ls_alloc(&exchange->displacements, size, sizeof *exchange->displacements,
                 "the displacements of an exchange"));
  *out = exchange;
done:
  if (status != LS_OK) exchange_free(exchange);
  return status;
}

/* The datatypes of one direction. */
static ls_status make_types(MPI_Datatype *types, int *counts, size_t size, MPI_Datatype item,
                            const size_t *item_counts, const int *index)
{
  for (size_t r = 0; r < size; r++) {
    if (item_counts[r] == 0) continue;
    if (item_counts[r] > INT_MAX)
      return ls_fail(LS_E_INPUT,
                     "an exchange of %zu items between two ranks, at most %d are possible; "
                     "try: more ranks",
                     item_counts[r], INT_MAX);
    LS_PASS(ls_comm_check(MPI_Type_create_indexed_block((int)item_counts[r], 1, index, item, &types[r]),
                          "describing the items of an exchange"));
    LS_PASS(ls_comm_check(MPI_Type_commit(&types[r]), "describing the items of an exchange"));
    counts[r] = 1;
    index += item_counts[r];
  }
  return LS_OK;
}

/* Everything before the communication. Local. */
static ls_status prepare(ls_exchange **out, size_t size, size_t item_bytes, const ls_exchange_send *send,
                         const ls_exchange_receive *receive)
{
  MPI_Datatype item = MPI_BYTE;
  ls_exchange *exchange;
  if (item_bytes > INT_MAX)
    return ls_fail(LS_E_INPUT, "an item of %zu bytes cannot be exchanged, at most %d", item_bytes, INT_MAX);
  LS_PASS(exchange_new(&exchange, size));
  ls_status status;
  LS_GO(ls_comm_check(MPI_Type_contiguous((int)item_bytes, MPI_BYTE, &item), "describing an item"));
  LS_GO(make_types(exchange->types, exchange->counts, size, item, send->counts, send->index));
  LS_GO(make_types(exchange->types + size, exchange->counts + size, size, item, receive->counts,
                   receive->index));
  *out = exchange;
done:
  if (item != MPI_BYTE) MPI_Type_free(&item);
  if (status != LS_OK) exchange_free(exchange);
  return status;
}

ls_status ls_exchange_start(ls_exchange **out, ls_comm *comm, size_t item_bytes, const ls_exchange_send *send,
                            const ls_exchange_receive *receive)
{
  ls_exchange *exchange = NULL;
  const size_t size = (size_t)ls_comm_size(comm);
  ls_status status;
  LS_GO(ls_comm_agree(comm, prepare(&exchange, size, item_bytes, send, receive)));
  exchange->comm = comm;
  LS_GO(ls_comm_check(MPI_Ialltoallw(send->items, exchange->counts, exchange->displacements, exchange->types,
                                     receive->items, exchange->counts + size, exchange->displacements,
                                     exchange->types + size, comm->handle, &exchange->request),
                      "starting an exchange"));
  *out = exchange;
done:
  if (status != LS_OK) exchange_free(exchange);
  return status;
}

ls_status ls_exchange_advance(ls_exchange *exchange)
{
  int is_complete;
  return ls_comm_check(MPI_Test(&exchange->request, &is_complete, MPI_STATUS_IGNORE), "exchanging items");
}

ls_status ls_exchange_wait(ls_exchange *exchange)
{
  if (!exchange) return LS_OK;
  ls_status status =
      LS_COMM_WAIT(exchange->comm, MPI_Wait(&exchange->request, MPI_STATUS_IGNORE), "exchanging items");
  exchange_free(exchange);
  return status;
}
