/* SPDX-License-Identifier: BSD-3-Clause */
/* The loop over epochs and steps. Every decision is taken from numbers that the step's reduction or an
 * evaluation has made equal on all ranks, so no rank leaves the loop alone. */
#include "train/trainer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/show.h"
#include "optim/early_stopping.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "train/run/run.h"

/* Clocks of one epoch in this session. */
typedef struct stopwatch {
  double started_s, lap_s;
  uint64_t samples; /* trained on since the start */
} stopwatch;

static bool listens(const ls_run *run)
{
  return ls_comm_rank(run->options->comm) == 0;
}

/* The configured learning rate, for this batch. Linear: Goyal et al., "Accurate, large minibatch SGD",
 * arXiv:1706.02677, 2017; square root: Krizhevsky, arXiv:1404.5997, 2014. */
static double base_lr(const ls_spec_train *train)
{
  const double lr = ls_optimizer_lr(&train->optimizer);
  if (train->lr_base_batch == 0) return lr;
  const double ratio = (double)train->batch / (double)train->lr_base_batch;
  return lr * (train->lr_scaling == LS_LR_SQRT ? sqrt(ratio) : ratio);
}

/* Learning rate of a step of an epoch, both from 0. Batches may have had another size in earlier epochs: what
 * counts are epochs. */
static double learning_rate(const ls_run *run, uint64_t epoch, uint64_t step)
{
  const ls_spec_train *train = &run->options->spec->train;
  const uint64_t steps = ls_loader_steps(run->loader);
  const ls_schedule_position position = {
      .step = epoch * steps + step, .epoch_steps = steps, .total_steps = steps * train->epochs};
  return ls_schedule_rate(&train->schedule, base_lr(train), &position, &run->schedule);
}

static bool time_is_up(const ls_run *run)
{
  const double limit_s = run->options->spec->train.time_limit;
  return limit_s > 0.0 && ls_clock_s() - run->started_s >= limit_s;
}

/* This rank's requests. Only rank 0's clock decides on checkpoints by the minute and on the time limit. */
static ls_control control_words(const ls_run *run)
{
  double every_s = 60.0 * run->options->spec->checkpoint.every_minutes;
  bool due = every_s > 0.0 && ls_clock_s() - run->checkpoint_s >= every_s;
  return (ls_control){.stop = *run->options->stop != 0 || (listens(run) && time_is_up(run)),
                      .checkpoint = due && listens(run)};
}

/* The share of right ones; not a number where labels are values. */
static double accuracy_of(const ls_run *run, uint64_t correct, double samples)
{
  return run->state.labels == LS_LABELS_VALUES ? NAN : (double)correct / samples;
}

static void report_step(const ls_run *run, const stopwatch *watch)
{
  const ls_trainer_events *events = &run->options->events;
  if (!events->step || !listens(run)) return;
  const ls_progress *progress = &run->state.progress;
  double samples = (double)progress->epoch_samples;
  ls_step_event event = {.epoch = progress->epoch + 1,
                         .epochs = run->options->spec->train.epochs,
                         .step = progress->epoch_step,
                         .steps = ls_loader_steps(run->loader),
                         .loss = progress->epoch_loss / samples,
                         .accuracy = accuracy_of(run, progress->epoch_correct, samples),
                         .samples = progress->epoch_samples,
                         .samples_per_second = (double)watch->samples / (ls_clock_s() - watch->started_s)};
  events->step(events->user, &event);
}

static ls_status stopped(const ls_run *run)
{
  const bool asked = *run->options->stop != 0 || !time_is_up(run); /* this rank, or another one */
  ls_text shown_path = {0};
  ls_text_show_word(&shown_path, run->options->run_dir->path);
  const ls_status status =
      ls_fail(LS_STOPPED, "%s after step %" PRIu64 " (epoch %" PRIu64 "); go on with --resume -o %s",
              asked ? "stopped on request" : "train.time_limit reached: stopped", run->state.progress.step,
              run->state.progress.epoch + 1, ls_text_get(&shown_path));
  ls_text_fini(&shown_path);
  return status;
}

