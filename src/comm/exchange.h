/* SPDX-License-Identifier: BSD-3-Clause */
/* An exchange of fixed-size items that are scattered in the buffers of both sides: MPI gathers what it sends
 * and scatters what it receives by derived datatypes (MPI_Ialltoallw), so no packed copy of either side is
 * ever made. It runs in the background of training. */
#ifndef LS_COMM_EXCHANGE_H
#define LS_COMM_EXCHANGE_H

#include <stddef.h>

#include "base/status.h"
#include "comm/comm.h"

typedef struct ls_exchange ls_exchange;

/** The items that this rank sends: counts[r] items for rank r, those for rank 0 first, then those for rank 1,
 * ... */
typedef struct ls_exchange_send {
  const void *items;    /* the buffer */
  const size_t *counts; /* [size]; the own rank's must be 0: the caller copies those itself */
  const int *index;     /* [sum of counts] numbers of the items in the buffer */
} ls_exchange_send;

/** The items that this rank receives; the k-th item that a rank sends here is the k-th that is expected from
 * it. */
typedef struct ls_exchange_receive {
  void *items;
  const size_t *counts;
  const int *index;
} ls_exchange_receive;

/** Start an exchange. The buffers must stay where they are until ls_exchange_wait(); what is sent may be read
 * meanwhile; counts and indices may be released at once.
 *
 * Collective. Errors: LS_E_INPUT if counts or items are too large for MPI; LS_E_MEMORY, LS_E_COMM.
 */
ls_status ls_exchange_start(ls_exchange **out, ls_comm *comm, size_t item_bytes, const ls_exchange_send *send,
                            const ls_exchange_receive *receive) LS_CHECKED;

/** Advance a running exchange. Cheap. Local. Errors: LS_E_COMM. */
ls_status ls_exchange_advance(ls_exchange *exchange) LS_CHECKED;

/** Complete the exchange and free it; NULL is fine. Collective. Errors: LS_E_COMM. */
ls_status ls_exchange_wait(ls_exchange *exchange) LS_CHECKED;

#endif
