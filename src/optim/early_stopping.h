/* SPDX-License-Identifier: BSD-3-Clause */
/* Best epoch and early stopping, as Keras's EarlyStopping: decided from numbers that are the same on every
 * rank, so every rank decides alike. */
#ifndef LS_OPTIM_EARLY_STOPPING_H
#define LS_OPTIM_EARLY_STOPPING_H

#include <stdbool.h>

#include "config/spec.h"
#include "store/checkpoint.h"

typedef struct ls_early_stopping_result {
  bool improved; /* this epoch is the best so far, by more than min_delta */
  bool stop;     /* patience is at its end */
} ls_early_stopping_result;

/** Judge an epoch (from 1) by its validation loss and accuracy; updates best_epoch, best_metric and
 * bad_epochs. A metric that is not finite never improves. */
ls_early_stopping_result ls_early_stopping_observe(const ls_spec_early_stopping *spec, uint64_t epoch,
                                                   double loss, double accuracy, ls_progress *progress);

/** Has the run that stands there ended by early stopping? */
bool ls_early_stopping_ends(const ls_spec_early_stopping *spec, const ls_progress *progress);

#endif
