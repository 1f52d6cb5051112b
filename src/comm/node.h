/* SPDX-License-Identifier: BSD-3-Clause */
/* The ranks of one host: they share memory, so what they sum need not be sent. */
#ifndef LS_COMM_NODE_H
#define LS_COMM_NODE_H

#include "comm/comm.h"

/** The ranks that share memory with this one; opaque. */
typedef struct ls_node ls_node;

typedef struct ls_node_options {
  size_t max_ranks; /* at most so many ranks make a node; 0: all of a host. For tests, which have one host */
  size_t bytes;     /* of this rank's segment; may differ from rank to rank */
  size_t threads;   /* of this rank, which use equal shares of its segment; 0: one */
  size_t common_bytes; /* of the node's common segment; the same on all ranks */
} ls_node_options;

/** Find the ranks of this host and share memory between them: a segment of each rank and a common one,
 * zeroed.
 *
 * Where a host does not let its ranks share memory, every rank of the job becomes a node of its own: see
 * ls_node_split_reason(). `comm` is borrowed; sums between nodes go over ranks of it.
 * Collective. Errors: LS_E_MEMORY, LS_E_COMM.
 */
ls_status ls_node_new(ls_node **out, ls_comm *comm, const ls_node_options *options) LS_CHECKED;

/** NULL is fine. Collective. */
void ls_node_free(ls_node *node);

/** The communicator of the nodes' first ranks; for those. Borrowed. */
const ls_comm *ls_node_leaders(const ls_node *node);

size_t ls_node_rank(const ls_node *node);  /* of this rank within the node, from 0 */
size_t ls_node_size(const ls_node *node);  /* ranks of the node */
size_t ls_node_count(const ls_node *node); /* nodes of the communicator */

/** Why the ranks of this host do not share memory, and each counts as a node; NULL if they do. Borrowed. */
const char *ls_node_split_reason(const ls_node *node);

/** The segment of the node's rank `rank`, and the common one, 64-byte aligned; borrowed. */
void *ls_node_segment(const ls_node *node, size_t rank);
void *ls_node_common(const ls_node *node);

/** Wait for the node's ranks: what each wrote to segments before, all read afterwards. Collective over the
 * node. Cannot fail: it returns when all have come, and a rank that is lost is the launcher's business. */
void ls_node_barrier(ls_node *node);

/** Element-wise sums over the nodes, in place. Only the rank 0 of each node works, the others return at once;
 * a barrier before and after makes the sums everyone's. Collective. Errors: LS_E_COMM. */
ls_status ls_node_sum_u64(ls_node *node, uint64_t *values, size_t count) LS_CHECKED;
ls_status ls_node_sum_f32(ls_node *node, float *values, size_t count) LS_CHECKED;

#endif
