/* SPDX-License-Identifier: BSD-3-Clause */
/* A training from its configuration to its summary, with its watchdog, signals and display. */
#include "cli/train/training.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "cli/print.h"
#include "cli/train/training_display.h"
#include "cli/run_dir.h"
#include "cli/process/stop.h"
#include "cli/train/summary.h"
#include "cli/process/watch.h"
#include "eval/evaluate.h"
#include "kernels/gemm/gemm.h"
#include "store/transfer.h"
#include "h5/h5.h"
#include "train/watchdog/notes.h"
#include "train/schemas.h"

enum { FEW_IMAGES = 1000 }; /* whose mean and deviation may be off by some hundredths */

/* The run directory: rank 0 makes it, and all leave their notes there. Collective. */
static ls_status open_run_dir(ls_training *training, ls_comm *comm, const ls_training_options *options)
{
  const ls_run_dir_options folder = {.path = options->run_path,
                                     .run_name = training->setup.spec->name,
                                     .resume = options->resume,
                                     .parent = options->parent,
                                     .is_claimed = options->is_claimed};
  LS_ROOT(comm, ls_run_dir_prepare(&training->run_dir, &folder));
  LS_PASS(ls_comm_broadcast_text(comm, &training->run_dir.path));
  if (ls_comm_rank(comm) == 0) ls_notes_clear(&training->run_dir);
  LS_PASS(ls_comm_barrier(comm));
  return ls_comm_agree(comm, ls_watchdog_use_directory(training->watchdog, &training->run_dir));
}

/* Stop the watchdog only after the last collective call. Then no thread reads of this training any more. */
void ls_training_fini(ls_training *training, ls_comm *comm)
{
  ls_comm_watch(comm, NULL);
  ls_watchdog_stop(training->watchdog);
  ls_setup_fini(&training->setup);
  ls_directory_close(&training->run_dir);
}

/* Weights from elsewhere want the images as they were trained on them, and few images do not show that.
 * Rank 0. */
static void warn_few_images(const ls_setup *setup, const char *label)
{
  const ls_spec_data *data = &setup->spec->data;
  if (!ls_spec_init_from(setup->spec) || data->normalize.word != LS_NORMALIZE_STANDARD ||
      setup->train_samples >= FEW_IMAGES)
    return;
  ls_warn("%sdata.normalize: standard takes mean and deviation of %zu training image%s; the weights of "
          "model.init_from want those that they were trained with: give data.normalize: {mean: [...], "
          "deviation: [...]}",
          label, setup->train_samples, ls_plural(setup->train_samples));
}

/* Are the weights there that a new run starts from? Found out before a run directory is made. What is loaded
 * is reported here only if no training will. Rank 0. */
static ls_status check_init(const ls_setup *setup, const ls_training_options *options)
{
  const char *path = ls_spec_init_from(setup->spec);
  ls_transfer_report report = {.lines = {0}};
  if (!path) return LS_OK;
  const ls_transfer_source source = {.path = path, .renames = &setup->spec->model.rename};
  ls_status status = ls_transfer_try(&source, setup->model, &report);
  if (status == LS_OK) {
    ls_warn_each(options->label, &report.warning);
    warn_few_images(setup, options->label);
  }
  if (options->dry_run && status == LS_OK) status = ls_print_text(&report.lines);
  ls_transfer_report_fini(&report);
  return status;
}

/* Of an ensemble's member it has been reported already. Rank 0. */
static ls_status report_setup(const ls_setup *setup)
{
  ls_setup_warn_rest(setup, 0);
  LS_PASS(ls_setup_warn_data(setup, 0));
  ls_setup_report_data(setup);
  ls_setup_note_settings(setup, 0, stdout);
  return LS_OK;
}

static ls_status print_model(const ls_model *model)
{
  ls_text table = {0};
  ls_model_summary(model, &table);
  return ls_print_text(&table);
}

/* Rank 0. */
static void print_plan(const ls_training *training, const ls_training_options *options, size_t ranks)
{
  const ls_setup *setup = &training->setup;
  const ls_spec *spec = setup->spec;
  ls_print(stdout,
           "%s%s: %zu parameters, %s, batch %zu in micro-batches of %zu, %zu rank%s x %zu thread%s%s, %s\n",
           options->label, spec->name, ls_model_count(setup->model)->params,
           spec->train.optimizer.schema->name, spec->train.batch, spec->train.microbatch, ranks,
           ls_plural(ranks), setup->placement.threads, ls_plural(setup->placement.threads),
           setup->placement.is_by_quota ? " (as many as a CPU quota allows)" : "", ls_gemm_backend());
  ls_print(stdout, "%srun directory: %s\n", options->label, training->run_dir.path);
  fflush(stdout);
}

