/* SPDX-License-Identifier: BSD-3-Clause */
/* The metrics by which a run compares its epochs: a row each. Early stopping and schedules that follow a
 * metric take their words and their direction from here. */
#ifndef LS_CONFIG_METRIC_H
#define LS_CONFIG_METRIC_H

#include <stdbool.h>
#include <stddef.h>

/** What is known of an epoch on every rank, the same bits on each: of the validation split, or without one of
 * the training split. A further metric is a member here and a row in metric.c. */
typedef struct ls_metric_values {
  double loss;     /* mean over the samples */
  double accuracy; /* fraction; not a number where labels are values */
} ls_metric_values;

#define LS_METRIC_PRESET "loss"

/** The word of a row: what a configuration says. */
extern const char *const ls_metric_words[]; /* NULL-terminated, in the order of the rows */

/** The value of metric number `metric`, as a key with these words gives it. Local. */
double ls_metric_of(int metric, const ls_metric_values *values);

/** Is there this metric where labels are values? Local. */
bool ls_metric_is_of_values(int metric);

/** 1 if a higher value of the metric is better, -1 if a lower one is. Local. */
double ls_metric_direction(int metric);

/** Is a value better than another? Local. */
bool ls_metric_is_better(int metric, double value, double than);

#endif
