/* SPDX-License-Identifier: BSD-3-Clause */
/* The figures of a network on a split: eval/metrics/ computes them, HDF5 files keep them, eval/report/ shows
 * them. */
#ifndef LS_STORE_SPLIT_METRICS_H
#define LS_STORE_SPLIT_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "config/spec.h"

/** Of one class, or of one of the labels or values of a sample; or an unweighted mean. */
typedef struct ls_class_metrics {
  double precision, recall, f1; /* fractions; 0 where the quotient is 0/0 */
  uint64_t support;             /* samples of the class, or with the label */
  uint64_t predicted;           /* predictions of it */
  double average_precision;     /* of a label: mean precision over its samples, by falling output */
  double mae, rmse, r2;         /* of a value: mean absolute error, root of the mean squared one, and the
                                   share of the variance that is explained */
} ls_class_metrics;

typedef struct ls_metrics {
  uint64_t epoch;       /* epochs that the weights were trained for; 0: not known */
  ls_label_form labels; /* what they are: figures that are not of this form are 0 */
  size_t classes;       /* or labels, or values */
  uint64_t samples, correct;
  double loss;                 /* mean over the samples */
  double nll;                  /* negative log-likelihood, likewise: cross-entropy */
  double accuracy;             /* fraction; 0 without samples; of several labels: all of them are right */
  double brier;                /* Brier score, 0 to 2; 0 without samples */
  double ece;                  /* expected calibration error, a fraction; 0 without samples */
  ls_class_metrics macro;      /* mean over the classes that have samples or predictions (as scikit-learn); of
                                  average_precision: over the labels that have samples; of values: over all */
  ls_class_metrics micro;      /* of several labels: all of them counted together */
  ls_class_metrics *per_class; /* [classes]; owned */
  uint64_t *confusion;         /* [classes, classes], row actual, column predicted; NULL where labels are not
                                  classes; owned */
} ls_metrics;

/** All zero, for so many classes, labels or values. Local. Errors: LS_E_MEMORY; *out is NULL then. */
ls_status ls_metrics_make(ls_metrics **out, ls_label_form labels, size_t classes) LS_CHECKED;
void ls_metrics_free(ls_metrics *metrics);

/** The splits that a run is evaluated on. */
typedef enum ls_metrics_split { LS_METRICS_VALIDATION, LS_METRICS_TEST, LS_METRICS_COUNT } ls_metrics_split;

/** The newest figures of each; rank 0. */
typedef struct ls_split_metrics {
  ls_metrics *splits[LS_METRICS_COUNT]; /* NULL: not evaluated; owned */
} ls_split_metrics;

/** Replace older figures by these, which are handed over; NULL: none. */
void ls_split_metrics_set(ls_split_metrics *split_metrics, ls_metrics_split split, ls_metrics *metrics);
void ls_split_metrics_fini(ls_split_metrics *split_metrics);

#endif
