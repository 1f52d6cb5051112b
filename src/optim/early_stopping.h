/* SPDX-License-Identifier: BSD-3-Clause */
/* Best epoch and early stopping, as Keras's EarlyStopping: decided from numbers that are the same on every
 * rank, so every rank decides alike. */
#ifndef LS_OPTIM_EARLY_STOPPING_H
#define LS_OPTIM_EARLY_STOPPING_H

#include <stdbool.h>
#include <stdint.h>

#include "config/metric.h"
#include "config/spec.h"

/** The best epoch so far. Zero-initialize. */
typedef struct ls_best_epoch {
  uint64_t epoch;      /* of the best metric, from 1; 0: none yet */
  double metric;       /* its value */
  uint64_t bad_epochs; /* in a row, since then: without improvement */
} ls_best_epoch;

typedef struct ls_early_stopping_result {
  bool improved; /* this epoch is the best so far, by more than min_delta */
  bool stop;     /* patience is at its end */
} ls_early_stopping_result;

/** Compare an epoch (from 1), by its results on the validation split, with the best one, and update that. A
 * metric that is not finite never improves. */
ls_early_stopping_result ls_early_stopping_observe(const ls_spec_early_stopping *spec, uint64_t epoch,
                                                   const ls_metric_values *values, ls_best_epoch *best);

/** Does early stopping end a run after so many epochs? */
bool ls_early_stopping_ends(const ls_spec_early_stopping *spec, uint64_t epoch, const ls_best_epoch *best);

#endif
