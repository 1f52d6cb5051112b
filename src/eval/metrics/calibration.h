/* SPDX-License-Identifier: BSD-3-Clause */
/* Calibration: how well probabilities match the frequencies of right answers. Sums are of integers, so they
 * are the same in any order of the samples and on any number of ranks and threads. */
#ifndef LS_EVAL_METRICS_CALIBRATION_H
#define LS_EVAL_METRICS_CALIBRATION_H

#include <stddef.h>
#include <stdint.h>

enum { LS_CALIBRATION_BINS = 15 };

/** Samples whose largest probability lies in a bin. */
typedef struct ls_reliability_bin {
  uint64_t samples, correct;
  uint64_t confidence; /* sum of their largest probabilities, fixed point */
} ls_reliability_bin;

/** Sums over samples; zero-initialize it, add samples, then get the means. All members are uint64_t, so ranks
 * sum it word by word. */
typedef struct ls_calibration {
  uint64_t samples, correct;
  uint64_t nll;   /* sum of -log p(label), natural; fixed point */
  uint64_t brier; /* sum of the squared distances from the one-hot vector of the label; fixed point */
  ls_reliability_bin bins[LS_CALIBRATION_BINS]; /* of equal width, over (0, 1] */
} ls_calibration;

/** Count a sample whose predicted class is `class`, that of the largest probability. p[classes] sums to 1; a
 * probability of 0 counts as 1e-38 in the logarithm, and NaN counts as the worst value. */
void ls_calibration_add(ls_calibration *calibration, const double *p, size_t classes, size_t class,
                        uint16_t label);

/** Add the sums of `other`. */
void ls_calibration_merge(ls_calibration *calibration, const ls_calibration *other);

/** Means over the samples, of which there is at least one. */
double ls_calibration_accuracy(const ls_calibration *calibration);
double ls_calibration_nll(const ls_calibration *calibration);
/** Source: Brier: "Verification of forecasts expressed in terms of probability", Monthly Weather Review
 * 78(1), 1950: 0 to 2. */
double ls_calibration_brier(const ls_calibration *calibration);
/** Expected calibration error: the distance between confidence and accuracy, mean over the samples' bins.
 * Source: Guo, Pleiss, Sun, Weinberger: "On Calibration of Modern Neural Networks", ICML 2017, section 2. */
double ls_calibration_error(const ls_calibration *calibration);

/** A figure of a calibration. */
typedef struct ls_calibration_figure {
  const char *name; /* in JSON, and the head of its column */
  double (*value)(const ls_calibration *calibration);
  double unit; /* factor on the shown value */
  int decimals;
} ls_calibration_figure;

/** In the order in which they are listed; the last has no name. */
extern const ls_calibration_figure ls_calibration_figures[];

/** Mean of the largest probabilities in a bin that has samples, and how many of them were right. */
double ls_reliability_confidence(const ls_reliability_bin *bin);
double ls_reliability_accuracy(const ls_reliability_bin *bin);

#endif