/* One step, and what is due after it. Collective. */
static ls_status train_step(ls_run *run, stopwatch *watch)
{
  ls_progress *progress = &run->state.progress;
  ls_step step = {.loader = run->loader,
                  .epoch = progress->epoch,
                  .epoch_step = progress->epoch_step,
                  .lr = learning_rate(run, progress->epoch, progress->epoch_step),
                  .optimizer_step = ++run->state.optimizer_step,
                  .control = control_words(run)};
  ls_step_result result;
  ls_activity_step(run->activity, progress->epoch + 1, progress->epoch_step + 1);
  LS_PASS(ls_loader_advance(run->loader));
  const ls_status status = ls_engine_step(run->engine, &step, &result);
  if (status != LS_OK)
    return status == LS_E_NONFINITE ? ls_run_advise(run, progress->step + 1, status) : status;
  run->is_checked = false;
  ls_run_average(run);
  ls_step_times_add(&run->times, &result.times);
  run->timed_steps++;
  ls_activity_pass(run->activity);
  progress->step++;
  progress->epoch_step++;
  progress->epoch_loss += result.loss;
  progress->epoch_correct += result.correct;
  progress->epoch_samples += result.samples;
  watch->samples += result.samples;
  double now_s = ls_clock_s();
  progress->seconds += now_s - watch->lap_s;
  progress->epoch_seconds += now_s - watch->lap_s;
  watch->lap_s = now_s;
  report_step(run, watch);
  const size_t check_steps = run->options->spec->train.check_replicas;
  if (check_steps > 0 && progress->step % check_steps == 0) LS_PASS(ls_run_check(run));
  size_t every_steps = run->options->spec->checkpoint.every_steps;
  bool due = every_steps > 0 && progress->step % every_steps == 0;
  if (due || result.control.checkpoint > 0 || result.control.stop > 0) LS_PASS(ls_run_save(run));
  return result.control.stop > 0 ? stopped(run) : LS_OK;
}

/* The epoch's row of training metrics; opens the next epoch in the progress. */
static ls_epoch_metrics close_epoch(ls_run *run)
{
  ls_progress *progress = &run->state.progress;
  double samples = (double)progress->epoch_samples;
  const uint64_t last_step = ls_loader_steps(run->loader) - 1;
  ls_epoch_metrics row = {.epoch = progress->epoch + 1,
                          .step = progress->step,
                          .loss = progress->epoch_loss / samples,
                          .accuracy = accuracy_of(run, progress->epoch_correct, samples),
                          .learning_rate = learning_rate(run, progress->epoch, last_step),
                          .seconds = progress->epoch_seconds};
  progress->epoch++;
  progress->epoch_step = 0;
  progress->epoch_seconds = 0.0;
  progress->epoch_loss = 0.0;
  progress->epoch_correct = 0;
  progress->epoch_samples = 0;
  return row;
}

static void report_epoch(const ls_run *run, const ls_epoch_metrics *train, const ls_epoch_metrics *validation)
{
  const ls_trainer_events *events = &run->options->events;
  if (!events->epoch || !listens(run)) return;
  double samples = (double)ls_loader_train_count(run->loader);
  ls_epoch_event event = {.epoch = run->state.progress.epoch,
                          .epochs = run->options->spec->train.epochs,
                          .train = train,
                          .validation = validation,
                          .samples_per_second = samples / train->seconds};
  events->epoch(events->user, &event);
}

/* The network at the end of a cycle of the schedule is a member. Collective. */
static ls_status save_snapshot(ls_run *run)
{
  const ls_spec_train *train = &run->options->spec->train;
  const size_t number = ls_schedule_cycles_done(&train->schedule, run->state.progress.epoch, train->epochs);
  char name[LS_SNAPSHOT_CHARS];
  return number > 0 ? ls_run_save_as(run, ls_snapshot_name(number, name)) : LS_OK;
}

static ls_best_epoch best_epoch(const ls_progress *progress)
{
  return (ls_best_epoch){progress->best_epoch, progress->best_metric, progress->bad_epochs};
}

/* Compare the epoch with the best one. */
static ls_early_stopping_result compare_epoch(ls_run *run, const ls_metric_values *validation)
{
  ls_progress *progress = &run->state.progress;
  ls_best_epoch best = best_epoch(progress);
  const ls_early_stopping_result result = ls_early_stopping_observe(&run->options->spec->train.early_stopping,
                                                                    progress->epoch, validation, &best);
  progress->best_epoch = best.epoch;
  progress->best_metric = best.metric;
  progress->bad_epochs = best.bad_epochs;
  return result;
}

