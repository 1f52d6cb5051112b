/* SPDX-License-Identifier: BSD-3-Clause */
/* The training step: micro-batches over threads, one reduction, one update.
 *
 *   threads: forward and backward of their micro-batches
 *   sums:    over threads, ranks and nodes (sums.h): gradient, batch statistics, tally with the control words
 *   threads: optimizer and packing for the next step's kernels, piece by piece (optimization.h)
 *
 * The sums are integers, so any number of ranks and threads gives the same bits. Nothing is allocated in a
 * step.
 */
#ifndef LS_TRAIN_ENGINE_H
#define LS_TRAIN_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "comm/comm.h"
#include "config/spec.h"
#include "data/loader.h"
#include "nn/network.h"

typedef struct ls_engine ls_engine;

typedef struct ls_engine_options {
  ls_comm *comm;                  /* borrowed */
  ls_network *network;            /* borrowed; its vectors change with every step */
  const ls_spec_train *train;     /* borrowed */
  const ls_spec_augment *augment; /* borrowed */
  uint64_t seed;
  size_t threads;    /* >= 1 */
  size_t node_ranks; /* see ls_node_new(); 0 for all ranks of a host */
} ls_engine_options;

/** Plan everything that the steps need. Collective. Errors: LS_E_INPUT if OpenMP gives a rank fewer threads;
 * LS_E_MEMORY, LS_E_COMM. */
ls_status ls_engine_new(ls_engine **out, const ls_engine_options *options) LS_CHECKED;

/** NULL is fine. Collective. */
void ls_engine_free(ls_engine *engine);

/** A rank's requests at the end of a step; after the reduction, how many ranks have each. */
typedef struct ls_control {
  uint64_t stop;       /* stop after this step: a signal, a time limit */
  uint64_t checkpoint; /* a checkpoint is due by the clock */
} ls_control;

typedef struct ls_step {
  const ls_loader *loader;
  uint64_t epoch;                  /* from 0 */
  size_t epoch_step;               /* from 0, within the epoch */
  double lr;                       /* learning rate of this step */
  uint64_t optimizer_step;         /* from 1 */
  ls_control control;              /* what this rank asks */
  struct ls_step_profile *profile; /* this step's times are added to it; NULL: not measured */
} ls_step;

/** A rank's times of a step, or of several: seconds. */
typedef struct ls_step_times {
  double compute_s;   /* until its last thread had carried its last micro-batch */
  double reduction_s; /* from then until the sums were there, waiting for other ranks included */
  double update_s;    /* optimizer and packing */
} ls_step_times;

/** Sums over all ranks, the same bits on each; but for the times. */
typedef struct ls_step_result {
  double loss; /* sum over the samples */
  uint64_t correct, samples;
  bool is_valid; /* loss and gradient are finite and within the range of the sums */
  ls_control control;
  ls_step_times times; /* this rank's; zero when the step was not valid */
} ls_step_result;

/** Take one training step.
 *
 * When loss or gradient is not finite the weights stay as they were. Collective. Errors: LS_E_NONFINITE,
 * LS_E_COMM.
 */
ls_status ls_engine_step(ls_engine *engine, const ls_step *step, ls_step_result *result) LS_CHECKED;

/** The parameters of a network of the engine's model were set from outside: make their packed form. */
void ls_engine_pack(const ls_engine *engine, const ls_network *network);

/** The optimizer's state vectors, [params] each, in the order of its kind's slots; borrowed. */
float *const *ls_engine_slots(const ls_engine *engine, size_t *count);

/** Why the ranks of a host cannot share memory, so that they send their sums to each other; NULL if they
 * share it. Borrowed. Local. */
const char *ls_engine_split_reason(const ls_engine *engine);

/** Does training change the images: by augmentation, mixup or attacks? */
bool ls_engine_changes_images(const ls_engine *engine);

/** The threads' workspaces, for evaluations between steps; borrowed. */
ls_workspace **ls_engine_workspaces(const ls_engine *engine);

#endif
