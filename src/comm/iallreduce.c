/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages are planned once, as persistent requests. A block of another node has two: this node's values go
 * to it, the sum comes back. A block of this node has two for each other node. */
#include "comm/iallreduce.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bfloat16.h"
#include "base/memory.h"
#include "base/size.h"
#include "comm/internal.h"

enum {
  BLOCK_BYTES = 32768, /* below the eager limit of Open MPI's TCP, 64 KiB */
  MOST_BLOCKS = 32767  /* tags that every MPI library has */
};

static const char doing[] = "summing over the hosts";

static void copy_u64(const void *from, size_t count, void *to)
{
  memcpy(to, from, count * sizeof(uint64_t));
}

static void copy_f32(const void *from, size_t count, void *to)
{
  memcpy(to, from, count * sizeof(float));
}

static void narrow(const void *from, size_t count, void *to)
{
  ls_bfloat16_from_float(from, count, to);
}

static void widen(const void *from, size_t count, void *to)
{
  ls_bfloat16_to_float(from, count, to);
}

static void add_u64(const void *from, size_t count, void *sum)
{
  const uint64_t *restrict x = from;
  uint64_t *restrict y = sum;
  for (size_t i = 0; i < count; i++) y[i] += x[i];
}

static void add_f32(const void *from, size_t count, void *sum)
{
  const float *restrict x = from;
  float *restrict y = sum;
  for (size_t i = 0; i < count; i++) y[i] += x[i];
}

static void add_bf16(const void *from, size_t count, void *sum)
{
  ls_bfloat16_add(from, count, sum);
}

static const struct wire_kind {
  size_t value_bytes, wire_bytes;
  void (*encode)(const void *values, size_t count, void *wire);
  void (*decode)(const void *wire, size_t count, void *values);
  void (*add)(const void *wire, size_t count, void *values);
} kinds[LS_WIRE_COUNT] = {
    [LS_WIRE_U64] = {sizeof(uint64_t), sizeof(uint64_t), copy_u64, copy_u64, add_u64},
    [LS_WIRE_F32] = {sizeof(float), sizeof(float), copy_f32, copy_f32, add_f32},
    [LS_WIRE_BF16] = {sizeof(float), sizeof(uint16_t), narrow, widen, add_bf16},
};

/* What a request carries. */
typedef struct message {
  size_t block;
  bool is_receive;
} message;

/* Requests of a block lie side by side, receives first: one from and one to each peer. */
typedef struct block {
  size_t first, count;    /* elements */
  size_t message, peers;  /* its requests are [message, message + 2 peers) */
  size_t inbox;           /* offset of what its receives bring, a block's length each */
  size_t awaited;         /* receives that are due in this sum */
  bool is_mine, is_ready; /* this node adds it up; its values are final */
} block;

struct ls_iallreduce {
  const struct wire_kind *kind;
  MPI_Comm comm; /* of the nodes' first ranks; borrowed */
  int rank, size;
  char *values;   /* [count], borrowed */
  size_t started; /* values from here on are final */
  block *blocks;
  size_t block_elements;    /* the last block has fewer */
  size_t block_count, next; /* blocks from `next` on have been started */
  MPI_Request *requests;    /* [message_count] */
  message *messages;
  int *arrived; /* [message_count] scratch */
  size_t message_count, pending;
  char *inbox, *outbox; /* in wire form; outbox [count] */
  char *total;          /* a block of values */
};

static char *wire_at(const ls_iallreduce *sum, size_t first)
{
  return sum->outbox + first * sum->kind->wire_bytes;
}

static char *values_at(const ls_iallreduce *sum, size_t first)
{
  return sum->values + first * sum->kind->value_bytes;
}

static char *inbox_at(const ls_iallreduce *sum, const block *b, size_t peer)
{
  return sum->inbox + (b->inbox + peer * b->count) * sum->kind->wire_bytes;
}

/* The node with which the index-th message of a block is exchanged. */
static int peer_of(const ls_iallreduce *sum, size_t index, size_t peer)
{
  if (sum->blocks[index].is_mine) return (int)peer + ((int)peer >= sum->rank);
  return (int)(index % (size_t)sum->size);
}

