/* SPDX-License-Identifier: BSD-3-Clause */
/* The ranks of one host and their shared memory. Not by MPI's shared windows: Open MPI 4.1 hangs where it
 * finds no memory for one.
 *
 * Source of the idea: Hoefler et al.: "MPI + MPI: a new hybrid approach to parallel programming with MPI plus
 * shared memory", Computing 95, 2013. */
#include "comm/node.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/size.h"
#include "comm/barrier.h"
#include "comm/internal.h"
#include "comm/segment.h"

enum { REASON_BYTES = 256 };

struct ls_node {
  ls_comm ranks;                   /* of this node */
  ls_comm leaders;                 /* the rank 0 of each node; on other ranks MPI_COMM_NULL */
  int count;                       /* nodes */
  char split_reason[REASON_BYTES]; /* why sharing memory failed; "": it did not */
  ls_segment *segments;            /* [ranks.size + 1]: the last is the common one, made by rank 0 */
  ls_barrier *barrier;             /* at the end of the common one */
};

static const char doing[] = "finding the ranks of a host";

static ls_status measure(ls_comm *comm)
{
  LS_PASS(ls_comm_check(MPI_Comm_set_errhandler(comm->handle, MPI_ERRORS_RETURN), doing));
  LS_PASS(ls_comm_check(MPI_Comm_rank(comm->handle, &comm->rank), doing));
  return ls_comm_check(MPI_Comm_size(comm->handle, &comm->size), doing);
}

/* The node's ranks: those of the host, cut into groups of max_ranks. Collective. */
static ls_status split(ls_node *node, const ls_comm *comm, size_t max_ranks)
{
  ls_comm host = {.handle = MPI_COMM_NULL};
  ls_status status;
  LS_GO(LS_COMM_WAIT(
      comm, MPI_Comm_split_type(comm->handle, MPI_COMM_TYPE_SHARED, comm->rank, MPI_INFO_NULL, &host.handle),
      doing));
  LS_GO(measure(&host));
  const int group = max_ranks == 0 ? 0 : (int)((size_t)host.rank / max_ranks);
  LS_GO(LS_COMM_WAIT(comm, MPI_Comm_split(host.handle, group, host.rank, &node->ranks.handle), doing));
  LS_GO(measure(&node->ranks));
done:
  if (host.handle != MPI_COMM_NULL) MPI_Comm_free(&host.handle);
  return status;
}

/* The communicator of the nodes' first ranks, and how many there are. Collective. */
static ls_status join_leaders(ls_node *node, const ls_comm *comm)
{
  const bool leads = node->ranks.rank == 0;
  LS_PASS(LS_COMM_WAIT(
      comm, MPI_Comm_split(comm->handle, leads ? 0 : MPI_UNDEFINED, comm->rank, &node->leaders.handle),
      doing));
  if (leads) LS_PASS(measure(&node->leaders));
  node->count = node->leaders.size;
  return ls_comm_broadcast(&node->ranks, &node->count, sizeof node->count);
}

static ls_segment *common_of(const ls_node *node)
{
  return &node->segments[node->ranks.size];
}

/* Where the barrier lies in the common segment. */
static size_t barrier_at(size_t common_bytes)
{
  return ls_size_round_up(common_bytes, LS_ALIGNMENT);
}

/* The segments that this rank makes. Local. */
static ls_status make_segments(ls_node *node, const ls_node_options *options)
{
  const size_t count = (size_t)node->ranks.size + 1, threads = ls_size_max(options->threads, 1);
  LS_PASS(ls_alloc(&node->segments, count, sizeof *node->segments, "the shared segments"));
  LS_PASS(ls_segment_make(&node->segments[node->ranks.rank], options->bytes, threads));
  if (node->ranks.rank > 0) return LS_OK;
  return ls_segment_make(common_of(node), barrier_at(options->common_bytes) + sizeof(ls_barrier), threads);
}

/* The segments that other ranks made. Local. */
static ls_status map_segments(ls_node *node, const ls_segment_key *keys)
{
  for (int i = 0; i <= node->ranks.size; i++)
    if (!node->segments[i].base) LS_PASS(ls_segment_map(&node->segments[i], &keys[i]));
  return LS_OK;
}

