/* SPDX-License-Identifier: BSD-3-Clause */
/* The sums of a step over micro-batches, threads, ranks and nodes: gradient, batch statistics and a tally.
 *
 * Sums are taken in 64-bit fixed point. Integers add up to the same total in any order, so a step does not
 * depend on how the micro-batches are dealt out. The gradient of a thread's last micro-batch stays in
 * float32, in memory that the node's ranks share: the thread that sums a chunk turns it to fixed point on the
 * way, which costs no more than summing floats would. Only between nodes are there messages.
 *
 * A value x becomes the integer nearest to x * scale: gradients with a resolution of 9.1e-13 within +-2048,
 * statistics of 3.7e-9 within +-8.4e6, losses of 2.3e-10 within +-5.2e5 (of a micro-batch each; with more
 * than 2048 micro-batches in a step the ranges are smaller, so that no total can overflow). What is outside,
 * or not a number, is counted and never wrapped. */
#ifndef LS_TRAIN_SUMS_SUMS_H
#define LS_TRAIN_SUMS_SUMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "comm/comm.h"
#include "config/spec.h"
#include "train/sums/tally.h"

typedef struct ls_sums ls_sums;

typedef struct ls_sums_options {
  ls_comm *comm;       /* borrowed */
  size_t grads;        /* floats of a micro-batch's gradient */
  size_t stats;        /* floats of its statistics, which follow the gradient */
  size_t threads;      /* of this rank, >= 1 */
  size_t microbatches; /* at most, in a step of all ranks */
  size_t node_ranks;   /* see ls_node_new() */
  size_t bucket; /* elements that are sent together between nodes, while others are made; 0: all of them,
                    after the last */
  bool is_fast;  /* between nodes, totals travel as float32: half the bytes, but no longer the same bits on
                    any number of nodes */
  bool is_brief; /* as bfloat16 instead: a quarter of the bytes, 8 bits of each value; with is_fast */
  bool by_mpi;   /* every rank is a node, and all goes, the tally too, by one MPI_Allreduce of integers;
                    without bucket, is_fast and is_brief */
} ls_sums_options;

/** The options that the configuration does not give. */
typedef struct ls_sums_shape {
  size_t grads, stats, threads, microbatches;
} ls_sums_shape;

/** Sums as the configuration wants them. Local. */
ls_sums_options ls_sums_options_of(const ls_spec_train *train, ls_comm *comm, const ls_sums_shape *shape);

/** Collective. Errors: LS_E_INPUT if OpenMP gives a rank fewer threads; LS_E_MEMORY, LS_E_COMM. */
ls_status ls_sums_new(ls_sums **out, const ls_sums_options *options) LS_CHECKED;

/** NULL is fine. Collective. */
void ls_sums_free(ls_sums *sums);

/** A step begins. `samples`: of the whole step; statistics are means over them. Local. */
void ls_sums_begin(ls_sums *sums, size_t samples);

/** Limits of a micro-batch: absolute values must be below these. */
typedef struct ls_sums_limits {
  double grad;
  double stat; /* of its statistics, each weighted by the samples of the micro-batch */
  double loss; /* of its samples' losses together */
} ls_sums_limits;

/** For the step that has begun. Local. */
ls_sums_limits ls_sums_find_limits(const ls_sums *sums);

/** Where thread `part` puts the gradient and statistics of its next micro-batch, all [grads + stats] of it.
 *
 * First adds the values of its previous micro-batch to its sum. Local; threads may call it at the same time,
 * each for its own part, as below. */
float *ls_sums_next(ls_sums *sums, size_t part);

/** In the last micro-batch of thread `part` everything from element `first` on is complete: it may be reduced
 * while the rest is made. Local. */
void ls_sums_ready(ls_sums *sums, size_t part, size_t first);

/** Thread `part` has nothing more to add or to count in this step. Local. */
void ls_sums_finish(ls_sums *sums, size_t part);

/** Count for thread `part`. Local, as above. */
void ls_sums_count(ls_sums *sums, size_t part, ls_tally what, uint64_t count);
void ls_sums_add_loss(ls_sums *sums, size_t part, double loss);

/** Sum everything over all threads of all ranks, which have all finished; then nothing is left to add up.
 * Collective, by the thread that calls MPI, with a team of threads. Errors: LS_E_COMM. */
ls_status ls_sums_reduce(ls_sums *sums) LS_CHECKED;

/** The reduced vector [grads + stats]; borrowed, until the next reduction. Undefined when values were
 * outside.
 */
const float *ls_sums_result(const ls_sums *sums);

/** A count over all threads of all ranks, the same on each; valid until the next reduction. Only the loss,
 * which ls_sums_loss() reads, is signed. Local. */
uint64_t ls_sums_total(const ls_sums *sums, ls_tally what);

/** The sum of the losses, likewise: to the nearest 2.3e-10 for each that was added, without those out of
 * range, which LS_TALLY_OUTSIDE counts. Local. */
double ls_sums_loss(const ls_sums *sums);

/** See ls_node_split_reason(). Local. */
const char *ls_sums_split_reason(const ls_sums *sums);

#endif