static void plan_blocks(ls_iallreduce *sum, size_t count, size_t *inbox)
{
  for (size_t i = 0; i < sum->block_count; i++) {
    block *b = &sum->blocks[i];
    b->first = i * sum->block_elements;
    b->count = ls_size_min(sum->block_elements, count - b->first);
    b->is_mine = i % (size_t)sum->size == (size_t)sum->rank;
    b->peers = b->is_mine ? (size_t)sum->size - 1 : 1;
    b->message = sum->message_count;
    b->inbox = *inbox;
    *inbox += b->peers * b->count;
    sum->message_count += 2 * b->peers;
  }
}

/* The requests of a block: persistent, and waiting to be started. */
static ls_status plan_messages(ls_iallreduce *sum, size_t index)
{
  const block *b = &sum->blocks[index];
  const int bytes = (int)(b->count * sum->kind->wire_bytes), tag = (int)index;
  for (size_t p = 0; p < b->peers; p++) {
    const int peer = peer_of(sum, index, p);
    const size_t in = b->message + p, out = in + b->peers;
    sum->messages[in] = (message){index, true};
    sum->messages[out] = (message){index, false};
    LS_PASS(ls_comm_check(
        MPI_Recv_init(inbox_at(sum, b, p), bytes, MPI_BYTE, peer, tag, sum->comm, &sum->requests[in]),
        doing));
    LS_PASS(ls_comm_check(
        MPI_Send_init(wire_at(sum, b->first), bytes, MPI_BYTE, peer, tag, sum->comm, &sum->requests[out]),
        doing));
  }
  return LS_OK;
}

static ls_status plan(ls_iallreduce *sum, size_t count)
{
  size_t inbox = 0;
  sum->block_elements =
      ls_size_max(BLOCK_BYTES / sum->kind->wire_bytes, ls_size_ceil_div(count, MOST_BLOCKS));
  sum->block_count = ls_size_ceil_div(count, sum->block_elements);
  LS_PASS(ls_alloc(&sum->blocks, sum->block_count, sizeof *sum->blocks, "blocks"));
  plan_blocks(sum, count, &inbox);
  LS_PASS(ls_alloc(&sum->requests, sum->message_count, sizeof(MPI_Request), "requests"));
  for (size_t i = 0; i < sum->message_count; i++) sum->requests[i] = MPI_REQUEST_NULL;
  LS_PASS(ls_alloc(&sum->messages, sum->message_count, sizeof *sum->messages, "messages"));
  LS_PASS(ls_alloc(&sum->arrived, sum->message_count, sizeof *sum->arrived, "messages"));
  LS_PASS(ls_alloc(&sum->inbox, inbox, sum->kind->wire_bytes, "messages that come"));
  LS_PASS(ls_alloc(&sum->outbox, count, sum->kind->wire_bytes, "messages that go"));
  LS_PASS(ls_alloc(&sum->total, sum->block_elements, sum->kind->value_bytes, "a block's sum"));
  for (size_t i = 0; i < sum->block_count; i++) LS_PASS(plan_messages(sum, i));
  return LS_OK;
}

ls_status ls_iallreduce_new(ls_iallreduce **out, ls_node *node, ls_wire wire, void *values, size_t count)
{
  const ls_comm *leaders = ls_node_leaders(node);
  ls_iallreduce *sum;
  LS_PASS(ls_alloc(&sum, 1, sizeof *sum, "a sum over the hosts"));
  *sum = (ls_iallreduce){.kind = &kinds[wire],
                         .comm = leaders->handle,
                         .rank = leaders->rank,
                         .size = leaders->size,
                         .values = values};
  const ls_status status = plan(sum, count);
  if (status != LS_OK) {
    ls_iallreduce_free(sum);
    return ls_wrap(status, "planning sums of %zu values over %d hosts", count, leaders->size);
  }
  *out = sum;
  return LS_OK;
}

