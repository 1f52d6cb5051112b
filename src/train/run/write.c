/* SPDX-License-Identifier: BSD-3-Clause */
/* What a run leaves in its directory, and the check of the weights before. */
#include "train/run/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/files/temporary.h"
#include "base/show.h"
#include "train/replicas.h"

ls_status ls_run_say(const ls_run *run, ls_text *text)
{
  const ls_trainer_events *events = &run->options->events;
  char *whole;
  LS_PASS(ls_text_take(text, &whole));
  if (events->message && ls_comm_rank(run->options->comm) == 0) events->message(events->user, whole);
  free(whole);
  return LS_OK;
}

ls_status ls_run_follow(const ls_run *run)
{
  ls_directory *run_dir = run->options->run_dir;
  ls_text line = {0};
  bool moved;
  LS_TRY(ls_directory_follow(run_dir, &moved), "the run directory");
  if (!moved) return LS_OK;
  ls_text_show(&line, "the run directory was moved: going on in %s", run_dir->path);
  return ls_run_say(run, &line);
}

/* Where the run directory was removed, report that rather than the file that could not be written. Rank 0. */
static ls_status written(const ls_run *run, ls_status status)
{
  if (status == LS_E_IO) LS_PASS(ls_run_follow(run));
  return status;
}

ls_status ls_run_write_config(const ls_run *run)
{
  const char *config = run->options->config;
  LS_PASS(ls_run_follow(run));
  return written(run, ls_directory_write(run->options->run_dir, "config.yaml", config, strlen(config)));
}

/* Rank 0. */
static ls_status write_as(const ls_run *run, const char *name)
{
  LS_PASS(ls_run_follow(run));
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

ls_status ls_run_save_as(ls_run *run, const char *name)
{
  ls_comm *comm = run->options->comm;
  const char *before = ls_activity_enter(run->activity, "writing a checkpoint");
  const ls_status status = ls_comm_agree(comm, ls_comm_rank(comm) == 0 ? write_as(run, name) : LS_OK);
  ls_activity_enter(run->activity, before);
  return status;
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
    return ls_wrap(
        status,
        "the weights of model.init_from, '%s', give no finite numbers with these images (try: "
        "data.normalize: {mean: ..., deviation: ...} as they were trained with; look at their values)",
        ls_spec_init_from(run->options->spec));
  char name[LS_CHECKPOINT_NAME_CHARS], intact[96] = "there is no checkpoint yet";
  if (run->saved_step > 0)
    snprintf(intact, sizeof intact, "%s %s", ls_checkpoint_name(run->saved_step, name),
             run->saved_step < step ? "is intact" : "holds these very weights, an earlier one may do");
  return ls_wrap(status,
                 "training has diverged (%s; try a lower train.optimizer.lr, a warm-up, or train.clip_norm)",
                 intact);
}

/* Replicas first: where they differ, the rank at fault is to be named, not its layer. Collective. */
static ls_status check_weights(const ls_run *run)
{
  const uint64_t step = run->state.progress.step;
  LS_TRY(check_replicas(run), "after step %" PRIu64, step);
  const ls_status status = ls_weights_check(run->options->model, run->network.params, run->network.buffers);
  return status == LS_OK ? LS_OK : ls_run_advise(run, step, ls_wrap(status, "after step %" PRIu64, step));
}

ls_status ls_run_check(ls_run *run)
{
  if (run->is_checked) return LS_OK;
  const char *before = ls_activity_enter(run->activity, "comparing replicas");
  const ls_status status = check_weights(run);
  ls_activity_enter(run->activity, before);
  run->is_checked = status == LS_OK;
  return status;
}

ls_status ls_run_save(ls_run *run)
{
  LS_PASS(ls_run_check(run));
  ls_comm *comm = run->options->comm;
  const char *before = ls_activity_enter(run->activity, "writing a checkpoint");
  const ls_status status = ls_comm_agree(comm, ls_comm_rank(comm) == 0 ? write_checkpoint(run) : LS_OK);
  ls_activity_enter(run->activity, before);
  LS_PASS(status);
  if (run->saved_step == 0) run->first_saved_step = run->state.progress.step;
  run->saved_step = run->state.progress.step;
  run->checkpoint_s = ls_clock_s();
  return LS_OK;
}

/* Rank 0. */
static ls_status write_metrics(const ls_run *run)
{
  LS_PASS(ls_run_follow(run));
  return written(run, ls_metrics_write(run->options->run_dir, &run->info, &run->state));
}

ls_status ls_run_save_metrics(ls_run *run)
{
  ls_comm *comm = run->options->comm;
  const char *before = ls_activity_enter(run->activity, "writing the metrics");
  const ls_status status = ls_comm_agree(comm, ls_comm_rank(comm) == 0 ? write_metrics(run) : LS_OK);
  ls_activity_enter(run->activity, before);
  return status;
}
