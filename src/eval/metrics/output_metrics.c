/* SPDX-License-Identifier: BSD-3-Clause */
/* Figures of outputs and labels that are not classes, sample by sample in their order and in double, so that
 * they do not depend on which rank found which. A label holds where its logit is above 0, which is a
 * probability of 0.5. They are scikit-learn's: precision_recall_fscore_support (zero_division=0; but macro
 * means are over the labels that have samples or predictions), average_precision_score and r2_score.
 *
 * Sources: Sokolova, Lapalme, "A systematic analysis of performance measures for classification tasks", 2009;
 * average precision: sum over the outputs, from the largest down, of precision times the gain in recall, as
 * "Everingham et al., The PASCAL visual object classes challenge, 2010" after 2009, without interpolation. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "eval/metrics/metrics.h"

static float logit_of(const ls_outputs *outputs, size_t i, size_t k)
{
  return ls_outputs_row(outputs, i)->values[k];
}

static float label_of(const ls_outputs *outputs, size_t i, size_t k)
{
  return ls_outputs_row(outputs, i)->values[outputs->classes + k];
}

/* ---- several labels ---- */

/* An output for a label, and whether that holds. */
typedef struct scored {
  float logit;
  bool holds;
} scored;

static int by_falling_logit(const void *a, const void *b)
{
  const scored *x = a, *y = b;
  return (x->logit < y->logit) - (x->logit > y->logit);
}

/* Outputs that are equal count together. */
static double average_precision(scored *list, size_t count, uint64_t support)
{
  double sum = 0;
  uint64_t hits = 0, before = 0;
  qsort(list, count, sizeof *list, by_falling_logit);
  for (size_t i = 0; i < count; i++) {
    hits += list[i].holds;
    if (i + 1 < count && list[i + 1].logit == list[i].logit) continue;
    sum += ls_metrics_fraction(hits, i + 1) * (double)(hits - before);
    before = hits;
  }
  return support > 0 ? sum / (double)support : 0;
}

/* Fill `list`, and count: the hits are returned. */
static uint64_t count_label(ls_class_metrics *class, const ls_outputs *outputs, size_t k, scored *list)
{
  uint64_t hits = 0;
  for (size_t i = 0; i < outputs->count; i++) {
    list[i] = (scored){logit_of(outputs, i, k), label_of(outputs, i, k) > 0.0F};
    const bool is_predicted = list[i].logit > 0.0F;
    class->support += list[i].holds;
    class->predicted += is_predicted;
    hits += list[i].holds && is_predicted;
  }
  return hits;
}

static void add_to_means(ls_class_metrics *macro, const ls_class_metrics *class, size_t *counted,
                         size_t *ranked)
{
  macro->support += class->support;
  macro->predicted += class->predicted;
  *ranked += class->support > 0;
  macro->average_precision += class->average_precision;
  if (class->support + class->predicted == 0) return;
  (*counted)++;
  macro->precision += class->precision;
  macro->recall += class->recall;
  macro->f1 += class->f1;
}

static void divide_means(ls_class_metrics *macro, size_t counted, size_t ranked)
{
  const double classes = counted > 0 ? (double)counted : 1;
  macro->precision /= classes;
  macro->recall /= classes;
  macro->f1 /= classes;
  macro->average_precision /= ranked > 0 ? (double)ranked : 1;
}

static ls_status derive_several(ls_metrics *metrics, const ls_outputs *outputs)
{
  scored *list;
  size_t counted = 0, ranked = 0;
  uint64_t all_hits = 0;
  LS_PASS(ls_alloc(&list, outputs->count, sizeof *list, "the outputs for a label"));
  for (size_t k = 0; k < outputs->classes; k++) {
    ls_class_metrics *class = &metrics->per_class[k];
    const uint64_t hits = count_label(class, outputs, k, list);
    ls_metrics_derive_class(class, hits);
    class->average_precision = average_precision(list, outputs->count, class->support);
    add_to_means(&metrics->macro, class, &counted, &ranked);
    all_hits += hits;
  }
  free(list);
  divide_means(&metrics->macro, counted, ranked);
  metrics->micro.support = metrics->macro.support;
  metrics->micro.predicted = metrics->macro.predicted;
  ls_metrics_derive_class(&metrics->micro, all_hits);
  metrics->accuracy = ls_metrics_fraction(metrics->correct, metrics->samples);
  return LS_OK;
}

/* ---- values ---- */

static double mean_label(const ls_outputs *outputs, size_t k)
{
  double sum = 0;
  for (size_t i = 0; i < outputs->count; i++) sum += (double)label_of(outputs, i, k);
  return sum / (double)outputs->count;
}

/* Where all labels are the same, R2 is 1 if all outputs are right, and else 0. */
static void derive_value(ls_class_metrics *value, const ls_outputs *outputs, size_t k)
{
  const double mean = mean_label(outputs, k), count = (double)outputs->count;
  double absolute = 0, squares = 0, variance = 0;
  for (size_t i = 0; i < outputs->count; i++) {
    const double label = (double)label_of(outputs, i, k), off = (double)logit_of(outputs, i, k) - label;
    absolute += fabs(off);
    squares += off * off;
    variance += (label - mean) * (label - mean);
  }
  value->mae = absolute / count;
  value->rmse = sqrt(squares / count);
  value->r2 = variance > 0 ? 1 - squares / variance : squares == 0 ? 1 : 0;
}

/* The means are over the values; that of rmse is the root of the mean over all of them, as the loss is. */
static ls_status derive_values(ls_metrics *metrics, const ls_outputs *outputs)
{
  ls_class_metrics *mean = &metrics->macro;
  const double values = (double)outputs->classes;
  for (size_t k = 0; k < outputs->classes; k++) {
    ls_class_metrics *value = &metrics->per_class[k];
    derive_value(value, outputs, k);
    mean->mae += value->mae / values;
    mean->rmse += value->rmse * value->rmse / values;
    mean->r2 += value->r2 / values;
  }
  mean->rmse = sqrt(mean->rmse);
  return LS_OK;
}

ls_status ls_metrics_derive_outputs(ls_metrics *metrics, double loss, const ls_outputs *outputs)
{
  static ls_status (*const derives[])(ls_metrics *, const ls_outputs *) = {
      [LS_LABELS_SEVERAL] = derive_several, [LS_LABELS_VALUES] = derive_values};
  metrics->samples = outputs->count;
  metrics->loss = outputs->count > 0 ? loss : 0;
  return outputs->count > 0 ? derives[metrics->labels](metrics, outputs) : LS_OK;
}
