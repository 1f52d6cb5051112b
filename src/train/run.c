/* SPDX-License-Identifier: BSD-3-Clause */
/* Setting a run up, saving it, and bringing it back. Rank 0 alone touches the run directory; what it reads
 * it broadcasts, so all ranks hold the same bits. */
#include "train/run.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/config.h"
#include "train/optimizer.h"
#include "train/replicas.h"

_Static_assert((int)LS_MAX_CHANNELS <= (int)LS_CHECKPOINT_MAX_CHANNELS,
               "a checkpoint holds any normalization");
_Static_assert((int)LS_OPTIMIZER_MAX_SLOTS <= (int)LS_STATE_MAX_SLOTS,
               "a checkpoint holds any optimizer's state");

static void say(const ls_run *run, const char *text)
{
  const ls_trainer_events *events = &run->options->events;
  if (events->message && ls_comm_rank(run->options->comm) == 0) events->message(events->user, text);
}

/* What checkpoints say about the data. Local. */
static ls_status describe_data(ls_run *run)
{
  const ls_dataset_info *data = ls_source_info(run->options->source);
  const ls_normalization *normalization = &run->network.normalization;
  ls_checkpoint_info *info = &run->info;
  LS_PASS(ls_text_copy(&info->config, run->options->config));
  info->channels = data->channels;
  info->height = data->height;
  info->width = data->width;
  info->classes = data->classes;
  snprintf(info->dataset, sizeof info->dataset, "%s", data->name);
  for (size_t c = 0; c < normalization->channels; c++) {
    info->mean[c] = normalization->mean[c];
    info->deviation[c] = normalization->deviation[c];
  }
  if (!data->class_names) return LS_OK;
  ls_text names = {0};
  for (size_t k = 0; k < data->classes; k++) ls_text_add(&names, k ? "\n%s" : "%s", data->class_names[k]);
  return ls_text_take(&names, &info->class_names);
}

/* Local. */
static ls_status start_watchdog(ls_run *run)
{
  const ls_trainer_options *options = run->options;
  const ls_watchdog_options watchdog = {.activity = &run->activity,
                                        .rank = ls_comm_rank(options->comm),
                                        .size = ls_comm_size(options->comm),
                                        .run_dir = options->run_dir,
                                        .warn_s = options->spec->train.stall_timeout,
                                        .abort_s = options->spec->train.stall_abort,
                                        .user = options->events.user,
                                        .tell = options->events.stalled,
                                        .give_up = options->events.give_up};
  ls_activity_work(&run->activity);
  ls_comm_watch(options->comm, &run->activity);
  return ls_watchdog_start(&run->watchdog, &watchdog);
}

/* Network, engine and the state that points into them. Collective. */
static ls_status build(ls_run *run)
{
  const ls_trainer_options *options = run->options;
  const ls_normalization unknown = {.channels = 0};
  LS_AGREE(options->comm, ls_network_init(&run->network, options->model, &unknown));
  ls_engine_options engine = {.comm = options->comm,
                              .network = &run->network,
                              .train = &options->spec->train,
                              .seed = options->spec->seed,
                              .threads = options->threads};
  LS_PASS(ls_engine_new(&run->engine, &engine));
  run->state = (ls_state){.model = options->model,
                          .params = run->network.params,
                          .buffers = run->network.buffers,
                          .progress = {.schedule_factor = 1.0}};
  const ls_optimizer_kind *kind = ls_optimizer_find(&options->spec->train.optimizer);
  float *const *slots = ls_engine_slots(run->engine, &run->state.slot_count);
  for (size_t i = 0; i < run->state.slot_count; i++) {
    run->state.slots[i].name = kind->slots[i];
    run->state.slots[i].data = slots[i];
  }
  return LS_OK;
}

/* What must be the same for a run to go on: otherwise other samples would be held out, or a step would mean
 * something else. Further epochs, another schedule or learning rate are fine, and other batches from the next
 * epoch on. */
