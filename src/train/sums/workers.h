/* SPDX-License-Identifier: BSD-3-Clause */
/* The threads of a node, their vectors, and the sums over them. Each rank owns a segment
 * of memory that the ranks of its node share:
 *
 *   [head | thread: flags, grads, sums, ready | thread: flags, grads, sums, ready | ...]
 *
 * The thread that sums a chunk reads the vectors of all threads where they lie. Private to src/train/sums. */
#ifndef LS_TRAIN_SUMS_WORKERS_H
#define LS_TRAIN_SUMS_WORKERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "comm/node.h"
#include "train/sums/fixed.h"
#include "train/sums/tally.h"

/* What a thread reports to the others. There are two: one is written while the slowest rank still reads the
 * other. */
typedef struct ls_worker_flags {
  uint64_t tally[LS_TALLY_COUNT];
  uint64_t has_grads; /* grads holds a micro-batch */
  uint64_t has_sums;  /* sums holds micro-batches */
} ls_worker_flags;

/* A thread's part of a segment, as this process sees it. */
typedef struct ls_worker {
  ls_worker_flags *flags; /* [2] */
  float *grads;           /* [count] gradient and statistics of a micro-batch */
  uint64_t
      *sums; /* [sum_count] fixed point, two's complement; 0 if a step gives a thread one micro-batch only */
  atomic_uint_least64_t *ready; /* see overlap.c */
} ls_worker;

typedef struct ls_workers {
  ls_node *node;       /* borrowed */
  size_t grads, count; /* of the vector: gradient; gradient and statistics */
  ls_fixed formats[2]; /* of gradients and of statistics */
  ls_worker *items;    /* [item_count] of the node, in the order of ranks and threads; owned */
  size_t item_count;
  ls_worker *mine;  /* this rank's [threads]; among the items */
  size_t threads;   /* of this rank */
  float *result;    /* [count] of the node's sums; NULL: they stay integers. Borrowed */
  uint64_t *totals; /* [count] likewise as integers; where result is NULL. Borrowed */
  size_t turn;      /* 0 or 1: the flags of this step */
  uint64_t step;    /* number of the reduction, from 0 */
} ls_workers;

/** Bytes of a segment for `threads` threads, whose sums take `sum_count` elements each. Local. */
size_t ls_workers_bytes(size_t count, size_t threads, size_t sum_count);

/** Write the head of this rank's segment. Local. */
void ls_workers_announce(const ls_workers *workers, size_t sum_count);

/** Find the node's workers, once every rank has written its head. Local. Errors: LS_E_MEMORY. */
ls_status ls_workers_find(ls_workers *workers) LS_CHECKED;
void ls_workers_fini(ls_workers *workers);

/** Where thread `part` of this rank puts its next micro-batch: see ls_sums_next(). Local. */
float *ls_workers_next(ls_workers *workers, size_t part);

/** Count for thread `part` of this rank. Local. */
void ls_workers_count(ls_workers *workers, size_t part, ls_tally what, uint64_t count);

/** Sum the elements [first, end) over the node's workers, into its totals or its result. Returns whether all
 * were within range. Local. */
bool ls_workers_sum(const ls_workers *workers, size_t first, size_t end);

/** Sum the chunk that is for thread `part` of this rank: the node's threads have one each. Local. */
void ls_workers_sum_part(ls_workers *workers, size_t part);

/** The values of the integers `totals` in [first, end). Local. */
void ls_workers_read(const ls_workers *workers, const uint64_t *totals, size_t first, size_t end,
                     float *values);

/** The node's tally. Local. */
void ls_workers_add_tallies(const ls_workers *workers, uint64_t tally[LS_TALLY_COUNT]);

/** End a step: switch to the other flags, which no rank reads any more. Local. */
void ls_workers_turn(ls_workers *workers);

#endif
