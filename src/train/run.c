/* SPDX-License-Identifier: BSD-3-Clause */
/* Setting a run up, saving it, and bringing it back. Rank 0 alone touches the run directory; what it reads
 * it broadcasts, so all ranks hold the same bits. */
#include "train/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/show.h"
#include "base/size.h"
#include "base/text.h"
#include "comm/team.h"
#include "config/config.h"
#include "data/normalize.h"
#include "store/transfer.h"
#include "optim/ema.h"
#include "optim/optimizer.h"
#include "train/replicas.h"
#include "train/resume.h"

_Static_assert((int)LS_MAX_CHANNELS <= (int)LS_CHECKPOINT_MAX_CHANNELS,
               "a checkpoint holds any normalization");
_Static_assert((int)LS_OPTIMIZER_MAX_SLOTS <= (int)LS_STATE_MAX_SLOTS,
               "a checkpoint holds any optimizer's state");

static const char BEST[] = "best.h5";

static void say(const ls_run *run, const char *text)
{
  const ls_trainer_events *events = &run->options->events;
  if (events->message && ls_comm_rank(run->options->comm) == 0) events->message(events->user, text);
}

/* Say a text, whole or not at all, and release it. Local. */
static ls_status say_text(const ls_run *run, ls_text *text)
{
  char *whole;
  LS_PASS(ls_text_take(text, &whole));
  say(run, whole);
  free(whole);
  return LS_OK;
}

/* The run directory may have been moved, and another one put in its place: the run goes on in its own. Local.
 */
static ls_status follow(const ls_run *run)
{
  ls_directory *run_dir = run->options->run_dir;
  ls_text line = {0};
  bool moved;
  LS_TRY(ls_directory_follow(run_dir, &moved), "the run directory");
  if (!moved) return LS_OK;
  ls_text_show(&line, "the run directory was moved: going on in %s", run_dir->path);
  return say_text(run, &line);
}

/* That the run directory was removed says more than that a file could not be written. Rank 0. */
static ls_status written(const ls_run *run, ls_status status)
{
  if (status == LS_E_IO) LS_PASS(follow(run));
  return status;
}

/* As the configuration says, else the dataset, else plain. */
static ls_picture_kind picture_of(const ls_run *run)
{
  const ls_picture_kind given = (ls_picture_kind)run->options->spec->data.picture,
                        own = ls_source_info(run->options->source)->picture;
  if (given != LS_PICTURE_AUTO) return given;
  return own != LS_PICTURE_AUTO ? own : LS_PICTURE_PLAIN;
}

/* What checkpoints say about the dataset. Local. */
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
  snprintf(info->dataset, sizeof info->dataset, "%s", data->name);
  snprintf(info->picture, sizeof info->picture, "%s", ls_picture_words[picture_of(run)]);
  info->train_count = data->count[LS_SPLIT_TRAIN];
  ls_source_labels_digest(source, LS_SPLIT_TRAIN, info->labels_digest);
  if (!data->class_names) return LS_OK;
  ls_text names = {0};
  for (size_t k = 0; k < data->classes; k++) ls_text_add(&names, k ? "\n%s" : "%s", data->class_names[k]);
  return ls_text_take(&names, &info->class_names);
}

/* And about its normalization, which takes a look at the images. */
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

/* What a checkpoint of another experiment leads to. */
static ls_status cannot_resume(const ls_run *run, ls_status status)
{
  return ls_wrap(status, "cannot resume '%s' (a changed experiment needs a new run directory: -o DIR)",
                 run->from_path);
}

/* Read a checkpoint into the state. Rank 0. */
static ls_status load(ls_run *run, const char *path)
{
  ls_resume resume = {
      .now = run->options->spec, .found = &run->from, .data = &run->info, .events = &run->options->events};
  ls_spec *then = NULL;
  ls_status status;
  LS_GO(ls_text_copy(&run->from_path, path));
  LS_GO(ls_checkpoint_read_info(path, &run->from));
  LS_GO(ls_config_parse(&then, run->from.config, path, NULL, 0, run->options->schemas));
  resume.then = then;
  status = ls_resume_check(&resume);
  if (status != LS_OK) status = cannot_resume(run, status);
  LS_GO(status);
  LS_GO(ls_checkpoint_read(path, &run->state));
  status = ls_state_check(&run->state);
  if (status != LS_OK) status = ls_wrap(status, "cannot resume '%s' (an older checkpoint may do)", path);
  LS_GO(status);
  memcpy(run->info.init_digest, run->from.init_digest, sizeof run->info.init_digest);
  LS_GO(ls_resume_adapt(&resume, &run->state.progress, &run->schedule));
done:
  ls_spec_free(then);
  return status;
}

