/* SPDX-License-Identifier: BSD-3-Clause */
/* Scaling, measured in one job: training steps on the first 1, 2, 4, ... ranks while the others rest, and the
 * sum over the ranks by itself, for vectors of several lengths. */
#ifndef LS_STUDY_SCALE_H
#define LS_STUDY_SCALE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "comm/comm.h"
#include "config/spec.h"
#include "data/source.h"
#include "nn/model.h"
#include "train/balance.h"

enum { LS_SCALE_WINDOWS = 7, LS_SCALE_MOST_THREADS = 16 };

/** Measurements that are the same on any number of ranks. */
typedef enum ls_scale_mode {
  LS_SCALE_STRONG, /* the global batch */
  LS_SCALE_WEAK,   /* the batch of a rank */
  LS_SCALE_MODES,
  LS_SCALE_PROBE = LS_SCALE_MODES /* all ranks, other batches: what a sample costs, and what a step */
} ls_scale_mode;

/** Seconds of a step. */
typedef enum ls_scale_part {
  LS_SCALE_STEP,      /* the whole */
  LS_SCALE_COMPUTE,   /* mean of the ranks */
  LS_SCALE_WAITING,   /* for the slowest rank: mean of the ranks */
  LS_SCALE_ALLREDUCE, /* from the slowest rank's arrival on */
  LS_SCALE_UPDATE,    /* mean of the ranks */
  LS_SCALE_PARTS
} ls_scale_part;

typedef struct ls_scale_point {
  ls_scale_mode mode;
  size_t ranks, hosts, threads;                     /* threads of a rank */
  size_t batch, steps;                              /* global; that were measured */
  double seconds[LS_SCALE_PARTS][LS_SCALE_WINDOWS]; /* medians of windows of steps */
} ls_scale_point;

/** The sum over the ranks by itself, as training does it. */
typedef struct ls_scale_sum {
  size_t ranks, hosts, threads, elements;
  double seconds[LS_SCALE_WINDOWS]; /* means of windows */
} ls_scale_sum;

typedef struct ls_scale_options {
  ls_comm *comm;
  const ls_spec *spec;
  ls_source *source;
  const ls_model *model;
  bool modes[LS_SCALE_MODES];
  size_t threads[LS_SCALE_MOST_THREADS]; /* of a rank, [thread_count] different numbers */
  size_t thread_count;
  double seconds; /* of measuring, of each number of ranks, about; above 0 */
} ls_scale_options;

/** Rank 0's; owned. */
typedef struct ls_scale_data {
  ls_scale_point *points;
  ls_scale_sum *sums;
  size_t point_count, sum_count;
  size_t microbatch;  /* samples */
  size_t elements;    /* of the vector that training sums */
  ls_balance balance; /* of all ranks, at the first number of threads */
} ls_scale_data;

/** Measure; every rank of the communicator takes part in it.
 *
 * Collective. Errors: LS_E_INPUT if there are too few samples for weak scaling; LS_E_IO, LS_E_MEMORY,
 * LS_E_COMM. On error the caller still calls ls_scale_data_fini(). */
ls_status ls_scale_measure(const ls_scale_options *options, ls_scale_data *data) LS_CHECKED;
void ls_scale_data_fini(ls_scale_data *data);

/** Median over the windows. */
double ls_scale_median(const double windows[LS_SCALE_WINDOWS]);

#endif
