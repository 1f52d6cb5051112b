/* SPDX-License-Identifier: BSD-3-Clause */
/* How well probabilities match what comes true. */
#ifndef LS_EVAL_CALIBRATION_H
#define LS_EVAL_CALIBRATION_H

#include <stddef.h>
#include <stdint.h>

enum { LS_CALIBRATION_BINS = 15 };

/** Samples whose largest probability lies in a bin. */
typedef struct ls_reliability_bin {
  uint64_t samples, correct;
  double confidence; /* sum of their largest probabilities */
} ls_reliability_bin;

/** Sums over samples; zero-initialize it, add samples, then ask for the means. */
typedef struct ls_calibration {
  uint64_t samples, correct;
  double nll;   /* sum of -log p(label), natural */
  double brier; /* sum of the squared distances from the one-hot vector of the label */
  ls_reliability_bin bins[LS_CALIBRATION_BINS]; /* of equal width, over (0, 1] */
} ls_calibration;

/** Count a sample. p[classes] sums to 1; a probability of 0 counts as 1e-38 in the logarithm. */
void ls_calibration_add(ls_calibration *calibration, const double *p, size_t classes, uint16_t label);

/** Means over the samples, of which there is at least one. */
double ls_calibration_accuracy(const ls_calibration *calibration);
double ls_calibration_nll(const ls_calibration *calibration);
/** Source: Brier: "Verification of forecasts expressed in terms of probability", Monthly Weather Review
 * 78(1), 1950: 0 to 2. */
double ls_calibration_brier(const ls_calibration *calibration);
/** Expected calibration error: the distance between confidence and accuracy, mean over the samples' bins.
 * Source: Guo, Pleiss, Sun, Weinberger: "On Calibration of Modern Neural Networks", ICML 2017, section 2. */
double ls_calibration_error(const ls_calibration *calibration);

#endif
