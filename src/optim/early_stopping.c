/* SPDX-License-Identifier: BSD-3-Clause */
/* Best epoch and early stopping, as Keras's EarlyStopping: an epoch improves if its metric is better than the
 * best so far by more than min_delta, and training stops after `patience` epochs in a row that did not.
 * Unlike in Keras, patience 0 never stops, and the best epoch is known all the same. */
#include "optim/early_stopping.h"

#include <math.h>

static bool improves(const ls_spec_early_stopping *spec, double value, const ls_best_epoch *best)
{
  if (!isfinite(value)) return false;
  if (best->epoch == 0) return true;
  const double least = value - ls_metric_direction(spec->metric) * spec->min_delta;
  return ls_metric_is_better(spec->metric, least, best->metric);
}

/* As in Keras, the first epoch never stops. */
static bool is_at_end(const ls_spec_early_stopping *spec, uint64_t epoch, const ls_best_epoch *best)
{
  return spec->patience > 0 && best->bad_epochs >= spec->patience && epoch > 1;
}

ls_early_stopping_result ls_early_stopping_observe(const ls_spec_early_stopping *spec, uint64_t epoch,
                                                   const ls_metric_values *values, ls_best_epoch *best)
{
  const double value = ls_metric_of(spec->metric, values);
  if (improves(spec, value, best)) {
    best->epoch = epoch;
    best->metric = value;
    best->bad_epochs = 0;
    return (ls_early_stopping_result){.improved = true};
  }
  best->bad_epochs++;
  return (ls_early_stopping_result){.stop = is_at_end(spec, epoch, best)};
}

bool ls_early_stopping_ends(const ls_spec_early_stopping *spec, uint64_t epoch, const ls_best_epoch *best)
{
  return is_at_end(spec, epoch, best);
}