/* Do the samples that were loaded fit to the checkpoint that was? Rank 0. */
static ls_status check_loaded(const ls_run *run)
{
  if (!run->from_path) return LS_OK;
  const ls_status status = ls_resume_check_loaded(&run->from, &run->info, ls_loader_steps(run->loader));
  return status == LS_OK ? LS_OK : cannot_resume(run, status);
}

/* Is a snapshot there, of the epoch that ends its cycle? */
static ls_status check_snapshot(const ls_run *run, size_t number, size_t epoch)
{
  char name[LS_SNAPSHOT_CHARS];
  char *path = NULL;
  ls_checkpoint_info info = {.config = NULL};
  ls_status status;
  LS_GO(ls_directory_path(run->options->run_dir, ls_snapshot_name(number, name), &path));
  LS_GO(ls_checkpoint_read_info(path, &info));
  if (info.progress.epoch != epoch)
    status =
        ls_fail(LS_E_INPUT, "'%s' is of epoch %zu, but cycle %zu of this schedule has ended with epoch %zu",
                path, (size_t)info.progress.epoch, number, epoch);
done:
  ls_checkpoint_info_fini(&info);
  free(path);
  return status;
}

/* A resumed run makes no snapshot of a cycle that is over: better told now than after the last epoch. Rank 0.
 */
static ls_status check_snapshots(const ls_run *run)
{
  const ls_spec *spec = run->options->spec;
  if (!run->from_path || spec->ensemble.type != LS_ENSEMBLE_SNAPSHOT) return LS_OK;
  const size_t done = ls_size_min(run->state.progress.epoch, spec->train.epochs);
  for (size_t epoch = 1; epoch <= done; epoch++) {
    const size_t number = ls_schedule_cycles_done(&spec->train.schedule, epoch, spec->train.epochs);
    if (number > 0)
      LS_TRY(
          check_snapshot(run, number, epoch),
          "cannot go on with this snapshot ensemble (try: restore the file, or start anew with another -o)");
  }
  return LS_OK;
}

/* "56 steps are done: 1 epoch and 3 steps of the next". */
static void describe_progress(const ls_progress *progress, ls_text *line)
{
  const uint64_t epochs = progress->epoch, steps = progress->step, rest = progress->epoch_step;
  ls_text_add(line, "%" PRIu64 " step%s done: ", steps, steps == 1 ? " is" : "s are");
  ls_text_add(line, "%" PRIu64 " epoch%s", epochs, ls_plural(epochs));
  if (rest > 0) ls_text_add(line, " and %" PRIu64 " step%s of the next", rest, ls_plural(rest));
}

/* From where the run goes on; `path` is NULL if it begins. Rank 0. */
static ls_status report_start(const ls_run *run, const char *path)
{
  ls_text line = {0};
  if (path) {
    ls_text_show(&line, "resuming from %s: ", path);
    describe_progress(&run->state.progress, &line);
  } else {
    ls_text_show(&line, "no checkpoint in %s: starting from the beginning", run->options->run_dir->path);
  }
  return say_text(run, &line);
}

/* Find and read the newest intact checkpoint; *found tells if there is one. Rank 0. */
static ls_status load_newest(ls_run *run, bool *found)
{
  ls_text damaged = {0};
  char *path = NULL;
  ls_status status;
  LS_GO(ls_checkpoint_newest(run->options->run_dir, &path, &damaged));
  const bool is_damaged = damaged.failed || damaged.length > 0;
  if (is_damaged) LS_GO(say_text(run, &damaged));
  if (is_damaged && !path)
    LS_GO(ls_fail(LS_E_INPUT, "no intact checkpoint in '%s': restore one, or start anew with another -o",
                  run->options->run_dir->path));
  *found = path != NULL;
  if (path) LS_GO(load(run, path));
  LS_GO(report_start(run, path));
done:
  free(path);
  ls_text_fini(&damaged);
  return status;
}

