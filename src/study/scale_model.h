/* SPDX-License-Identifier: BSD-3-Clause */
/* Predicts the time of a step on other numbers of ranks and with other batches from measurements on a few.
 *
 *   step(P, B)      = compute + waiting + allreduce + update
 *   compute(P, B)   = step_s + sample_s * samples of the thread that has most: whole micro-batches
 *   waiting(P, B)   = g(P) * (noise_s + spread * compute): g is the expected largest of P normal deviates
 *   allreduce(P)    = sum(ranks of a host, hosts, elements) + offset
 *   sum(R, N, n)    = c0 + c1 n + c2 log2 R + c3 n (1 - 1/R) + c4 log2 N + c5 n 2 (N - 1) / N
 *
 * c4 is the latency between hosts of a tree, c5 the time of an element there, of which reduce-scatter and
 * allgather send as many (Thakur, Rabenseifner, Gropp, IJHPCA 19(1), 2005). The offset is what the sum inside
 * of a step took beyond the sum by itself; it is negative where the sum hides behind the backward pass, and
 * then shrinks with that. All but the offset cannot be negative. */
#ifndef LS_STUDY_SCALE_MODEL_H
#define LS_STUDY_SCALE_MODEL_H

#include "study/least_squares.h"
#include "study/scale.h"

typedef struct ls_scale_model {
  size_t threads, microbatch, elements;
  size_t ranks, hosts; /* of the largest measurement, whose hosts are taken for all */
  double step_s, sample_s, update_s;
  double noise_s, spread; /* of the ranks' times for the same work: deviation in seconds, and over the mean */
  double sum_s[LS_SQUARES_COLUMNS];
  double offset_s, offset_compute_s; /* and the compute time that it was measured beside */
  double single; /* one rank alone, on its host, over what the model says of one on a host that is full */
  double misfit; /* root mean square of the model's relative error where there are measurements */
} ls_scale_model;

/** A step, by its parts: seconds. */
typedef struct ls_scale_times {
  double parts[LS_SCALE_PARTS];
} ls_scale_times;

/** With an error bar: 5 and 95 percent of what resampled measurements predict, and the misfit beside. */
typedef struct ls_scale_prediction {
  ls_scale_mode mode;
  size_t ranks, hosts, threads, batch;
  ls_scale_times times;
  double low_s, high_s; /* of the step */
  double efficiency;    /* against one rank with that batch, or with that batch of a rank */
} ls_scale_prediction;

enum { LS_SCALE_MOST_RANKS = 1024, LS_SCALE_PREDICTIONS = 11 }; /* 1, 2, 4, ... 1024 ranks */

/** Fit to the measurements with so many threads a rank. */
void ls_scale_fit(ls_scale_model *model, const ls_scale_data *data, size_t threads);

ls_scale_times ls_scale_predict(const ls_scale_model *model, size_t ranks, size_t batch);

/** Hosts of so many ranks. */
size_t ls_scale_hosts(const ls_scale_model *model, size_t ranks);

/** Speed-up per rank on a batch, of strong scaling; or on a batch of a rank, of weak scaling. */
double ls_scale_efficiency(const ls_scale_model *model, ls_scale_mode mode, size_t ranks, size_t batch);

/** The most ranks, as a power of two up to 1024, with an efficiency of at least `least`, that of fewer ranks
 * included; the batch as above. */
size_t ls_scale_limit(const ls_scale_model *model, ls_scale_mode mode, size_t batch, double least);

/** For all powers of two up to 1024 ranks. `batch` of one rank. Local. Errors: LS_E_MEMORY. */
ls_status ls_scale_predict_all(const ls_scale_data *data, const ls_scale_model *model, ls_scale_mode mode,
                               size_t batch, ls_scale_prediction out[LS_SCALE_PREDICTIONS]) LS_CHECKED;

/** How to train `members` networks on `ranks` ranks: so many groups side by side, each of so many ranks, in
 * so many turns; the quickest way. */
typedef struct ls_scale_split {
  size_t groups, group_ranks, turns;
  double gain; /* in speed over training them one by one on all ranks */
} ls_scale_split;

ls_scale_split ls_scale_split_best(const ls_scale_model *model, size_t ranks, size_t members, size_t batch);

#endif
