/* SPDX-License-Identifier: BSD-3-Clause */
/* The ranks of one host and their shared memory: MPI-3 shared windows.
 *
 * Source: Hoefler et al.: "MPI + MPI: a new hybrid approach to parallel programming with MPI plus shared
 * memory", Computing 95, 2013. */
#include "comm/node.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "comm/internal.h"

struct ls_node {
  ls_comm ranks;   /* of this node */
  ls_comm leaders; /* the rank 0 of each node; on other ranks MPI_COMM_NULL */
  int count;       /* nodes */
  MPI_Win window;  /* MPI_WIN_NULL: a node of one rank, whose segment is its own memory */
  void **segments; /* [ranks.size] */
  void *own;       /* without a window */
};

static const char doing[] = "sharing memory between the ranks of a host";

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
  LS_GO(ls_comm_check(
      MPI_Comm_split_type(comm->handle, MPI_COMM_TYPE_SHARED, comm->rank, MPI_INFO_NULL, &host.handle),
      doing));
  LS_GO(measure(&host));
  const int group = max_ranks == 0 ? 0 : (int)((size_t)host.rank / max_ranks);
  LS_GO(ls_comm_check(MPI_Comm_split(host.handle, group, host.rank, &node->ranks.handle), doing));
  LS_GO(measure(&node->ranks));
done:
  if (host.handle != MPI_COMM_NULL) MPI_Comm_free(&host.handle);
  return status;
}

/* The communicator of the nodes' first ranks, and how many there are. Collective. */
static ls_status join_leaders(ls_node *node, const ls_comm *comm)
{
  const bool leads = node->ranks.rank == 0;
  LS_PASS(ls_comm_check(
      MPI_Comm_split(comm->handle, leads ? 0 : MPI_UNDEFINED, comm->rank, &node->leaders.handle), doing));
  if (leads) LS_PASS(measure(&node->leaders));
  node->count = node->leaders.size;
  return ls_comm_check(MPI_Bcast(&node->count, 1, MPI_INT, 0, node->ranks.handle), doing);
}

/* Segments start at their own pages: a rank's memory is near the cores that use it. */
static ls_status open_window(ls_node *node, size_t bytes)
{
  void *base;
  MPI_Info info;
  LS_PASS(ls_comm_check(MPI_Info_create(&info), doing));
  ls_status status = ls_comm_check(MPI_Info_set(info, "alloc_shared_noncontig", "true"), doing);
  if (status == LS_OK)
    status = ls_comm_check(MPI_Win_allocate_shared((MPI_Aint)(bytes + LS_ALIGNMENT), 1, info,
                                                   node->ranks.handle, &base, &node->window),
                           doing);
  MPI_Info_free(&info);
  return status;
}

/* Where every rank's segment lies in this process. */
static ls_status find_segments(ls_node *node)
{
  for (int i = 0; i < node->ranks.size; i++) {
    MPI_Aint bytes;
    int unit;
    void *base;
    LS_PASS(ls_comm_check(MPI_Win_shared_query(node->window, i, &bytes, &unit, &base), doing));
    const uintptr_t skip = -(uintptr_t)base % LS_ALIGNMENT;
    node->segments[i] = (unsigned char *)base + skip;
  }
  return ls_comm_check(MPI_Win_lock_all(MPI_MODE_NOCHECK, node->window), doing);
}

static void close_window(ls_node *node)
{
  if (node->window == MPI_WIN_NULL) return;
  MPI_Win_unlock_all(node->window);
  MPI_Win_free(&node->window);
  node->window = MPI_WIN_NULL;
}

/* One segment for each of the node's ranks. Local errors are agreed on by the caller. */
static ls_status share(ls_node *node, size_t bytes)
{
  LS_PASS(ls_alloc(&node->segments, (size_t)node->ranks.size, sizeof *node->segments, "the segments"));
  if (node->ranks.size == 1) {
    LS_PASS(ls_alloc(&node->own, bytes, 1, "the gradient's sums"));
    node->segments[0] = node->own;
    return LS_OK;
  }
  LS_PASS(open_window(node, bytes));
  LS_PASS(find_segments(node));
  memset(node->segments[node->ranks.rank], 0, bytes); /* also places the pages */
  return LS_OK;
}

static void release(ls_node *node)
{
  close_window(node);
  free(node->segments);
  free(node->own);
  node->segments = NULL;
  node->own = NULL;
  if (node->leaders.handle != MPI_COMM_NULL) MPI_Comm_free(&node->leaders.handle);
  if (node->ranks.handle != MPI_COMM_NULL) MPI_Comm_free(&node->ranks.handle);
}

static ls_status build(ls_node *node, ls_comm *comm, size_t max_ranks, size_t bytes)
{
  *node = (ls_node){.ranks = {.handle = MPI_COMM_NULL, .activity = comm->activity},
                    .leaders = {.handle = MPI_COMM_NULL, .activity = comm->activity},
                    .window = MPI_WIN_NULL};
  ls_status status;
  LS_GO(split(node, comm, max_ranks));
  LS_GO(join_leaders(node, comm));
  status = share(node, bytes);
  if (status == LS_E_COMM) status = ls_fail(LS_E_MEMORY, "%s failed", doing); /* MPI itself works */
  LS_GO(ls_comm_agree(comm, status));
  return ls_node_barrier(node); /* every segment is zeroed */
done:
  if (status != LS_E_COMM) release(node);
  return status;
}

ls_status ls_node_new(ls_node **out, ls_comm *comm, size_t max_ranks, size_t bytes)
{
  ls_node *node = NULL;
  LS_AGREE(comm, ls_alloc(&node, 1, sizeof *node, "a node's communicator"));
  ls_status status = build(node, comm, max_ranks, bytes);
  if (status == LS_E_MEMORY && max_ranks != 1) status = build(node, comm, 1, bytes);
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
  if (ls_error_last()->status != LS_E_COMM) release(node); /* otherwise it might wait for ever */
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

void *ls_node_segment(const ls_node *node, size_t rank)
{
  return node->segments[rank];
}

ls_status ls_node_barrier(ls_node *node)
{
  if (node->ranks.size == 1) return LS_OK;
  atomic_thread_fence(memory_order_seq_cst);
  LS_PASS(ls_comm_check(MPI_Win_sync(node->window), doing));
  LS_PASS(LS_COMM_WAIT(&node->ranks, MPI_Barrier(node->ranks.handle), "waiting for the ranks of this host"));
  return ls_comm_check(MPI_Win_sync(node->window), doing);
}

ls_status ls_node_sum_u64(ls_node *node, uint64_t *values, size_t count)
{
  return node->ranks.rank == 0 ? ls_comm_sum_u64(&node->leaders, values, count) : LS_OK;
}

ls_status ls_node_sum_f32(ls_node *node, float *values, size_t count)
{
  return node->ranks.rank == 0 ? ls_comm_sum_f32(&node->leaders, values, count) : LS_OK;
}
