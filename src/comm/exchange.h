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

/** What this rank sends: for rank r counts[r] items, the items of rank 0 first, then those of rank 1, ... */
typedef struct ls_exchange_send {
  const void *items;    /* the buffer */
  const size_t *counts; /* [size]; the own rank's must be 0: the caller copies those itself */
  const int *index;     /* [sum of counts] numbers of the items in the buffer */
} ls_exchange_send;

/** What this rank receives, and where it goes; the k-th item for a rank meets the k-th that it expects. */
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
