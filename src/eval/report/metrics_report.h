/* SPDX-License-Identifier: BSD-3-Clause */
/* How the metrics of a split are shown: as a table and as JSON. */
#ifndef LS_EVAL_REPORT_METRICS_REPORT_H
#define LS_EVAL_REPORT_METRICS_REPORT_H

#include <jansson.h>

#include "base/text.h"
#include "eval/metrics/metrics.h"

/** Append notes for the reader of the figures, one sentence a line: classes with no samples or no
 * predictions, and what was taken for their quotients 0/0. Nothing when there is nothing to say. */
void ls_metrics_notes(const ls_metrics *metrics, const char *const *class_names, ls_text *text);

/** Append a report for people, of labels that are not classes with their figures in place of these, and no
 * matrix: loss, accuracy, calibration, a table per class and macro, the confusion matrix with row and column
 * totals (left out above 30 classes, and said), the most confused pairs (as many as there are classes, 20 at
 * most), notes on classes with no samples or no predictions. `title`: "test". class_names: one per class, or
 * NULL. */
void ls_metrics_report(const ls_metrics *metrics, const char *title, const char *const *class_names,
                       ls_text *text);

/** {"accuracy", "loss", "nll", "brier", "ece", "samples", "macro": {...}, "per_class": [{"class",
 * "precision", "recall", "f1", "support"}], "confusion": [[...]], "notes": [...]}; of several labels
 * {"accuracy", "loss", "micro_precision", "micro_recall", "micro_f1", "mean_average_precision", ...}, with
 * "average_precision" of each and no "confusion"; of values {"loss", "mae", "rmse", "r2", "samples",
 * "per_value": [{"value", "mae", "rmse", "r2"}], "notes"}. A new reference, or NULL without memory. "class"
 * is the index; with class_names, "label" is the name. A loss that is not finite is null. */
json_t *ls_metrics_json(const ls_metrics *metrics, const char *const *class_names);

#endif
