/* SPDX-License-Identifier: BSD-3-Clause */
/* The ranks of one host: they share memory, so what they sum need not be sent. */
#ifndef LS_COMM_NODE_H
#define LS_COMM_NODE_H

#include "comm/comm.h"

/** The ranks that share memory with this one, each with a segment that all of them can address; opaque. */
typedef struct ls_node ls_node;

/** Find the ranks of this host and give each a segment of shared memory.
 *
 * Where the host has no shared memory left, every rank becomes a node of its own.
 * @param comm       borrowed; sums between nodes go over ranks of it
 * @param max_ranks  at most so many ranks make a node; 0: all of a host. For tests, which have one host
 * @param bytes      of this rank's segment, zeroed; may differ from rank to rank
 * Collective. Errors: LS_E_MEMORY, LS_E_COMM.
 */
ls_status ls_node_new(ls_node **out, ls_comm *comm, size_t max_ranks, size_t bytes) LS_CHECKED;

/** NULL is fine. Collective. */
void ls_node_free(ls_node *node);

size_t ls_node_rank(const ls_node *node);  /* of this rank within the node, from 0 */
size_t ls_node_size(const ls_node *node);  /* ranks of the node */
size_t ls_node_count(const ls_node *node); /* nodes of the communicator */

/** The segment of the node's rank `rank`, 64-byte aligned; borrowed. */
void *ls_node_segment(const ls_node *node, size_t rank);

/** Wait for the node's ranks: what each wrote to segments before, all read afterwards. Collective over the
 * node. Errors: LS_E_COMM. */
ls_status ls_node_barrier(ls_node *node) LS_CHECKED;

/** Element-wise sums over the nodes, in place. Only the rank 0 of each node works, the others return at once;
 * a barrier before and after makes the sums everyone's. Errors: LS_E_COMM. */
ls_status ls_node_sum_u64(ls_node *node, uint64_t *values, size_t count) LS_CHECKED;
ls_status ls_node_sum_f32(ls_node *node, float *values, size_t count) LS_CHECKED;

#endif
