/* SPDX-License-Identifier: BSD-3-Clause */
/* Reduction beside the backward pass. The vector is cut into buckets; the last one is complete first. Once
 * all threads of the node have made a bucket, it is summed over the node and sent to the other nodes. The
 * node's sender, thread 0 of its first rank, does that between two layers of its own backward pass; threads
 * that have finished help with the sums.
 *
 * Source: Li et al.: "PyTorch Distributed: Experiences on Accelerating Data Parallel Training", VLDB 2020,
 * section 3.2, for the buckets and their order. */
#include "train/sums/overlap.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/memory.h"
#include "base/size.h"

enum {
  LEAST_BUCKETS = 3, /* with fewer, there is too little to hide */
  NAP_NS = 20000     /* between two looks at the others' counts: short against a bucket's transfer */
};

/* In memory that the node's ranks share. Counts are of the whole run, so that no step has to reset them. */
typedef struct shared_bucket {
  atomic_uint_least64_t steps; /* in how many steps it was summed over the node */
  uint64_t outside;            /* with values out of range, in the last of them */
} shared_bucket;

typedef struct shared {
  atomic_uint_least64_t taken; /* buckets that a thread sums or has summed */
  shared_bucket buckets[];
} shared;

struct ls_overlap {
  ls_overlap_options options;
  shared *shared;
  size_t count;     /* buckets */
  size_t sent;      /* buckets that have started on their way, in this step; of the sender */
  ls_status status; /* of its transfers */
};

static size_t bucket_count(size_t count, size_t bucket)
{
  return bucket == 0 ? 0 : ls_size_ceil_div(count, bucket);
}

size_t ls_overlap_bytes(size_t count, size_t bucket)
{
  return sizeof(shared) + bucket_count(count, bucket) * sizeof(shared_bucket);
}

bool ls_overlap_pays(size_t count, size_t bucket, size_t nodes)
{
  return nodes > 1 && bucket_count(count, bucket) >= LEAST_BUCKETS;
}

/* Bucket k, counted from the end of the vector, is [first, end). */
static size_t first_of(const ls_overlap *overlap, size_t k)
{
  const size_t count = overlap->options.workers->count, after = (k + 1) * overlap->options.bucket;
  return count > after ? count - after : 0;
}

static size_t end_of(const ls_overlap *overlap, size_t k)
{
  return overlap->options.workers->count - k * overlap->options.bucket;
}

static void nap(void)
{
  const struct timespec time = {.tv_nsec = NAP_NS};
  nanosleep(&time, NULL);
}

/* A worker's count once it has made the elements from `first` on: it only grows, and 0 is before all. */
static uint64_t ready_count(const ls_workers *workers, size_t first)
{
  return workers->step * (workers->count + 1) + (workers->count - first) + 1;
}

/* Have all workers of the node made bucket k? */
static bool is_ready(const ls_overlap *overlap, size_t k)
{
  const ls_workers *workers = overlap->options.workers;
  const uint64_t wanted = ready_count(workers, first_of(overlap, k));
  for (size_t w = 0; w < workers->item_count; w++)
    if (atomic_load_explicit(workers->items[w].ready, memory_order_acquire) < wanted) return false;
  return true;
}

/* Take the next bucket that no thread has taken: with ready_only, only if it is ready. */
static bool take(const ls_overlap *overlap, bool ready_only, size_t *k)
{
  const uint64_t begin = overlap->options.workers->step * overlap->count;
  uint64_t taken = atomic_load(&overlap->shared->taken);
  while (taken < begin + overlap->count) {
    *k = (size_t)(taken - begin);
    if (ready_only && !is_ready(overlap, *k)) return false;
    if (atomic_compare_exchange_weak(&overlap->shared->taken, &taken, taken + 1)) return true;
  }
  return false;
}

