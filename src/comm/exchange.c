/* SPDX-License-Identifier: BSD-3-Clause */
/* One MPI_Ialltoallv. MPI reads the counts and offsets while it runs, so the exchange keeps them as ints
 * beside the request until it is complete. */
#include <limits.h>
#include <stdlib.h>

#include "base/memory.h"
#include "comm/comm.h"
#include "comm/internal.h"

enum { SEND_COUNTS, SEND_OFFSETS, RECEIVE_COUNTS, RECEIVE_OFFSETS, LISTS };

struct ls_exchange {
  MPI_Request request;
  MPI_Datatype item;
  int *lists[LISTS]; /* [size] each, in one allocation that begins at lists[0] */
};

static void exchange_free(ls_exchange *exchange)
{
  if (!exchange) return;
  if (exchange->item != MPI_DATATYPE_NULL) MPI_Type_free(&exchange->item);
  free(exchange->lists[0]);
  free(exchange);
}

/* Items, as MPI counts them. */
static ls_status copy_list(int *list, const size_t *values, size_t size)
{
  for (size_t r = 0; r < size; r++) {
    if (values[r] > INT_MAX)
      return ls_fail(LS_E_INPUT,
                     "an exchange reaches item %zu of a rank, at most %d are possible; try: more ranks",
                     values[r], INT_MAX);
    list[r] = (int)values[r];
  }
  return LS_OK;
}

/* Everything before the communication. Local. */
static ls_status prepare(ls_exchange **out, size_t size, size_t item_bytes, const size_t *const lists[LISTS])
{
  if (item_bytes > INT_MAX)
    return ls_fail(LS_E_INPUT, "an item of %zu bytes cannot be exchanged, at most %d", item_bytes, INT_MAX);
  ls_exchange *exchange;
  ls_status status;
  LS_PASS(ls_alloc(&exchange, 1, sizeof *exchange, "an exchange"));
  exchange->item = MPI_DATATYPE_NULL;
  LS_GO(ls_alloc(&exchange->lists[0], LISTS * size, sizeof *exchange->lists[0], "the counts of an exchange"));
  for (size_t i = 0; i < LISTS; i++) {
    exchange->lists[i] = exchange->lists[0] + i * size;
    LS_GO(copy_list(exchange->lists[i], lists[i], size));
  }
  LS_GO(ls_comm_check(MPI_Type_contiguous((int)item_bytes, MPI_BYTE, &exchange->item), "describing an item"));
  LS_GO(ls_comm_check(MPI_Type_commit(&exchange->item), "describing an item"));
  *out = exchange;
done:
  if (status != LS_OK) exchange_free(exchange);
  return status;
}

ls_status ls_exchange_start(ls_exchange **out, ls_comm *comm, size_t item_bytes, const void *send,
                            const size_t *send_counts, const size_t *send_offsets, void *receive,
                            const size_t *receive_counts, const size_t *receive_offsets)
{
  const size_t *const lists[LISTS] = {[SEND_COUNTS] = send_counts,
                                      [SEND_OFFSETS] = send_offsets,
                                      [RECEIVE_COUNTS] = receive_counts,
                                      [RECEIVE_OFFSETS] = receive_offsets};
  ls_exchange *exchange = NULL;
  ls_status status;
  LS_GO(ls_comm_agree(comm, prepare(&exchange, (size_t)comm->size, item_bytes, lists)));
  int *const *list = exchange->lists;
  LS_GO(ls_comm_check(MPI_Ialltoallv(send, list[SEND_COUNTS], list[SEND_OFFSETS], exchange->item, receive,
                                     list[RECEIVE_COUNTS], list[RECEIVE_OFFSETS], exchange->item,
                                     comm->handle, &exchange->request),
                      "starting an exchange"));
  *out = exchange;
done:
  if (status != LS_OK) exchange_free(exchange);
  return status;
}

ls_status ls_exchange_poke(ls_exchange *exchange)
{
  int is_complete;
  return ls_comm_check(MPI_Test(&exchange->request, &is_complete, MPI_STATUS_IGNORE), "exchanging items");
}

ls_status ls_exchange_wait(ls_exchange *exchange)
{
  if (!exchange) return LS_OK;
  ls_status status = ls_comm_check(MPI_Wait(&exchange->request, MPI_STATUS_IGNORE), "exchanging items");
  exchange_free(exchange);
  return status;
}
