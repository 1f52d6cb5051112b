/* SPDX-License-Identifier: BSD-3-Clause */
/* The figures that follow from a confusion matrix and from calibration, and the list of those in reports. */
#ifndef LS_EVAL_METRICS_H
#define LS_EVAL_METRICS_H

#include "eval/calibration.h"
#include "store/split_metrics.h"

/** Fill in everything but `epoch` and the confusion matrix: from that, the mean loss and negative
 * log-likelihood, and the calibration. Local. */
void ls_metrics_derive(ls_metrics *metrics, double loss, double nll, const ls_calibration *calibration);

/** A figure of a split. */
typedef struct ls_split_figure {
  const char *name;   /* its key in JSON */
  const char *phrase; /* how the report's second line calls it; NULL: it is not there */
  double (*value)(const ls_metrics *metrics);
} ls_split_figure;

/** A figure of each class. */
typedef struct ls_class_figure {
  const char *name; /* its key in JSON, and the head of its column; a fraction */
  double (*value)(const ls_class_metrics *class);
} ls_class_figure;

/** In the order in which they are listed; the last has no name. */
extern const ls_split_figure ls_split_figures[];
extern const ls_class_figure ls_class_figures[];

#endif
