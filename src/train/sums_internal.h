/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the sums share. Private to sums.c and sums_overlap.c. */
#ifndef LS_TRAIN_SUMS_INTERNAL_H
#define LS_TRAIN_SUMS_INTERNAL_H

#include <stdatomic.h>

#include "comm/node.h"
#include "train/fixed.h"
#include "train/sums.h"

typedef struct ls_overlap ls_overlap;

/* What a thread tells the others; of two, one is written while the slowest rank still reads the other. */
typedef struct ls_sums_board {
  uint64_t tally[LS_TALLY_COUNT];
  uint64_t has_grads; /* grads holds a micro-batch */
  uint64_t has_sums;  /* sums holds micro-batches */
} ls_sums_board;

/* A thread's part of a segment, as this process sees it. */
typedef struct ls_sums_worker {
  ls_sums_board *boards; /* [2] */
  float *grads;          /* [count] gradient and statistics of a micro-batch */
  uint64_t
      *sums; /* [sum_count] fixed point, two's complement; 0 if a step gives a thread one micro-batch only */
  atomic_uint_least64_t *progress; /* see sums_overlap.c */
} ls_sums_worker;

struct ls_sums {
  ls_sums_options options;
  ls_node *node;
  size_t count;            /* grads + stats */
  ls_fixed formats[2];     /* of gradients and of statistics */
  double loss_limit;       /* of a micro-batch's loss */
  ls_sums_worker *workers; /* [worker_count] of the node, in the order of ranks and threads */
  size_t worker_count;
  ls_sums_worker *mine; /* this rank's [threads] */
  float *result;        /* [count] */
  uint16_t *brief;      /* [count] the result on its way between nodes as bfloat16; NULL: not that */
  float *decoded;       /* the result's memory when it is this rank's own: several nodes, exact */
  uint64_t *totals;     /* [count + LS_TALLY_COUNT] of the node, then of all; several nodes only */
  uint64_t tally[LS_TALLY_COUNT];
  size_t turn;         /* 0 or 1: the boards of this step */
  uint64_t step;       /* number of the reduction, from 0 */
  ls_overlap *overlap; /* NULL: everything is summed after the last micro-batch */
};

/** Sum the elements [first, end) over the node's workers, into its totals or its result. Returns whether all
 * were within range. Local. */
bool ls_sums_range(ls_sums *sums, size_t first, size_t end);

/** Add the node's tallies up. Local, when all workers have finished. */
void ls_sums_add_tallies(const ls_sums *sums, uint64_t tally[LS_TALLY_COUNT]);

/** Sum the node's totals or result over the nodes, in [first, end). By the node's first rank or its courier.
 * Collective over the nodes. Errors: LS_E_COMM. */
ls_status ls_sums_send(ls_sums *sums, size_t first, size_t end) LS_CHECKED;

/** Totals travel between nodes as integers. Local. */
bool ls_sums_are_exact(const ls_sums *sums);

/** Bytes of the common segment that the overlap takes. Local. */
size_t ls_overlap_bytes(const ls_sums_options *options);

/** Reduce parts of the gradient while others are made, where that pays; otherwise *out stays NULL. `shared`
 * lies in the common segment. Local. Errors: LS_E_MEMORY. */
ls_status ls_overlap_new(ls_overlap **out, ls_sums *sums, void *shared) LS_CHECKED;
void ls_overlap_free(ls_overlap *overlap);

/** A step begins: whatever becomes ready from now on may be summed and sent. NULL: nothing happens, as below.
 */
void ls_overlap_begin(ls_overlap *overlap);

/** Worker `self` has all elements from `first` on. */
void ls_overlap_ready(const ls_sums *sums, ls_sums_worker *self, size_t first);

/** Sum what is ready and nobody has taken, until all of it is taken; for threads with nothing else to do. */
void ls_overlap_help(ls_overlap *overlap);

/** Wait until everything has been sent. Collective over the nodes; by the thread that calls MPI. Errors:
 * LS_E_COMM. */
ls_status ls_overlap_end(ls_overlap *overlap) LS_CHECKED;

#endif