static void sum_bucket(const ls_overlap *overlap, size_t k)
{
  shared_bucket *bucket = &overlap->shared->buckets[k];
  bucket->outside = !ls_workers_sum(overlap->options.workers, first_of(overlap, k), end_of(overlap, k));
  atomic_store_explicit(&bucket->steps, overlap->options.workers->step + 1, memory_order_release);
}

static bool is_summed(const ls_overlap *overlap, size_t k)
{
  return atomic_load_explicit(&overlap->shared->buckets[k].steps, memory_order_acquire) >
         overlap->options.workers->step;
}

/* Send the buckets that are summed, and process the messages that have arrived. */
static ls_status send_some(ls_overlap *overlap)
{
  ls_iallreduce *transfer = overlap->options.transfer;
  for (; overlap->sent < overlap->count && is_summed(overlap, overlap->sent); overlap->sent++)
    LS_PASS(ls_iallreduce_start(transfer, first_of(overlap, overlap->sent)));
  return ls_iallreduce_advance(transfer);
}

/* After an error nothing is sent any more. */
static void send_ready(ls_overlap *overlap)
{
  if (overlap->status == LS_OK) overlap->status = send_some(overlap);
}

static bool is_sender(const ls_overlap *overlap, size_t part)
{
  return overlap->options.transfer && part == 0;
}

ls_status ls_overlap_new(ls_overlap **out, const ls_overlap_options *options)
{
  ls_overlap *overlap;
  LS_PASS(ls_alloc(&overlap, 1, sizeof *overlap, "the overlap of reduction and computation"));
  *overlap = (ls_overlap){.options = *options,
                          .shared = options->shared,
                          .count = bucket_count(options->workers->count, options->bucket)};
  atomic_store(&overlap->shared->taken, options->workers->step * overlap->count);
  *out = overlap;
  return LS_OK;
}

void ls_overlap_free(ls_overlap *overlap)
{
  free(overlap);
}

void ls_overlap_begin(ls_overlap *overlap)
{
  overlap->sent = 0;
  overlap->status = overlap->options.transfer ? ls_iallreduce_begin(overlap->options.transfer) : LS_OK;
}

static void set_ready(const ls_overlap *overlap, size_t part, size_t first)
{
  atomic_store_explicit(overlap->options.workers->mine[part].ready,
                        ready_count(overlap->options.workers, first), memory_order_release);
}

void ls_overlap_ready(ls_overlap *overlap, size_t part, size_t first)
{
  size_t k;
  set_ready(overlap, part, first);
  if (!is_sender(overlap, part)) return;
  while (take(overlap, true, &k)) sum_bucket(overlap, k);
  send_ready(overlap);
}

/* Wait until all workers of the node have made bucket k; thread 0 notes that the rank waits. */
static void await(ls_overlap *overlap, size_t part, size_t k)
{
  ls_activity *activity = part == 0 ? ls_comm_activity(overlap->options.comm) : NULL;
  if (is_ready(overlap, k)) return;
  ls_activity_wait(activity, "summing the gradients over the host's ranks");
  while (!is_ready(overlap, k)) {
    if (is_sender(overlap, part)) send_ready(overlap);
    nap();
  }
  ls_activity_work(activity);
}

void ls_overlap_finish(ls_overlap *overlap, size_t part)
{
  size_t k;
  set_ready(overlap, part, 0);
  while (take(overlap, false, &k)) {
    await(overlap, part, k);
    sum_bucket(overlap, k);
  }
}

ls_status ls_overlap_end(ls_overlap *overlap)
{
  while (overlap->status == LS_OK && overlap->sent < overlap->count) {
    const size_t before = overlap->sent;
    send_ready(overlap);
    if (overlap->sent == before) nap();
  }
  return overlap->status == LS_OK ? ls_iallreduce_end(overlap->options.transfer) : overlap->status;
}

uint64_t ls_overlap_outside(const ls_overlap *overlap)
{
  uint64_t outside = 0;
  for (size_t k = 0; k < overlap->count; k++) outside += overlap->shared->buckets[k].outside;
  return outside;
}
