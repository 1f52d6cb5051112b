/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics of a confusion matrix. Where precision, recall or F1 is 0/0 it is taken as 0, and a note says so;
 * the macro means are over the classes that have samples or predictions, as scikit-learn's (zero_division=0).
 * Source: Sokolova, Lapalme, "A systematic analysis of performance measures for classification tasks", 2009.
 */
#include "eval/metrics/metrics.h"

double ls_metrics_fraction(uint64_t part, uint64_t whole)
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

void ls_metrics_derive_class(ls_class_metrics *class, uint64_t hits)
{
  class->precision = ls_metrics_fraction(hits, class->predicted);
  class->recall = ls_metrics_fraction(hits, class->support);
  class->f1 =
      ls_metrics_fraction(2 * hits, class->predicted + class->support); /* 2 p r / (p + r), without its 0/0 */
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

void ls_metrics_derive(ls_metrics *metrics, double loss, double nll, const ls_calibration *calibration)
{
  const size_t classes = metrics->classes;
  sum_confusion(metrics);
  for (size_t i = 0; i < classes; i++)
    ls_metrics_derive_class(&metrics->per_class[i], metrics->confusion[i * classes + i]);
  derive_macro(metrics);
  metrics->accuracy = ls_metrics_fraction(metrics->correct, metrics->samples);
  if (metrics->samples == 0) return;
  metrics->loss = loss;
  metrics->nll = nll;
  metrics->brier = ls_calibration_brier(calibration);
  metrics->ece = ls_calibration_error(calibration);
}