static const char *const lasting[] = {"seed", "data.validation", "data.normalize", "data.shuffle",
                                      "model.layers"};

/* Is a key's value the same in both configurations, as it would be written? */
static bool is_same(const char *key, const ls_spec *then, const ls_spec *now)
{
  ls_text a = {0}, b = {0};
  ls_config_emit_key(then, key, &a);
  ls_config_emit_key(now, key, &b);
  const bool same = !a.failed && !b.failed && strcmp(ls_text_get(&a), ls_text_get(&b)) == 0;
  ls_text_fini(&a);
  ls_text_fini(&b);
  return same;
}

static ls_status refuse(const char *key)
{
  return ls_fail(LS_E_INPUT,
                 "%s: the checkpoint's is not the configured one (`lockstep inspect --config` shows it)",
                 key);
}

static ls_status compare(const ls_run *run, const ls_spec *then, const ls_checkpoint_info *found)
{
  const ls_spec *now = run->options->spec;
  const char *dataset = ls_source_info(run->options->source)->name;
  if (strcmp(found->dataset, dataset) != 0)
    return ls_fail(LS_E_INPUT, "data.source: the checkpoint was trained on '%s', not '%s'", found->dataset,
                   dataset);
  for (size_t i = 0; i < sizeof lasting / sizeof *lasting; i++)
    if (!is_same(lasting[i], then, now)) return refuse(lasting[i]);
  if (then->train.optimizer.schema != now->train.optimizer.schema) return refuse("train.optimizer.type");
  return LS_OK;
}

/* Judgements by another measure than the past ones begin anew. Rank 0. */
static void forget_judgements(ls_run *run, const ls_spec *then)
{
  ls_progress *progress = &run->state.progress;
  if (!is_same("train.early_stopping.metric", then, run->options->spec)) {
    say(run, "train.early_stopping.metric has changed: the best epoch is looked for anew");
    progress->best_epoch = progress->bad_epochs = 0;
  }
  if (!is_same("train.schedule", then, run->options->spec))
    progress->schedule_epochs = progress->schedule_bad = 0;
}

/* Another cut of the data into batches begins with an epoch. Rank 0. */
static ls_status compare_batch(const ls_run *run, const char *key, size_t then, size_t now,
                               const ls_progress *progress)
{
  ls_text line = {0};
  if (then == now) return LS_OK;
  if (progress->epoch_step > 0)
    return ls_fail(LS_E_INPUT,
                   "%s: the checkpoint's is %zu, not %zu, and it lies %" PRIu64 " steps within epoch %" PRIu64
                   ": it can change only between epochs",
                   key, then, now, progress->epoch_step, progress->epoch + 1);
  ls_text_add(&line, "%s: %zu so far, %zu from epoch %" PRIu64 " on", key, then, now, progress->epoch + 1);
  say(run, ls_text_get(&line));
  ls_text_fini(&line);
  return LS_OK;
}

/* Is the checkpoint's experiment the one that is configured? Rank 0. */
static ls_status check_same(const ls_run *run, const ls_spec *then, const ls_checkpoint_info *found)
{
  const ls_spec_train *now = &run->options->spec->train;
  LS_PASS(compare(run, then, found));
  if (now->epochs < found->progress.epoch)
    return ls_fail(LS_E_INPUT, "train.epochs: %zu, but %" PRIu64 " are done", now->epochs,
                   found->progress.epoch);
  LS_PASS(compare_batch(run, "train.batch", then->train.batch, now->batch, &found->progress));
  return compare_batch(run, "train.microbatch", then->train.microbatch, now->microbatch, &found->progress);
}

