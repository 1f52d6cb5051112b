/* SPDX-License-Identifier: BSD-3-Clause */
/* Everything that follows from a confusion matrix, and how it is shown: as a table and as JSON. */
#ifndef LS_EVAL_METRICS_H
#define LS_EVAL_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/status.h"
#include "base/text.h"

/** Precision, recall and F1 of one class, or their unweighted mean; fractions. */
typedef struct ls_class_metrics {
  double precision, recall, f1; /* 0 where the quotient is 0/0 */
  uint64_t support;             /* samples of the class */
  uint64_t predicted;           /* predictions of the class */
} ls_class_metrics;

typedef struct ls_metrics {
  size_t classes;
  uint64_t samples, correct;
  double loss;                 /* mean over the samples */
  double accuracy;             /* fraction; 0 without samples */
  ls_class_metrics macro;      /* mean over the classes that have samples or predictions (as scikit-learn) */
  ls_class_metrics *per_class; /* [classes]; owned */
  uint64_t *confusion;         /* [classes, classes], row actual, column predicted; owned */
} ls_metrics;

/** Derive the metrics of a confusion matrix [classes, classes], which is copied. Local. Errors: LS_E_MEMORY.
 */
ls_status ls_metrics_new(ls_metrics **out, const uint64_t *confusion, size_t classes, double loss) LS_CHECKED;
void ls_metrics_free(ls_metrics *metrics);

/** Append what a reader of the figures must know, one sentence a line: classes with no samples or no
 * predictions, and what was taken for their quotients 0/0. Nothing when there is nothing to say. */
void ls_metrics_notes(const ls_metrics *metrics, const char *const *class_names, ls_text *text);

/** Append a report for people: loss, accuracy, a table per class and macro, the confusion matrix with row and
 * column totals (left out above 30 classes, and said), the most confused pairs, notes on classes with no
 * samples or no predictions. `title`: "test". class_names: one per class, or NULL. */
void ls_metrics_report(const ls_metrics *metrics, const char *title, const char *const *class_names,
                       ls_text *text);

/** {"accuracy", "loss", "samples", "macro": {...}, "per_class": [{"class", "precision", "recall", "f1",
 * "support"}], "confusion": [[...]], "notes": [...]}; a new reference, or NULL without memory. "class" is the
 * index; with class_names, "label" is the name. A loss that is not finite is null. */
json_t *ls_metrics_json(const ls_metrics *metrics, const char *const *class_names);

#endif