/* Validation, best weights, schedule and checkpoint after the last step of an epoch. Collective. */
static ls_status end_epoch(ls_run *run)
{
  const ls_spec *spec = run->options->spec;
  ls_comm *comm = run->options->comm;
  ls_progress *progress = &run->state.progress;
  LS_PASS(ls_run_check(run));
  ls_epoch_metrics train = close_epoch(run);
  LS_AGREE(comm, ls_history_add(&run->state.train, &train));
  ls_epoch_metrics validation;
  const ls_epoch_metrics *observed = &train;
  ls_early_stopping_result result = {.improved = false};
  if (ls_loader_eval_count(run->loader, LS_EVAL_VALIDATION) > 0) {
    LS_PASS(ls_run_validate(run, &validation));
    LS_AGREE(comm, ls_history_add(&run->state.validation, &validation));
    observed = &validation;
    result = compare_epoch(run, &(ls_metric_values){validation.loss, validation.accuracy});
  }
  const ls_metric_values values = {observed->loss, observed->accuracy};
  ls_schedule_observe(&spec->train.schedule, base_lr(&spec->train), &values, &run->schedule);
  report_epoch(run, &train, observed == &validation ? observed : NULL);
  LS_PASS(ls_run_save_metrics(run));
  if (result.improved) LS_PASS(ls_run_save_as(run, "best.h5"));
  if (ls_spec_takes_snapshots(spec)) LS_PASS(save_snapshot(run));
  bool last = result.stop || progress->epoch == spec->train.epochs;
  size_t every = spec->checkpoint.every_epochs;
  if (last || (every > 0 && progress->epoch % every == 0)) LS_PASS(ls_run_save(run));
  return LS_OK;
}

bool ls_run_is_stopped_early(const ls_run *run)
{
  const ls_progress *progress = &run->state.progress;
  const ls_best_epoch best = best_epoch(progress);
  return ls_early_stopping_ends(&run->options->spec->train.early_stopping, progress->epoch, &best);
}

static void report_complete(const ls_run *run)
{
  const ls_trainer_events *events = &run->options->events;
  const char *text = "all epochs are done; a larger train.epochs lets the run go on";
  if (!events->message || !listens(run)) return;
  if (ls_run_is_stopped_early(run))
    text = "early stopping has ended this run; a larger patience lets it go on";
  if (run->options->spec->train.epochs == 0)
    text = "train.epochs is 0: nothing is trained; a larger one lets the run go on";
  events->message(events->user, text);
}

/* Save a run that trains nothing: its initial weights, and empty tables. Collective. */
static ls_status save_untrained(ls_run *run)
{
  LS_PASS(ls_run_save_metrics(run));
  return ls_run_save(run);
}

static ls_status train_epochs(ls_run *run)
{
  ls_progress *progress = &run->state.progress;
  size_t epochs = run->options->spec->train.epochs;
  if (progress->epoch >= epochs || ls_run_is_stopped_early(run)) report_complete(run);
  while (progress->epoch < epochs && !ls_run_is_stopped_early(run)) {
    ls_split_metrics_set(&run->state.split_metrics, LS_METRICS_TEST, NULL); /* of weights that are no more */
    double now_s = ls_clock_s();
    stopwatch watch = {.started_s = now_s, .lap_s = now_s};
    ls_activity_enter(run->activity, "exchanging samples");
    const ls_status status = ls_loader_epoch(run->loader, progress->epoch, progress->epoch + 1 == epochs);
    ls_activity_enter(run->activity, NULL);
    LS_PASS(status);
    while (progress->epoch_step < ls_loader_steps(run->loader)) LS_PASS(train_step(run, &watch));
    LS_PASS(end_epoch(run));
  }
  return LS_OK;
}

/* The name of the file with the final weights. Collective. */
static ls_status name_checkpoint(const ls_run *run, char name[LS_CHECKPOINT_NAME_CHARS])
{
  if (run->restored)
    snprintf(name, LS_CHECKPOINT_NAME_CHARS, "best.h5");
  else
    ls_checkpoint_name(run->state.progress.step, name);
  return ls_comm_broadcast(run->options->comm, name, LS_CHECKPOINT_NAME_CHARS);
}

