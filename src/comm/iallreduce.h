/* SPDX-License-Identifier: BSD-3-Clause */
/* A sum over the nodes that goes on while the caller computes: our own nonblocking allreduce of a vector
 * whose elements become final from the last to the first.
 *
 * MPI libraries work only while they are called, and a thread that waits in MPI takes a core. So the
 * vector is cut into blocks small enough to be sent eagerly: the operating system carries them, and a short
 * call now and then hands over what has arrived. Each block has a node that sums the blocks of all nodes, in
 * the order of the nodes, and sends the sum to all: reduce-scatter and allgather, with 2 (n - 1) / n of the
 * vector's bytes sent by each of n nodes. Blocks are as long as Open MPI sends eagerly over TCP; a transport
 * with a lower limit is as correct, but overlaps less (train.bucket_mb=0 then sums at the end, by
 * MPI_Allreduce).
 *
 * Source of the schedule: Thakur, Rabenseifner, Gropp: "Optimization of Collective Communication Operations
 * in MPICH", IJHPCA 19(1), 2005, section 4.5, with all partners at once instead of one after the other.
 *
 * For the rank 0 of each node, by the thread that calls MPI. */
#ifndef LS_COMM_IALLREDUCE_H
#define LS_COMM_IALLREDUCE_H

#include "comm/node.h"

/** What travels. */
typedef enum ls_wire {
  LS_WIRE_U64,  /* values are uint64_t, and sent so */
  LS_WIRE_F32,  /* float, sent so: the same bits on each node, but not those of another number of nodes */
  LS_WIRE_BF16, /* float, sent as bfloat16 (base/bfloat16.h), which the sums are rounded to */
  LS_WIRE_COUNT
} ls_wire;

typedef struct ls_iallreduce ls_iallreduce;

/** Plan sums of values[count], in place; borrowed, as is the node, with as many of them on each node. Local.
 * Errors: LS_E_MEMORY, LS_E_COMM. */
ls_status ls_iallreduce_new(ls_iallreduce **out, ls_node *node, ls_wire wire, void *values,
                            size_t count) LS_CHECKED;

/** NULL is fine. Local, between sums. */
void ls_iallreduce_free(ls_iallreduce *sum);

/** A sum begins: blocks of other nodes may come. Local. Errors: LS_E_COMM. */
ls_status ls_iallreduce_begin(ls_iallreduce *sum) LS_CHECKED;

/** The values from `first` on are final, and not to be touched until the end; `first` falls from call to
 * call. Local. Errors: LS_E_COMM. */
ls_status ls_iallreduce_start(ls_iallreduce *sum, size_t first) LS_CHECKED;

/** Process the messages that have arrived, without waiting. Local. Errors: LS_E_COMM. */
ls_status ls_iallreduce_advance(ls_iallreduce *sum) LS_CHECKED;

/** Wait for the sums; everything has been started. Collective over the nodes. Errors: LS_E_COMM. */
ls_status ls_iallreduce_end(ls_iallreduce *sum) LS_CHECKED;

#endif