static void on_step(void *user, const ls_step_event *event)
{
  double elapsed_s = (double)event->samples / event->samples_per_second;
  double left = (double)(event->steps - event->step) / (double)event->step;
  ls_display_step step = {.epoch = event->epoch,
                          .step = event->step,
                          .steps = event->steps,
                          .loss = event->loss,
                          .accuracy = event->accuracy,
                          .samples_per_second = event->samples_per_second,
                          .seconds_left = left * elapsed_s};
  ls_training_display_step(user, &step);
}

static void on_epoch(void *user, const ls_epoch_event *event)
{
  const ls_epoch_metrics *validation = event->validation;
  ls_display_epoch epoch = {.epoch = event->epoch,
                            .loss = event->train->loss,
                            .accuracy = event->train->accuracy,
                            .validated = validation != NULL,
                            .validation_loss = validation ? validation->loss : 0.0,
                            .validation_accuracy = validation ? validation->accuracy : 0.0,
                            .learning_rate = event->train->learning_rate,
                            .samples_per_second = event->samples_per_second,
                            .seconds = event->train->seconds};
  ls_training_display_epoch(user, &epoch);
}

static void on_message(void *user, const char *text)
{
  const ls_training_display *display = user;
  ls_training_display_clear(user);
  ls_print(stdout, "%s", display->label);
  ls_print_lines(stdout, text);
  ls_print(stdout, "\n");
  fflush(stdout);
}

static ls_status train(ls_training *training, ls_comm *comm, const ls_training_options *options,
                       ls_train_result *result)
{
  const ls_setup *setup = &training->setup;
  ls_training_display display = {.stream = stdout,
                                 .label = options->label,
                                 .epochs = setup->spec->train.epochs,
                                 .terminal = !*options->label && ls_on_terminal(stdout)};
  const ls_trainer_options trainer = {.comm = comm,
                                      .spec = setup->spec,
                                      .schemas = &ls_all_schemas,
                                      .config = setup->resolved,
                                      .source = setup->source,
                                      .model = setup->model,
                                      .threads = setup->placement.threads,
                                      .run_dir = &training->run_dir,
                                      .resume = options->resume,
                                      .started_s = options->started_s,
                                      .stop = ls_stop_requested(),
                                      .evaluate = ls_evaluate_network,
                                      .events = {&display, on_step, on_epoch, on_message}};
  const ls_status status = ls_train(&trainer, result);
  ls_training_display_clear(&display);
  return status;
}

/* Rank 0. */
static ls_status summarize(ls_training *training, const ls_training_options *options, size_t ranks,
                           const ls_train_result *result)
{
  const ls_setup *setup = &training->setup;
  bool moved;
  LS_TRY(ls_directory_follow(&training->run_dir, &moved), "the run directory");
  const ls_run_facts facts = {.spec = setup->spec,
                              .data = ls_source_info(setup->source),
                              .ranks = ranks,
                              .threads = setup->placement.threads,
                              .parameters = ls_model_count(setup->model)->params,
                              .run_dir = &training->run_dir,
                              .label = options->label};
  return ls_summary_finish(&facts, result);
}

ls_status ls_training_run(ls_training *training, ls_comm *comm, const ls_training_options *options,
                          ls_train_result *result)
{
  const bool reports = ls_comm_rank(comm) == 0;
  const size_t ranks = (size_t)ls_comm_size(comm);
  *result = (ls_train_result){.has_test = false};
  const ls_spec_train *spec = &training->setup.spec->train;
  LS_AGREE(comm, ls_watch_start(&training->watchdog, comm, spec->stall_timeout, spec->stall_abort));
  LS_PASS(ls_setup_prepare(&training->setup, comm, options->placement));
  if (!options->placement) LS_PASS(ls_setup_warn_placement(&training->setup.placement, comm));
  LS_PASS(ls_setup_warn_idle(&training->setup, comm));
  if (!options->resume) LS_ROOT(comm, check_init(&training->setup, options));
  if (!*options->label) LS_ROOT(comm, report_setup(&training->setup));
  if (options->dry_run) return ls_comm_agree(comm, reports ? print_model(training->setup.model) : LS_OK);
  LS_ROOT(comm, ls_h5_start());
  LS_PASS(open_run_dir(training, comm, options));
  if (reports) print_plan(training, options, ranks);
  LS_PASS(train(training, comm, options, result));
  if (!options->parent) ls_stop_saves(false); /* else another member may be in training */
  ls_activity_enter(ls_comm_activity(comm), "writing the summary");
  LS_ROOT(comm, summarize(training, options, ranks, result));
  return LS_OK;
}
