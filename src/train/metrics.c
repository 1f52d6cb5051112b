/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics of a confusion matrix. Where precision, recall or F1 is 0/0 it is taken as 0, and a note says so;
 * the macro means are over the classes that have samples or predictions, as scikit-learn's (zero_division=0).
 * Source: Sokolova, Lapalme, "A systematic analysis of performance measures for classification tasks", 2009.
 */
#include "train/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"

static double fraction(uint64_t part, uint64_t whole)
{
  return whole > 0 ? (double)part / (double)whole : 0;
}

static void sum_confusion(ls_metrics *metrics)
{
  const size_t classes = metrics->classes;
  for (size_t actual = 0; actual < classes; actual++) {
    for (size_t predicted = 0; predicted < classes; predicted++) {
      const uint64_t count = metrics->confusion[actual * classes + predicted];
      metrics->per_class[actual].support += count;
      metrics->per_class[predicted].predicted += count;
      metrics->samples += count;
    }
    metrics->correct += metrics->confusion[actual * classes + actual];
  }
}

static void derive_class(ls_class_metrics *class, uint64_t hits)
{
  class->precision = fraction(hits, class->predicted);
  class->recall = fraction(hits, class->support);
  class->f1 = fraction(2 * hits, class->predicted + class->support); /* 2 p r / (p + r), without its 0/0 */
}

static void derive_macro(ls_metrics *metrics)
{
  ls_class_metrics *macro = &metrics->macro;
  size_t counted = 0;
  for (size_t i = 0; i < metrics->classes; i++) {
    const ls_class_metrics *class = &metrics->per_class[i];
    if (class->support + class->predicted == 0) continue;
    counted++;
    macro->precision += class->precision;
    macro->recall += class->recall;
    macro->f1 += class->f1;
  }
  macro->support = macro->predicted = metrics->samples;
  if (counted == 0) return;
  macro->precision /= (double)counted;
  macro->recall /= (double)counted;
  macro->f1 /= (double)counted;
}

static void derive_means(ls_metrics *metrics, const ls_evaluation *evaluation)
{
  metrics->loss = evaluation->loss;
  metrics->brier = ls_calibration_brier(&evaluation->calibration);
  metrics->ece = ls_calibration_error(&evaluation->calibration);
}

static ls_status allocate(ls_metrics **out, size_t classes)
{
  LS_PASS(ls_alloc(out, 1, sizeof **out, "metrics"));
  ls_metrics *metrics = *out;
  metrics->classes = classes;
  LS_PASS(ls_alloc(&metrics->per_class, classes, sizeof metrics->per_class[0], "the metrics of each class"));
  size_t cells;
  if (!ls_size_mul(classes, classes, &cells))
    return ls_fail(LS_E_MEMORY, "no memory for the confusion matrix of %zu classes", classes);
  return ls_alloc(&metrics->confusion, cells, sizeof metrics->confusion[0], "the confusion matrix");
}

ls_status ls_metrics_new(ls_metrics **out, const ls_evaluation *evaluation)
{
  const size_t classes = evaluation->classes;
  ls_metrics *metrics = NULL;
  ls_status status = allocate(&metrics, classes);
  if (status != LS_OK) {
    ls_metrics_free(metrics);
    return status;
  }
  memcpy(metrics->confusion, evaluation->confusion, classes * classes * sizeof metrics->confusion[0]);
  sum_confusion(metrics);
  for (size_t i = 0; i < classes; i++)
    derive_class(&metrics->per_class[i], metrics->confusion[i * classes + i]);
  derive_macro(metrics);
  metrics->accuracy = fraction(metrics->correct, metrics->samples);
  if (metrics->samples > 0) derive_means(metrics, evaluation);
  *out = metrics;
  return LS_OK;
}

void ls_metrics_free(ls_metrics *metrics)
{
  if (!metrics) return;
  free(metrics->per_class);
  free(metrics->confusion);
  free(metrics);
}