/* Write the final figures to metrics.h5, and to the checkpoint of these weights if that lacks them: a run
 * that is killed before has the same checkpoint without them. Collective. */
static ls_status keep_end(ls_run *run, ls_train_result *result)
{
  ls_comm *comm = run->options->comm;
  const bool is_any = run->saved_step > 0 || run->options->spec->train.epochs == 0; /* of step 0: untrained */
  const bool is_saved = is_any && run->saved_step == run->state.progress.step && !run->restored;
  bool is_lacking = result->has_test && is_saved && !run->state.split_metrics.splits[LS_METRICS_TEST];
  LS_PASS(ls_comm_broadcast(comm, &is_lacking, sizeof is_lacking));
  for (size_t i = 0; i < LS_METRICS_COUNT; i++) {
    if (result->splits.splits[i]) ls_run_keep(run, (ls_metrics_split)i, result->splits.splits[i]);
    result->splits.splits[i] = NULL;
  }
  LS_PASS(ls_run_save_metrics(run));
  if (is_lacking) LS_PASS(ls_run_save_as(run, result->checkpoint));
  result->splits = run->state.split_metrics;
  run->state.split_metrics = (ls_split_metrics){{NULL}};
  return LS_OK;
}

static ls_status finish(ls_run *run, ls_train_result *result)
{
  const ls_spec_early_stopping *early = &run->options->spec->train.early_stopping;
  ls_progress *progress = &run->state.progress;
  if (early->patience > 0 && early->restore_best && progress->best_epoch > 0)
    LS_PASS(ls_run_restore_best(run));
  LS_PASS(ls_run_check(run));
  result->progress = *progress;
  result->has_validation = ls_loader_eval_count(run->loader, LS_EVAL_VALIDATION) > 0;
  result->has_test = ls_loader_eval_count(run->loader, LS_EVAL_TEST) > 0;
  ls_evaluation_figures figures;
  ls_metrics **ended = result->splits.splits;
  if (result->has_validation)
    LS_PASS(ls_run_evaluate(run, LS_METRICS_VALIDATION, &figures, &ended[LS_METRICS_VALIDATION]));
  if (result->has_test) LS_PASS(ls_run_evaluate(run, LS_METRICS_TEST, &figures, &ended[LS_METRICS_TEST]));
  if (run->options->spec->train.epochs == 0) LS_PASS(save_untrained(run));
  LS_PASS(name_checkpoint(run, result->checkpoint));
  LS_PASS(keep_end(run, result));
  ls_weights_digest(run->options->model, run->network.params, run->network.buffers, result->weights_digest);
  memcpy(result->init_digest, run->info.init_digest, sizeof result->init_digest);
  if (run->average.params)
    ls_weights_digest(run->options->model, run->average.params, run->average.buffers, result->ema_digest);
  double trained = (double)progress->epoch * (double)ls_loader_train_count(run->loader);
  result->samples_per_second = progress->seconds > 0.0 ? trained / progress->seconds : 0.0;
  return ls_balance_gather(&result->balance, run->options->comm, &run->times, run->timed_steps);
}

const char *ls_snapshot_name(size_t number, char name[LS_SNAPSHOT_CHARS])
{
  snprintf(name, LS_SNAPSHOT_CHARS, "snapshot-%zu.h5", number);
  return name;
}

ls_status ls_train(const ls_trainer_options *options, ls_train_result *result)
{
  *result = (ls_train_result){.has_test = false};
  ls_run run;
  ls_status status;
  LS_GO(ls_run_init(&run, options));
  LS_GO(train_epochs(&run));
  LS_GO(finish(&run, result));
done:
  if (status == LS_E_COMM)
    return status; /* waiting for a background exchange could hang: main() ends the job */
  ls_run_fini(&run);
  if (status != LS_OK) ls_train_result_fini(result);
  return status;
}

void ls_train_result_fini(ls_train_result *result)
{
  ls_split_metrics_fini(&result->splits);
  ls_balance_fini(&result->balance);
}
