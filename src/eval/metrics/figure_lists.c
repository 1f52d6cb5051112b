/* SPDX-License-Identifier: BSD-3-Clause */
/* The lists of figures that reports and JSON documents go through. */
#include <stddef.h>

#include "eval/metrics/metrics.h"

#define SPLIT(name, phrase, member)                                                                          \
  {                                                                                                          \
    name, phrase, offsetof(ls_metrics, member)                                                               \
  }

static const ls_split_figure class_split_figures[] = {SPLIT("accuracy", NULL, accuracy),
                                                      SPLIT("loss", NULL, loss),
                                                      SPLIT("nll", "negative log-likelihood", nll),
                                                      SPLIT("brier", "Brier score", brier),
                                                      SPLIT("ece", "calibration error", ece),
                                                      {NULL, NULL, 0}};

static const ls_split_figure several_split_figures[] = {
    SPLIT("accuracy", NULL, accuracy),
    SPLIT("loss", NULL, loss),
    SPLIT("micro_precision", NULL, micro.precision),
    SPLIT("micro_recall", NULL, micro.recall),
    SPLIT("micro_f1", "micro F1", micro.f1),
    SPLIT("mean_average_precision", "mean average precision", macro.average_precision),
    {NULL, NULL, 0}};

static const ls_split_figure values_split_figures[] = {SPLIT("loss", NULL, loss),
                                                       SPLIT("mae", "mean absolute error", macro.mae),
                                                       SPLIT("rmse", "root mean square error", macro.rmse),
                                                       SPLIT("r2", "R2", macro.r2),
                                                       {NULL, NULL, 0}};

const ls_split_figure *ls_split_figures(ls_label_form labels)
{
  static const ls_split_figure *const lists[] = {[LS_LABELS_CLASS] = class_split_figures,
                                                 [LS_LABELS_SEVERAL] = several_split_figures,
                                                 [LS_LABELS_VALUES] = values_split_figures};
  return lists[labels];
}

double ls_split_figure_of(const ls_metrics *metrics, const ls_split_figure *figure)
{
  return *(const double *)(const void *)((const char *)metrics + figure->offset);
}

/* ---- of each class ---- */

#define CLASS(member, is_fraction)                                                                           \
  {                                                                                                          \
#member, is_fraction, offsetof(ls_class_metrics, member)                                                 \
  }

static const ls_class_figure class_figures[] = {
    CLASS(precision, true), CLASS(recall, true), CLASS(f1, true), {NULL, false, 0}};

static const ls_class_figure several_figures[] = {CLASS(precision, true),
                                                  CLASS(recall, true),
                                                  CLASS(f1, true),
                                                  CLASS(average_precision, true),
                                                  {NULL, false, 0}};

static const ls_class_figure values_figures[] = {
    CLASS(mae, false), CLASS(rmse, false), CLASS(r2, false), {NULL, false, 0}};

const ls_class_figure *ls_class_figures(ls_label_form labels)
{
  static const ls_class_figure *const lists[] = {[LS_LABELS_CLASS] = class_figures,
                                                 [LS_LABELS_SEVERAL] = several_figures,
                                                 [LS_LABELS_VALUES] = values_figures};
  return lists[labels];
}

double ls_class_figure_of(const ls_class_metrics *class, const ls_class_figure *figure)
{
  return *(const double *)(const void *)((const char *)class + figure->offset);
}
