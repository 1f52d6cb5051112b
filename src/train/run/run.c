/* SPDX-License-Identifier: BSD-3-Clause */
/* Setting a run up. Rank 0 alone touches the run directory; what it reads it broadcasts, so all ranks hold
 * the same bits. */
#include "train/run/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "comm/team.h"
#include "data/normalize.h"
#include "data/readers/stated.h"
#include "optim/optimizer.h"
#include "store/transfer.h"
#include "train/run/run.h"

_Static_assert((int)LS_MAX_CHANNELS <= (int)LS_CHECKPOINT_MAX_CHANNELS,
               "a checkpoint holds any normalization");
_Static_assert((int)LS_OPTIMIZER_MAX_SLOTS <= (int)LS_STATE_MAX_SLOTS,
               "a checkpoint holds any optimizer's state");

/* The picture format: the configuration's, else the dataset's, else plain. */
static ls_picture_kind picture_of(const ls_run *run)
{
  const ls_picture_kind given = (ls_picture_kind)run->options->spec->data.picture,
                        own = ls_source_info(run->options->source)->picture;
  if (given != LS_PICTURE_AUTO) return given;
  return own != LS_PICTURE_AUTO ? own : LS_PICTURE_PLAIN;
}

/* Set what checkpoints record of the dataset. Local. */
static ls_status describe_data(ls_run *run)
{
  const ls_source *source = run->options->source;
  const ls_dataset_info *data = ls_source_info(source);
  ls_checkpoint_info *info = &run->info;
  LS_PASS(ls_text_copy(&info->config, run->options->config));
  info->channels = data->channels;
  info->height = data->height;
  info->width = data->width;
  info->classes = data->classes;
  info->labels = ls_loss_of(&run->options->spec->train.loss).kind->labels;
  snprintf(info->dataset, sizeof info->dataset, "%s", data->name);
  snprintf(info->picture, sizeof info->picture, "%s", ls_picture_words[picture_of(run)]);
  info->train_count = data->count[LS_SPLIT_TRAIN];
  ls_source_labels_digest(source, LS_SPLIT_TRAIN, info->labels_digest);
  return ls_class_names_join(data, &info->class_names);
}

/* Set what they record of its normalization, which needs the images. */
static void describe_normalization(ls_run *run)
{
  const ls_normalization *normalization = &run->network.normalization;
  for (size_t c = 0; c < normalization->channels; c++) {
    run->info.mean[c] = normalization->mean[c];
    run->info.deviation[c] = normalization->deviation[c];
  }
}

/* Network, engine and the state that points into them. Collective. */
static ls_status build(ls_run *run)
{
  const ls_trainer_options *options = run->options;
  const ls_normalization unknown = {.channels = 0};
  LS_AGREE(options->comm, ls_network_init(&run->network, options->model, &unknown));
  ls_team_clear(options->threads, run->network.params, ls_model_count(options->model)->params);
  run->network.loss = ls_loss_of(&options->spec->train.loss);
  ls_engine_options engine = {.comm = options->comm,
                              .network = &run->network,
                              .train = &options->spec->train,
                              .augment = &options->spec->data.augment,
                              .seed = options->spec->seed,
                              .threads = options->threads};
  if (options->spec->train.ema > 0.0) {
    LS_AGREE(options->comm, ls_network_init(&run->average, options->model, &unknown));
    ls_team_clear(options->threads, run->average.params, ls_model_count(options->model)->params);
  }
  run->average.loss = run->network.loss;
  LS_PASS(ls_engine_new(&run->engine, &engine));
  run->state = (ls_state){.model = options->model,
                          .params = run->network.params,
                          .buffers = run->network.buffers,
                          .average = {run->average.params, run->average.buffers},
                          .labels = run->network.loss.kind->labels,
                          .schedule = {ls_schedule_fields(&options->spec->train.schedule), &run->schedule}};
  ls_schedule_start(&options->spec->train.schedule, &run->schedule);
  const ls_optimizer_kind *kind = ls_optimizer_find(&options->spec->train.optimizer);
  float *const *slots = ls_engine_slots(run->engine, &run->state.slot_count);
  for (size_t i = 0; i < run->state.slot_count; i++) {
    run->state.slots[i].name = kind->slots[i].name;
    run->state.slots[i].is_squares = kind->slots[i].is_squares;
    run->state.slots[i].data = slots[i];
  }
  return LS_OK;
}