/* Read a checkpoint into the state. Rank 0. */
static ls_status load(ls_run *run, const char *path)
{
  ls_checkpoint_info found = {0};
  ls_spec *then = NULL;
  ls_status status;
  LS_GO(ls_checkpoint_read_info(path, &found));
  LS_GO(ls_config_parse(&then, found.config, path, NULL, 0, run->options->schemas));
  status = check_same(run, then, &found);
  if (status != LS_OK)
    status =
        ls_wrap(status, "cannot resume '%s' (a changed experiment needs a new run directory: -o DIR)", path);
  LS_GO(status);
  LS_GO(ls_checkpoint_read(path, &run->state));
  forget_judgements(run, then);
done:
  ls_spec_free(then);
  ls_checkpoint_info_fini(&found);
  return status;
}

/* Find and read the newest intact checkpoint; *found tells if there is one. Rank 0. */
static ls_status load_newest(ls_run *run, bool *found)
{
  ls_text damaged = {0};
  char *path = NULL;
  ls_status status;
  LS_GO(ls_checkpoint_newest(run->options->run_dir, &path, &damaged));
  if (damaged.length > 0) say(run, ls_text_get(&damaged));
  if (damaged.length > 0 && !path)
    LS_GO(ls_fail(LS_E_INPUT, "no intact checkpoint in '%s': restore one, or start anew with another -o",
                  run->options->run_dir));
  *found = path != NULL;
  if (path) LS_GO(load(run, path));
  ls_text line = {0};
  if (path)
    ls_text_add(&line, "resuming from %s: %" PRIu64 " epochs and %" PRIu64 " steps are done", path,
                run->state.progress.epoch, run->state.progress.step);
  else
    ls_text_add(&line, "no checkpoint in %s: starting from the beginning", run->options->run_dir);
  say(run, ls_text_get(&line));
  ls_text_fini(&line);
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
  for (size_t i = 0; i < state->slot_count; i++)
    LS_PASS(ls_comm_broadcast(comm, state->slots[i].data, counts->params * sizeof(float)));
  LS_PASS(ls_comm_broadcast(comm, &state->optimizer_step, sizeof state->optimizer_step));
  LS_PASS(ls_comm_broadcast(comm, &state->progress, sizeof state->progress));
  ls_engine_pack(run->engine);
  return LS_OK;
}

/* The path of a file in the run directory, freed by the caller. Local. */
static ls_status path_in(const ls_run *run, char **path, const char *fmt, ...) LS_PRINTF(3, 4);
static ls_status path_in(const ls_run *run, char **path, const char *fmt, ...)
{
  char name[64];
  va_list args;
  va_start(args, fmt);
  vsnprintf(name, sizeof name, fmt, args);
  va_end(args);
  ls_text text = {0};
  ls_text_add(&text, "%s/%s", run->options->run_dir, name);
  return ls_text_take(&text, path);
}

/* Only now, when the run is known to start: an earlier run's configuration stays until then. Rank 0. */
static ls_status write_config(const ls_run *run)
{
  char *path;
  LS_PASS(path_in(run, &path, "config.yaml"));
  ls_status status = ls_file_write(path, run->options->config, strlen(run->options->config));
  free(path);
  return status;
}

ls_status ls_run_init(ls_run *run, const ls_trainer_options *options)
{
  const double now_s = ls_clock_s();
  *run = (ls_run){.options = options, .started_s = now_s, .checkpoint_s = now_s};
  ls_comm *comm = options->comm;
  const ls_spec *spec = options->spec;
  LS_AGREE(comm, start_watchdog(run));
  LS_PASS(build(run));
  if (ls_engine_sends_sums(run->engine))
    say(run, "the ranks of a host cannot share memory here: sums are sent between them, which is slower");
  bool found = false;
  if (options->resume) LS_ROOT(comm, load_newest(run, &found));
  if (!found) ls_model_init(options->model, spec->seed, run->network.params, run->network.buffers);
  LS_PASS(broadcast_state(run));
  ls_loader_options loader = {.data = &spec->data,
                              .seed = spec->seed,
                              .batch = spec->train.batch,
                              .microbatch = spec->train.microbatch,
                              .first_epoch = run->state.progress.epoch,
                              .threads = options->threads};
  LS_PASS(ls_loader_new(&run->loader, comm, options->source, &loader));
  LS_PASS(ls_normalization_find(&run->network.normalization, comm, run->loader, spec->data.normalize,
                                ls_source_info(options->source)->channels));
  LS_AGREE(comm, describe_data(run));
  LS_ROOT(comm, write_config(run));
  return LS_OK;
}

