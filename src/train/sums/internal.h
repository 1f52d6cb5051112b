/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the sums share. Private to sums.c and sums_overlap.c. */
#ifndef LS_TRAIN_SUMS_INTERNAL_H
#define LS_TRAIN_SUMS_INTERNAL_H

#include <stdatomic.h>

#include "comm/iallreduce.h"
#include "comm/node.h"
#include "train/sums/fixed.h"
#include "train/sums/sums.h"

typedef struct ls_overlap ls_overlap;

/* What a thread tells the others; of two, one is written while the slowest rank still reads the other. */
typedef struct ls_sums_flags {
  uint64_t tally[LS_TALLY_COUNT];
  uint64_t has_grads; /* grads holds a micro-batch */
  uint64_t has_sums;  /* sums holds micro-batches */
} ls_sums_flags;

/* A thread's part of a segment, as this process sees it. */
typedef struct ls_sums_worker {
  ls_sums_flags *flags; /* [2] */
  float *grads;         /* [count] gradient and statistics of a micro-batch */
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
  float *result;        /* [count], and the tally behind it on its way to other nodes */
  float *decoded; /* the result's memory when it is this rank's own: several nodes, exact; or by MPI alone */
  uint64_t *totals; /* [count + LS_TALLY_COUNT] of the node, then of all; several nodes, or by MPI alone */
  uint64_t tally[LS_TALLY_COUNT];
  size_t turn;             /* 0 or 1: the flags of this step */
  uint64_t step;           /* number of the reduction, from 0 */
  ls_overlap *overlap;     /* NULL: everything is summed after the last micro-batch */
  ls_iallreduce *transfer; /* between nodes, by the first rank of each; NULL: by MPI_Allreduce() */
};

/** Sum the elements [first, end) over the node's workers, into its totals or its result. Returns whether all
 * were within range. Local. */
bool ls_sums_range(ls_sums *sums, size_t first, size_t end);

/** Totals travel between nodes as integers. Local. */
bool ls_sums_are_exact(const ls_sums *sums);

/** Bytes of the common segment that the overlap takes. Local. */
size_t ls_overlap_bytes(const ls_sums_options *options);

/** Reduce parts of the gradient while others are made, where that pays; otherwise *out stays NULL. `shared`
 * lies in the common segment. Local. Errors: LS_E_MEMORY. */
ls_status ls_overlap_new(ls_overlap **out, ls_sums *sums, void *shared) LS_CHECKED;
void ls_overlap_free(ls_overlap *overlap);

/** A step begins: whatever becomes ready from now on may be summed and sent. Local. */
void ls_overlap_begin(ls_overlap *overlap);

/** This rank's thread `part` has all elements from `first` on; thread 0 of the node's first rank, which calls
 * MPI, moves on what can be moved. Local. */
void ls_overlap_ready(ls_overlap *overlap, size_t part, size_t first);

/** Thread `part` has everything, and nothing else to do: sum what nobody has taken, until all is taken.
 * Local. */
void ls_overlap_finish(ls_overlap *overlap, size_t part);

/** Wait until everything is summed over the nodes; by the node's first rank. Collective. Errors: LS_E_COMM,
 * also of transfers before. */
ls_status ls_overlap_end(ls_overlap *overlap) LS_CHECKED;

/** Buckets of the node with values out of range, once everything is summed. Local. */
uint64_t ls_overlap_outside(const ls_overlap *overlap);

#endif