/* Rank 0's weights, optimizer state and progress to all. Collective. */
static ls_status broadcast_state(ls_run *run)
{
  const ls_model_counts *counts = ls_model_count(run->options->model);
  ls_comm *comm = run->options->comm;
  ls_state *state = &run->state;
  LS_PASS(ls_comm_broadcast(comm, state->params, counts->params * sizeof(float)));
  LS_PASS(ls_comm_broadcast(comm, state->buffers, counts->buffers * sizeof(float)));
  if (state->average.params) {
    LS_PASS(ls_comm_broadcast(comm, state->average.params, counts->params * sizeof(float)));
    LS_PASS(ls_comm_broadcast(comm, state->average.buffers, counts->buffers * sizeof(float)));
  }
  for (size_t i = 0; i < state->slot_count; i++)
    LS_PASS(ls_comm_broadcast(comm, state->slots[i].data, counts->params * sizeof(float)));
  LS_PASS(ls_comm_broadcast(comm, &state->optimizer_step, sizeof state->optimizer_step));
  LS_PASS(ls_comm_broadcast(comm, &state->progress, sizeof state->progress));
  LS_PASS(ls_comm_broadcast(comm, &run->schedule, sizeof run->schedule));
  ls_engine_pack(run->engine, &run->network);
  return LS_OK;
}

/* What model.init_from has of the weights. Rank 0. */
static ls_status take_weights(ls_run *run)
{
  const char *path = ls_spec_init_from(run->options->spec);
  ls_transfer_report report = {.lines = {0}};
  if (!path) return LS_OK;
  ls_status status =
      ls_transfer_read(path, run->options->model, run->network.params, run->network.buffers, &report);
  if (status == LS_OK) status = say_text(run, &report.lines);
  memcpy(run->info.init_digest, report.digest, sizeof run->info.init_digest);
  ls_transfer_report_fini(&report);
  return status;
}

/* Initial weights, of which the average starts. Rank 0. */
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

/* Only now, when the run is known to start: an earlier run's configuration stays until then. Rank 0. */
static ls_status write_config(const ls_run *run)
{
  const char *config = run->options->config;
  LS_PASS(follow(run));
  return written(run, ls_directory_write(run->options->run_dir, "config.yaml", config, strlen(config)));
}

/* Where ranks do not share memory, training is slower, and somebody may be able to help.
 * Local. */