/* Load the weights that model.init_from has. Rank 0. */
static ls_status take_weights(ls_run *run)
{
  const char *path = ls_spec_init_from(run->options->spec);
  ls_transfer_report report = {.lines = {0}};
  if (!path) return LS_OK;
  const ls_transfer_source source = {.path = path, .renames = &run->options->spec->model.rename};
  ls_status status =
      ls_transfer_read(&source, run->options->model, run->network.params, run->network.buffers, &report);
  if (status == LS_OK) status = ls_run_say(run, &report.lines);
  memcpy(run->info.init_digest, report.digest, sizeof run->info.init_digest);
  ls_transfer_report_fini(&report);
  return status;
}

/* Set the initial weights, with which the average starts too. Rank 0. */
static ls_status begin(ls_run *run)
{
  const ls_model_counts *counts = ls_model_count(run->options->model);
  ls_model_init(run->options->model, run->options->spec->seed, run->network.params, run->network.buffers);
  LS_PASS(take_weights(run));
  if (!run->average.params) return LS_OK;
  memcpy(run->average.params, run->network.params, counts->params * sizeof(float));
  memcpy(run->average.buffers, run->network.buffers, counts->buffers * sizeof(float));
  return LS_OK;
}

/* Where ranks do not share memory, training is slower: a note says why, since the user may be able to help.
 * Local. */
static ls_status report_split(const ls_run *run)
{
  const char *reason = ls_engine_split_reason(run->engine);
  ls_text line = {0};
  if (!reason) return LS_OK;
  ls_text_add(
      &line, "the ranks of a host cannot share memory here: sums are sent between them, which is slower (%s)",
      reason);
  return ls_run_say(run, &line);
}

ls_status ls_run_init(ls_run *run, const ls_trainer_options *options)
{
  const double now_s = ls_clock_s();
  *run = (ls_run){.options = options,
                  .activity = ls_comm_activity(options->comm),
                  .started_s = options->started_s,
                  .checkpoint_s = now_s};
  ls_comm *comm = options->comm;
  const ls_spec *spec = options->spec;
  ls_activity_enter(run->activity, "setting up");
  LS_PASS(build(run));
  LS_AGREE(comm, report_split(run));
  LS_AGREE(comm, describe_data(run));
  bool found = false;
  if (options->resume) ls_activity_enter(run->activity, "reading a checkpoint");
  if (options->resume) LS_ROOT(comm, ls_run_load_newest(run, &found));
  LS_ROOT(comm, found ? LS_OK : begin(run));
  LS_PASS(ls_run_broadcast(run));
  run->first_saved_step = run->saved_step = run->state.progress.step;
  ls_activity_enter(run->activity, "loading the data");
  ls_loader_options loader = {.data = &spec->data,
                              .seed = spec->seed,
                              .batch = spec->train.batch,
                              .microbatch = spec->train.microbatch,
                              .evens_out = ls_model_needs_samples(options->model) != NULL,
                              .first_epoch = run->state.progress.epoch,
                              .threads = options->threads};
  LS_PASS(ls_loader_new(&run->loader, comm, options->source, &loader));
  LS_PASS(ls_normalization_find(&run->network.normalization, comm, run->loader, &spec->data,
                                ls_source_info(options->source)->channels));
  run->average.normalization = run->network.normalization;
  describe_normalization(run);
  LS_ROOT(comm, ls_run_check_loaded(run));
  LS_ROOT(comm, ls_run_check_snapshots(run));
  LS_ROOT(comm, ls_run_write_config(run));
  LS_PASS(ls_run_extract(run));
  ls_activity_enter(run->activity, NULL);
  return LS_OK;
}

void ls_run_fini(ls_run *run)
{
  ls_loader_free(run->loader);
  ls_engine_free(run->engine);
  ls_network_fini(&run->network);
  ls_network_fini(&run->average);
  ls_history_fini(&run->state.train);
  ls_history_fini(&run->state.validation);
  ls_split_metrics_fini(&run->state.split_metrics);
  ls_checkpoint_info_fini(&run->info);
  ls_checkpoint_info_fini(&run->from);
  free(run->from_path);
}
