/* SPDX-License-Identifier: BSD-3-Clause */
/* The moving average of a run's weights, the evaluation of what is to be evaluated, and its figures. */
#include "train/run/run.h"

#include <inttypes.h>
#include <math.h>

#include "base/clock.h"
#include "comm/team.h"
#include "optim/ema.h"

static void average_part(void *user, size_t part)
{
  const ls_run *run = user;
  ls_ema_update(&run->average, &run->network, run->options->spec->train.ema, run->state.optimizer_step, part,
                run->options->threads);
}

void ls_run_average(ls_run *run)
{
  if (run->average.params) ls_team_run(run->options->threads, average_part, run);
}

/* What is evaluated: the moving average, if one is kept, or the network. */
static const ls_network *evaluated(ls_run *run)
{
  if (!run->average.params) return &run->network;
  ls_engine_pack(run->engine, &run->average);
  return &run->average;
}

static const char *const split_words[LS_METRICS_COUNT] = {
    [LS_METRICS_VALIDATION] = "validation", [LS_METRICS_TEST] = "test"};

static const ls_eval_split loader_splits[LS_METRICS_COUNT] = {
    [LS_METRICS_VALIDATION] = LS_EVAL_VALIDATION, [LS_METRICS_TEST] = LS_EVAL_TEST};

ls_status ls_run_evaluate(ls_run *run, ls_metrics_split split, ls_evaluation_figures *figures,
                          ls_metrics **metrics)
{
  const ls_evaluation_input input = {.comm = run->options->comm,
                                     .network = evaluated(run),
                                     .workspaces = ls_engine_workspaces(run->engine),
                                     .threads = run->options->threads,
                                     .loader = run->loader,
                                     .split = loader_splits[split]};
  const char *before = ls_activity_enter(run->activity, split == LS_METRICS_TEST ? "testing" : "validating");
  ls_status status = run->options->evaluate(&input, figures, metrics);
  ls_activity_enter(run->activity, before);
  LS_PASS(status);
  if (isfinite(figures->loss)) return LS_OK;
  ls_metrics_free(*metrics);
  *metrics = NULL;
  const uint64_t step = run->state.progress.step;
  status = ls_fail(LS_E_NONFINITE, "after step %" PRIu64 ": the loss on the %s samples is not finite", step,
                   split_words[split]);
  return ls_run_advise(run, step, status);
}

void ls_run_keep(ls_run *run, ls_metrics_split split, ls_metrics *metrics)
{
  const ls_progress *progress = &run->state.progress;
  metrics->epoch = run->restored ? progress->best_epoch : progress->epoch;
  ls_split_metrics_set(&run->state.split_metrics, split, metrics);
}

/* The columns that rank 0 alone has. */
static void add_split_metrics(ls_epoch_metrics *row, const ls_metrics *metrics)
{
  row->brier = metrics->brier;
  row->ece = metrics->ece;
  row->macro_precision = metrics->macro.precision;
  row->macro_recall = metrics->macro.recall;
  row->macro_f1 = metrics->macro.f1;
  row->micro_f1 = metrics->micro.f1;
  row->mean_average_precision = metrics->macro.average_precision;
  row->mae = metrics->macro.mae;
  row->rmse = metrics->macro.rmse;
  row->r2 = metrics->macro.r2;
}

ls_status ls_run_validate(ls_run *run, ls_epoch_metrics *row)
{
  double started_s = ls_clock_s();
  ls_evaluation_figures figures;
  ls_metrics *metrics;
  LS_PASS(ls_run_evaluate(run, LS_METRICS_VALIDATION, &figures, &metrics));
  const bool has_accuracy = run->state.labels != LS_LABELS_VALUES;
  *row =
      (ls_epoch_metrics){.epoch = run->state.progress.epoch,
                         .step = run->state.progress.step,
                         .loss = figures.loss,
                         .accuracy = has_accuracy ? (double)figures.correct / (double)figures.samples : NAN,
                         .seconds = ls_clock_s() - started_s};
  if (!metrics) return LS_OK;
  add_split_metrics(row, metrics);
  ls_run_keep(run, LS_METRICS_VALIDATION, metrics);
  return LS_OK;
}