static ls_status report_split(const ls_run *run)
{
  const char *reason = ls_engine_split_reason(run->engine);
  ls_text line = {0};
  if (!reason) return LS_OK;
  ls_text_add(
      &line, "the ranks of a host cannot share memory here: sums are sent between them, which is slower (%s)",
      reason);
  return say_text(run, &line);
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
  if (options->resume) LS_ROOT(comm, load_newest(run, &found));
  LS_ROOT(comm, found ? LS_OK : begin(run));
  LS_PASS(broadcast_state(run));
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
  LS_ROOT(comm, check_loaded(run));
  LS_ROOT(comm, check_snapshots(run));
  LS_ROOT(comm, write_config(run));
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

const ls_network *ls_run_evaluated(ls_run *run)
{
  if (!run->average.params) return &run->network;
  ls_engine_pack(run->engine, &run->average);
  return &run->average;
}

/* Rank 0. */
static ls_status write_as(const ls_run *run, const char *name)
{
  LS_PASS(follow(run));
  return written(run, ls_checkpoint_write_in(run->options->run_dir, name, &run->info, &run->state));
}

/* Rank 0. */
static ls_status write_checkpoint(const ls_run *run)
{
  char name[LS_CHECKPOINT_NAME_CHARS];
  const uint64_t step = run->state.progress.step;
  const ls_step_range known = {run->saved_step > 0 ? run->first_saved_step : step, step};
  LS_PASS(write_as(run, ls_checkpoint_name(step, name)));
  return written(run,
                 ls_checkpoint_prune(run->options->run_dir, run->options->spec->checkpoint.keep, &known));
}

static ls_status check_replicas(const ls_run *run)
{
  char digest[LS_DIGEST_CHARS];
  if (ls_comm_size(run->options->comm) == 1) return LS_OK;
  ls_weights_digest(run->options->model, run->network.params, run->network.buffers, digest);
  return ls_check_replicas(run->options->comm, digest);
}

/* Were they the weights of model.init_from, before anything was learned? */
static bool is_origin_at_fault(const ls_run *run, uint64_t step)
{
  return step <= 1 && ls_spec_init_from(run->options->spec) != NULL;
}

ls_status ls_run_advise(const ls_run *run, uint64_t step, ls_status status)
{
  if (is_origin_at_fault(run, step))
    return ls_wrap(status,
                   "the weights of model.init_from, '%s', give no finite numbers with these images (try: "
                   "data.mean and data.std as they were trained with; look at their values)",
                   ls_spec_init_from(run->options->spec));
  char name[LS_CHECKPOINT_NAME_CHARS], intact[96] = "there is no checkpoint yet";
  if (run->saved_step > 0)
    snprintf(intact, sizeof intact, "%s %s", ls_checkpoint_name(run->saved_step, name),
             run->saved_step < step ? "is intact" : "holds these very weights, an earlier one may do");
  return ls_wrap(status,
                 "training has diverged (%s; try a lower train.optimizer.lr, a warm-up, or train.clip_norm)",
                 intact);
}

/* Replicas first: where they differ, the rank at fault is to be named, not its layer. */
ls_status ls_run_check(ls_run *run)
{
  const uint64_t step = run->state.progress.step;
  const char *before = ls_activity_enter(run->activity, "comparing replicas");
  LS_TRY(check_replicas(run), "after step %" PRIu64, step);
  const ls_status status = ls_weights_check(run->options->model, run->network.params, run->network.buffers);
  ls_activity_enter(run->activity, before);
  return status == LS_OK ? LS_OK : ls_run_advise(run, step, ls_wrap(status, "after step %" PRIu64, step));
}

ls_status ls_run_save(ls_run *run)
{
  LS_PASS(ls_run_check(run));
  const char *before = ls_activity_enter(run->activity, "writing a checkpoint");
  LS_ROOT(run->options->comm, write_checkpoint(run));
  ls_activity_enter(run->activity, before);
  if (run->saved_step == 0) run->first_saved_step = run->state.progress.step;
  run->saved_step = run->state.progress.step;
  run->checkpoint_s = ls_clock_s();
  return LS_OK;
}

/* Rank 0. */
static ls_status write_metrics(const ls_run *run)
{
  LS_PASS(follow(run));
  return written(run, ls_metrics_write(run->options->run_dir, &run->info, &run->state));
}

ls_status ls_run_save_metrics(ls_run *run)
{
  const char *before = ls_activity_enter(run->activity, "writing the metrics");
  LS_ROOT(run->options->comm, write_metrics(run));
  ls_activity_enter(run->activity, before);
  return LS_OK;
}

ls_status ls_run_save_as(ls_run *run, const char *name)
{
  const char *before = ls_activity_enter(run->activity, name);
  LS_ROOT(run->options->comm, write_as(run, name));
  ls_activity_enter(run->activity, before);
  return LS_OK;
}

/* Is best.h5 there, intact, and of the epoch that the run counts as its best? After a crash, or by hand, it
 * may not be: `why` is told then. That it cannot be read is no answer. */
static ls_status is_best(const ls_run *run, const char *path, bool *best, ls_text *why)
{
  ls_checkpoint_info info = {0};
  const size_t wanted = run->state.progress.best_epoch;
  bool found;
  *best = false;
  LS_PASS(ls_directory_find(run->options->run_dir, BEST, &found));
  if (!found) ls_text_show(why, "%s is missing", BEST);
  if (!found) return LS_OK;
  const ls_status status = ls_checkpoint_read_info(path, &info);
  const size_t epoch = info.progress.epoch;
  *best = status == LS_OK && epoch == wanted;
  ls_checkpoint_info_fini(&info);
  if (status == LS_E_INPUT) ls_text_show(why, "%s", ls_error_last()->text);
  if (status == LS_OK && !*best)
    ls_text_show(why, "%s is of epoch %zu, and the best is %zu", BEST, epoch, wanted);
  return status == LS_E_INPUT ? LS_OK : status;
}

/* Weights alone: progress and history stay those of the run. */
static ls_status read_weights(ls_run *run, const char *path)
{
  bool best;
  ls_text line = {0};
  LS_PASS(is_best(run, path, &best, &line));
  if (!best) {
    ls_text_add(&line, ": the final weights are the last epoch's");
    return say_text(run, &line);
  }
  ls_state state = {.model = run->state.model,
                    .params = run->state.params,
                    .buffers = run->state.buffers,
                    .average = run->state.average};
  const ls_status status = ls_checkpoint_read_weights(path, &state);
  run->restored = status == LS_OK;
  return status;
}

/* Rank 0. */
static ls_status read_best(ls_run *run)
{
  char *path;
  LS_PASS(follow(run));
  LS_PASS(ls_directory_path(run->options->run_dir, BEST, &path));
  const ls_status status = read_weights(run, path);
  free(path);
  return status;
}

ls_status ls_run_restore_best(ls_run *run)
{
  const char *before = ls_activity_enter(run->activity, "reading best.h5");
  LS_ROOT(run->options->comm, read_best(run));
  LS_PASS(broadcast_state(run));
  ls_activity_enter(run->activity, before);
  return LS_OK;
}