/* Make all segments known to all ranks of the node. Collective over the communicator. */
static ls_status exchange_segments(ls_node *node, ls_comm *comm)
{
  const size_t size = (size_t)node->ranks.size;
  ls_segment_key *keys = NULL;
  ls_status status;
  LS_GO(ls_comm_agree(comm, ls_alloc(&keys, size + 1, sizeof *keys, "the keys")));
  LS_GO(ls_comm_gather(&node->ranks, &node->segments[node->ranks.rank].key, sizeof *keys, keys));
  keys[size] = common_of(node)->key;
  LS_GO(ls_comm_broadcast(&node->ranks, keys, (size + 1) * sizeof *keys));
  LS_GO(ls_comm_agree(comm, map_segments(node, keys)));
  for (size_t i = 0; i <= size; i++) ls_segment_close(&node->segments[i]);
done:
  free(keys);
  return status;
}

static void release(ls_node *node)
{
  for (int i = 0; node->segments && i <= node->ranks.size; i++) ls_segment_fini(&node->segments[i]);
  free(node->segments);
  if (node->leaders.handle != MPI_COMM_NULL) MPI_Comm_free(&node->leaders.handle);
  if (node->ranks.handle != MPI_COMM_NULL) MPI_Comm_free(&node->ranks.handle);
}

static ls_status build(ls_node *node, ls_comm *comm, const ls_node_options *options)
{
  *node = (ls_node){.ranks = {.handle = MPI_COMM_NULL, .activity = comm->activity},
                    .leaders = {.handle = MPI_COMM_NULL}};
  ls_status status;
  LS_GO(split(node, comm, options->max_ranks));
  LS_GO(join_leaders(node, comm));
  LS_GO(ls_comm_agree(comm, make_segments(node, options)));
  LS_GO(exchange_segments(node, comm));
  node->barrier = (ls_barrier *)(void *)(common_of(node)->base + barrier_at(options->common_bytes));
  return LS_OK;
done:
  if (status != LS_E_COMM) release(node);
  return status;
}

ls_status ls_node_new(ls_node **out, ls_comm *comm, const ls_node_options *options)
{
  ls_node *node = NULL;
  LS_AGREE(comm, ls_alloc(&node, 1, sizeof *node, "a node's communicator"));
  ls_status status = build(node, comm, options);
  if (status == LS_E_MEMORY && options->max_ranks != 1) {
    ls_node_options alone = *options;
    alone.max_ranks = 1;
    char reason[REASON_BYTES];
    snprintf(reason, sizeof reason, "%.*s", REASON_BYTES - 1, ls_error_last()->text);
    status = build(node, comm, &alone);
    snprintf(node->split_reason, sizeof node->split_reason, "%s", reason);
  }
  if (status != LS_OK) {
    free(node);
    return status;
  }
  *out = node;
  return LS_OK;
}

void ls_node_free(ls_node *node)
{
  if (!node) return;
  release(node);
  free(node);
}

size_t ls_node_rank(const ls_node *node)
{
  return (size_t)node->ranks.rank;
}

size_t ls_node_size(const ls_node *node)
{
  return (size_t)node->ranks.size;
}

size_t ls_node_count(const ls_node *node)
{
  return (size_t)node->count;
}

const char *ls_node_split_reason(const ls_node *node)
{
  return node->split_reason[0] ? node->split_reason : NULL;
}

const ls_comm *ls_node_leaders(const ls_node *node)
{
  return &node->leaders;
}

void *ls_node_segment(const ls_node *node, size_t rank)
{
  return node->segments[rank].base;
}

void *ls_node_common(const ls_node *node)
{
  return common_of(node)->base;
}

void ls_node_barrier(ls_node *node)
{
  if (node->ranks.size == 1) return;
  ls_activity_wait(node->ranks.activity, "waiting for the ranks of this host");
  ls_barrier_wait(node->barrier, (uint32_t)node->ranks.size);
  ls_activity_work(node->ranks.activity);
}

ls_status ls_node_sum_u64(ls_node *node, uint64_t *values, size_t count)
{
  return node->ranks.rank == 0 ? ls_comm_sum_u64(&node->leaders, values, count) : LS_OK;
}

ls_status ls_node_sum_f32(ls_node *node, float *values, size_t count)
{
  return node->ranks.rank == 0 ? ls_comm_sum_f32(&node->leaders, values, count) : LS_OK;
}