void ls_iallreduce_free(ls_iallreduce *sum)
{
  if (!sum) return;
  for (size_t i = 0; sum->requests && i < sum->message_count; i++)
    if (sum->requests[i] != MPI_REQUEST_NULL) MPI_Request_free(&sum->requests[i]);
  free(sum->blocks);
  free(sum->requests);
  free(sum->messages);
  free(sum->arrived);
  free(sum->inbox);
  free(sum->outbox);
  free(sum->total);
  free(sum);
}

/* Start a block's receives, or its sends. */
static ls_status start_messages(ls_iallreduce *sum, const block *b, bool receives)
{
  MPI_Request *first = sum->requests + b->message + (receives ? 0 : b->peers);
  return ls_comm_check(MPI_Startall((int)b->peers, first), doing);
}

ls_status ls_iallreduce_begin(ls_iallreduce *sum)
{
  sum->next = sum->block_count;
  sum->pending = sum->message_count;
  for (size_t i = 0; i < sum->block_count; i++) {
    block *b = &sum->blocks[i];
    b->awaited = b->peers;
    b->is_ready = false;
    LS_PASS(start_messages(sum, b, true));
  }
  return LS_OK;
}

/* Add up a block of this node's in the order of the nodes, and send the sum to them. */
static ls_status add_up(ls_iallreduce *sum, const block *b)
{
  const struct wire_kind *kind = sum->kind;
  for (int node = 0; node < sum->size; node++) {
    const size_t peer = (size_t)(node - (node > sum->rank));
    const char *brought = node == sum->rank ? wire_at(sum, b->first) : inbox_at(sum, b, peer);
    (node == 0 ? kind->decode : kind->add)(brought, b->count, sum->total);
  }
  kind->encode(sum->total, b->count, wire_at(sum, b->first));
  kind->decode(wire_at(sum, b->first), b->count, values_at(sum, b->first));
  return start_messages(sum, b, false);
}

/* A message of a block has completed: is the block this node's, and complete? */
static ls_status follow_up(ls_iallreduce *sum, const block *b)
{
  if (b->awaited > 0 || !b->is_ready) return LS_OK;
  if (b->is_mine) return add_up(sum, b);
  sum->kind->decode(inbox_at(sum, b, 0), b->count, values_at(sum, b->first));
  return LS_OK;
}

ls_status ls_iallreduce_start(ls_iallreduce *sum, size_t first)
{
  for (; sum->next > 0 && sum->blocks[sum->next - 1].first >= first; sum->next--) {
    block *b = &sum->blocks[sum->next - 1];
    b->is_ready = true;
    sum->kind->encode(values_at(sum, b->first), b->count, wire_at(sum, b->first));
    LS_PASS(b->is_mine ? follow_up(sum, b) : start_messages(sum, b, false));
  }
  return LS_OK;
}

/* Process the messages that MPI reports as completed. */
static ls_status take_in(ls_iallreduce *sum, int count)
{
  if (count == MPI_UNDEFINED) return LS_OK;
  sum->pending -= (size_t)count;
  for (int i = 0; i < count; i++) {
    const message *m = &sum->messages[sum->arrived[i]];
    if (!m->is_receive) continue;
    sum->blocks[m->block].awaited--;
    LS_PASS(follow_up(sum, &sum->blocks[m->block]));
  }
  return LS_OK;
}

ls_status ls_iallreduce_advance(ls_iallreduce *sum)
{
  int count;
  LS_PASS(ls_comm_check(
      MPI_Testsome((int)sum->message_count, sum->requests, &count, sum->arrived, MPI_STATUSES_IGNORE),
      doing));
  return take_in(sum, count);
}

ls_status ls_iallreduce_end(ls_iallreduce *sum)
{
  assert(sum->next == 0 && "every block has been started");
  while (sum->pending > 0) {
    int count;
    LS_PASS(ls_comm_check(
        MPI_Waitsome((int)sum->message_count, sum->requests, &count, sum->arrived, MPI_STATUSES_IGNORE),
        doing));
    LS_PASS(take_in(sum, count));
  }
  return LS_OK;
}
