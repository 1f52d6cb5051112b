/* SPDX-License-Identifier: BSD-3-Clause */
/* The speed of training steps, and of matrix products on the same threads at the same time. */
#ifndef LS_STUDY_BENCH_H
#define LS_STUDY_BENCH_H

#include <stddef.h>

#include "base/status.h"
#include "comm/comm.h"
#include "config/spec.h"
#include "data/source.h"
#include "nn/model.h"
#include "train/step_profile.h"

enum { LS_BENCH_WINDOWS = 7 }; /* fewer where a step takes longer than one of them may */

typedef struct ls_bench_options {
  ls_comm *comm;
  const ls_spec *spec;
  ls_source *source;
  const ls_model *model;
  size_t threads;
  double seconds; /* of measuring, about; above 0 */
} ls_bench_options;

/** Steps by one way of train.allreduce: medians of the windows. */
typedef struct ls_bench_way {
  double step_s;      /* of a whole global batch */
  double reduction_s; /* of a step: from the arrival of the last rank until the sums were there */
} ls_bench_way;

typedef struct ls_bench_result {
  double samples_per_second; /* median of the windows */
  double slowest, fastest;   /* windows, samples per second */
  double step_seconds;       /* of a whole global batch, at the median rate */
  double gflops;             /* of all ranks: 1e9 floating-point operations of the layers' products per s */
  double sgemm_gflops;       /* likewise, of square products on all threads of all ranks; median */
  double sgemm_slowest, sgemm_fastest;   /* windows of those */
  ls_bench_way ways[LS_ALLREDUCE_COUNT]; /* the configuration's is that of the figures above */
  size_t profiled_steps;                 /* after the windows */
  double profiled_seconds;               /* of those steps together */
  ls_step_profile step_profile;          /* of those steps, this rank's; owned */
} ls_bench_result;

/** Take training steps on the configured data, in memory, by each way of train.allreduce in turn; the
 * learning rate is zero, so that the weights never change.
 *
 * Collective; rank 0's clock counts. Errors: LS_E_INPUT, LS_E_IO, LS_E_MEMORY, LS_E_COMM. */
ls_status ls_bench(const ls_bench_options *options, ls_bench_result *result) LS_CHECKED;
void ls_bench_result_fini(ls_bench_result *result);

/** Floating-point operations of a sample's forward and backward pass: two for every multiply-add of the
 * layer's products, without the gradients of frozen weights and of inputs before the first trained layer,
 * which are not computed. */
double ls_bench_layer_flops(const ls_layer *layer);

#endif