void ls_run_stop_watching(ls_run *run)
{
  ls_comm_watch(run->options->comm, NULL);
  ls_watchdog_stop(run->watchdog);
  run->watchdog = NULL;
}

void ls_run_fini(ls_run *run)
{
  ls_loader_free(run->loader);
  ls_engine_free(run->engine);
  ls_network_fini(&run->network);
  ls_history_fini(&run->state.train);
  ls_history_fini(&run->state.validation);
  ls_checkpoint_info_fini(&run->info);
}

static ls_status write_checkpoint(ls_run *run)
{
  char *path;
  LS_PASS(path_in(run, &path, "checkpoint-%" PRIu64 ".h5", run->state.progress.step));
  ls_status status;
  LS_GO(ls_checkpoint_write(path, &run->info, &run->state));
  LS_GO(ls_checkpoint_prune(run->options->run_dir, run->options->spec->checkpoint.keep));
done:
  free(path);
  return status;
}

ls_status ls_run_check_replicas(ls_run *run)
{
  char digest[LS_DIGEST_CHARS];
  if (ls_comm_size(run->options->comm) == 1) return LS_OK;
  ls_weights_digest(run->options->model, run->network.params, run->network.buffers, digest);
  LS_TRY(ls_check_replicas(run->options->comm, digest), "after step %" PRIu64, run->state.progress.step);
  return LS_OK;
}

ls_status ls_run_save(ls_run *run)
{
  LS_PASS(ls_run_check_replicas(run));
  LS_ROOT(run->options->comm, write_checkpoint(run));
  run->checkpoint_s = ls_clock_s();
  return LS_OK;
}

ls_status ls_run_save_metrics(ls_run *run)
{
  LS_ROOT(run->options->comm,
          ls_metrics_write(run->options->run_dir, &run->state.train, &run->state.validation));
  return LS_OK;
}

static ls_status with_best(ls_run *run, ls_status (*act)(ls_run *run, const char *path))
{
  char *path;
  LS_PASS(path_in(run, &path, "best.h5"));
  ls_status status = act(run, path);
  free(path);
  return status;
}

static ls_status write_best(ls_run *run, const char *path)
{
  return ls_checkpoint_write(path, &run->info, &run->state);
}

/* Is best.h5 of the epoch that the run counts as its best? After a crash, or by hand, it may not be. */
static bool is_best(const ls_run *run, const char *path)
{
  ls_checkpoint_info info = {0};
  if (ls_checkpoint_read_info(path, &info) != LS_OK) return false;
  bool same = info.progress.epoch == run->state.progress.best_epoch;
  ls_checkpoint_info_fini(&info);
  return same;
}

/* Weights alone: progress and history stay those of the run. */
static ls_status read_best(ls_run *run, const char *path)
{
  if (!is_best(run, path)) {
    say(run, "best.h5 is missing, damaged or of another epoch: the final weights are the last epoch's");
    return LS_OK;
  }
  ls_state best = {.model = run->state.model, .params = run->state.params, .buffers = run->state.buffers};
  ls_status status = ls_checkpoint_read(path, &best);
  ls_history_fini(&best.train);
  ls_history_fini(&best.validation);
  return status;
}

ls_status ls_run_save_best(ls_run *run)
{
  LS_ROOT(run->options->comm, with_best(run, write_best));
  return LS_OK;
}

ls_status ls_run_restore_best(ls_run *run)
{
  LS_ROOT(run->options->comm, with_best(run, read_best));
  return broadcast_state(run);
}
