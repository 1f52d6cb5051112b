/* SPDX-License-Identifier: BSD-3-Clause */
/* Bringing a run back: the newest intact checkpoint, and the weights of the best epoch. */
#include "train/run/run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/show.h"
#include "base/size.h"
#include "config/config.h"
#include "train/run/resume.h"

static const char BEST[] = "best.h5";

/* The error for a checkpoint of another experiment. */
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

ls_status ls_run_check_loaded(const ls_run *run)
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

ls_status ls_run_check_snapshots(const ls_run *run)
{
  const ls_spec *spec = run->options->spec;
  if (!run->from_path || !ls_spec_takes_snapshots(spec)) return LS_OK;
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

/* Report where the run goes on; `path` is NULL if it starts from the beginning. Rank 0. */
static ls_status report_start(const ls_run *run, const char *path)
{
  ls_text line = {0};
  if (path) {
    ls_text_show(&line, "resuming from %s: ", path);
    describe_progress(&run->state.progress, &line);
  } else {
    ls_text_show(&line, "no checkpoint in %s: starting from the beginning", run->options->run_dir->path);
  }
  return ls_run_say(run, &line);
}

ls_status ls_run_load_newest(ls_run *run, bool *found)
{
  ls_text damaged = {0};
  char *path = NULL;
  ls_status status;
  LS_GO(ls_checkpoint_newest(run->options->run_dir, &path, &damaged));
  const bool is_damaged = damaged.failed || damaged.length > 0;
  if (is_damaged) LS_GO(ls_run_say(run, &damaged));
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

ls_status ls_run_broadcast(ls_run *run)
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

/* Is best.h5 there, intact, and of the epoch that the run counts as its best? After a crash, or by hand, it
 * may not be: `why` is reported then. An error in reading it is an error of this call. */
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
    return ls_run_say(run, &line);
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
  LS_PASS(ls_run_follow(run));
  LS_PASS(ls_directory_path(run->options->run_dir, BEST, &path));
  const ls_status status = read_weights(run, path);
  free(path);
  return status;
}

/* Collective. */
static ls_status restore_best(ls_run *run)
{
  LS_ROOT(run->options->comm, read_best(run));
  return ls_run_broadcast(run);
}

ls_status ls_run_restore_best(ls_run *run)
{
  const char *before = ls_activity_enter(run->activity, "reading best.h5");
  const ls_status status = restore_best(run);
  run->is_checked = false;
  ls_activity_enter(run->activity, before);
  return status;
}
