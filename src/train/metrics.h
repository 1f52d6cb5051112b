/* SPDX-License-Identifier: BSD-3-Clause */
/* Everything that follows from an evaluation: from its confusion matrix and its calibration. */
#ifndef LS_TRAIN_METRICS_H
#define LS_TRAIN_METRICS_H

#include "base/status.h"
#include "store/split_metrics.h"
#include "train/evaluate.h"

/** Derive the metrics of an evaluation, whose confusion matrix is copied; freed with ls_metrics_free().
 * Local. Errors: LS_E_MEMORY. */
ls_status ls_metrics_new(ls_metrics **out, const ls_evaluation *evaluation) LS_CHECKED;

#endif
