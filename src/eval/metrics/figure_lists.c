/* SPDX-License-Identifier: BSD-3-Clause */
/* The lists of figures that reports and JSON documents go through. */
#include "eval/metrics/metrics.h"

static double accuracy(const ls_metrics *metrics)
{
  return metrics->accuracy;
}

static double loss(const ls_metrics *metrics)
{
  return metrics->loss;
}

static double nll(const ls_metrics *metrics)
{
  return metrics->nll;
}

static double brier(const ls_metrics *metrics)
{
  return metrics->brier;
}

static double ece(const ls_metrics *metrics)
{
  return metrics->ece;
}

static double micro_precision(const ls_metrics *metrics)
{
  return metrics->micro.precision;
}

static double micro_recall(const ls_metrics *metrics)
{
  return metrics->micro.recall;
}

static double micro_f1(const ls_metrics *metrics)
{
  return metrics->micro.f1;
}

static double mean_average_precision(const ls_metrics *metrics)
{
  return metrics->macro.average_precision;
}

static double mean_mae(const ls_metrics *metrics)
{
  return metrics->macro.mae;
}

static double mean_rmse(const ls_metrics *metrics)
{
  return metrics->macro.rmse;
}

static double mean_r2(const ls_metrics *metrics)
{
  return metrics->macro.r2;
}

static const ls_split_figure class_split_figures[] = {{"accuracy", NULL, accuracy},
                                                      {"loss", NULL, loss},
                                                      {"nll", "negative log-likelihood", nll},
                                                      {"brier", "Brier score", brier},
                                                      {"ece", "calibration error", ece},
                                                      {NULL, NULL, NULL}};

static const ls_split_figure several_split_figures[] = {
    {"accuracy", NULL, accuracy},
    {"loss", NULL, loss},
    {"micro_precision", NULL, micro_precision},
    {"micro_recall", NULL, micro_recall},
    {"micro_f1", "micro F1", micro_f1},
    {"mean_average_precision", "mean average precision", mean_average_precision},
    {NULL, NULL, NULL}};

static const ls_split_figure values_split_figures[] = {{"loss", NULL, loss},
                                                       {"mae", "mean absolute error", mean_mae},
                                                       {"rmse", "root mean square error", mean_rmse},
                                                       {"r2", "R2", mean_r2},
                                                       {NULL, NULL, NULL}};

const ls_split_figure *ls_split_figures(ls_label_form labels)
{
  static const ls_split_figure *const lists[] = {[LS_LABELS_CLASS] = class_split_figures,
                                                 [LS_LABELS_SEVERAL] = several_split_figures,
                                                 [LS_LABELS_VALUES] = values_split_figures};
  return lists[labels];
}

/* ---- of each class ---- */

static double precision(const ls_class_metrics *class)
{
  return class->precision;
}

static double recall(const ls_class_metrics *class)
{
  return class->recall;
}

static double f1(const ls_class_metrics *class)
{
  return class->f1;
}

static double average_precision(const ls_class_metrics *class)
{
  return class->average_precision;
}

static double mae(const ls_class_metrics *class)
{
  return class->mae;
}

static double rmse(const ls_class_metrics *class)
{
  return class->rmse;
}

static double r2(const ls_class_metrics *class)
{
  return class->r2;
}

static const ls_class_figure class_figures[] = {
    {"precision", true, precision}, {"recall", true, recall}, {"f1", true, f1}, {NULL, false, NULL}};

static const ls_class_figure several_figures[] = {{"precision", true, precision},
                                                  {"recall", true, recall},
                                                  {"f1", true, f1},
                                                  {"average_precision", true, average_precision},
                                                  {NULL, false, NULL}};

static const ls_class_figure values_figures[] = {
    {"mae", false, mae}, {"rmse", false, rmse}, {"r2", false, r2}, {NULL, false, NULL}};

const ls_class_figure *ls_class_figures(ls_label_form labels)
{
  static const ls_class_figure *const lists[] = {[LS_LABELS_CLASS] = class_figures,
                                                 [LS_LABELS_SEVERAL] = several_figures,
                                                 [LS_LABELS_VALUES] = values_figures};
  return lists[labels];
}
