/* SPDX-License-Identifier: BSD-3-Clause */
/* The members of an ensemble: checked all together before the first one is trained, dealt to groups of ranks,
 * and brought together again. In between, groups exchange nothing, but watch that the others are alive:
 * a watch over all ranks lasts from begin to end, beside those of the members' trainings. */
#include "cli/train/ensemble_train.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "base/text.h"
#include "cli/train/ensemble_job.h"
#include "cli/train/ensemble_result.h"
#include "cli/print.h"
#include "cli/process/stop.h"
#include "cli/process/watch.h"
#include "comm/groups.h"
#include "optim/schedule.h"

/* ---- groups ---- */

/* Open this run directory on a rank that makes a member's folder in it. Local. */
static ls_status open_as_leader(ls_ensemble_job *job)
{
  if (ls_comm_rank(job->group) != 0 || job->run_dir.descriptor >= 0) return LS_OK;
  char *path = job->run_dir.path;
  const ls_status status = ls_directory_open(&job->run_dir, path);
  free(path);
  return status;
}

static ls_status deal_local(ls_ensemble_job *job, size_t groups)
{
  size_t *sizes;
  LS_PASS(ls_alloc(&sizes, groups, sizeof *sizes, "the sizes of the groups"));
  for (int r = 0; r < ls_comm_size(job->world); r++) sizes[job->group_of_rank[r]]++;
  const ls_status status =
      ls_groups_deal(job->costs, job->members, sizes, groups, job->group_of_member, job->order);
  free(sizes);
  return status;
}

static void print_plan(const ls_ensemble_job *job, size_t groups)
{
  if (ls_comm_rank(job->world) != 0) return;
  ls_print(stdout, "ensemble of %zu: %zu group%s of ranks", job->members, groups, ls_plural(groups));
  for (size_t g = 0; g < groups; g++) {
    size_t ranks = 0;
    for (int r = 0; r < ls_comm_size(job->world); r++) ranks += job->group_of_rank[r] == g;
    ls_print(stdout, "%s %zu rank%s:", g == 0 ? ";" : ",", ranks, ls_plural(ranks));
    for (size_t i = 0; i < job->members; i++)
      if (job->group_of_member[job->order[i]] == g) ls_print(stdout, " %zu", job->order[i] + 1);
  }
  ls_print(stdout, "\nrun directory: %s\n", job->run_dir.path);
  fflush(stdout);
}

/* Collective. */
static ls_status deal(ls_ensemble_job *job)
{
  const size_t ranks = (size_t)ls_comm_size(job->world), groups = ls_size_min(job->members, ranks);
  ls_status status;
  LS_GO(ls_alloc(&job->group_of_rank, ranks, sizeof *job->group_of_rank, "groups of ranks"));
  LS_GO(ls_alloc(&job->group_of_member, job->members, sizeof *job->group_of_member, "members of groups"));
  LS_GO(ls_alloc(&job->order, job->members, sizeof *job->order, "the order of the members"));
  status = ls_alloc(&job->ends, job->members, sizeof *job->ends, "the members' ends");
done:
  LS_AGREE(job->world, status);
  LS_PASS(ls_comm_group(&job->group, job->world, groups, job->group_of_rank));
  LS_AGREE(job->world, open_as_leader(job));
  LS_AGREE(job->world, deal_local(job, groups));
  print_plan(job, groups);
  return LS_OK;
}

/* Collective over the group. */
static ls_status train_member(ls_ensemble_job *job, size_t member, ls_member_end *end)
{
  char label[32], folder[32];
  ls_training training = {.run_dir = {.descriptor = -1}};
  ls_train_result result = {.has_test = false};
  ls_status status;
  snprintf(label, sizeof label, "member %zu: ", member + 1);
  snprintf(folder, sizeof folder, "member-%zu", member + 1);
  LS_GO(ls_comm_agree(job->group, ls_ensemble_config_parse(&job->config, member, &training.setup)));
  const ls_training_options options = {.run_path = folder,
                                       .parent = &job->run_dir,
                                       .is_claimed = true,
                                       .resume = job->options->resume,
                                       .label = label,
                                       .placement = &job->placement,
                                       .started_s = job->options->started_s};
  LS_GO(ls_training_run(&training, job->group, &options, &result));
  memcpy(end->is.checkpoint, result.checkpoint, sizeof result.checkpoint);
  memcpy(end->is.digest, result.weights_digest, sizeof result.weights_digest);
  if (ls_comm_rank(job->group) == 0)
    snprintf(end->is.folder, sizeof end->is.folder, "%s", training.run_dir.path);
done:
  ls_train_result_fini(&result);
  ls_training_fini(&training, job->group);
  ls_comm_watch(job->group, ls_comm_activity(job->world)); /* the training had a watchdog of its own */
  return status;
}

static void report_failure(const ls_ensemble_job *job, size_t member, ls_status status)
{
  if (ls_comm_rank(job->group) != 0 || status == LS_STOPPED) return;
  ls_print(stderr, "lockstep: member %zu: %s: %s\n", member + 1, ls_status_word(status),
           ls_error_last()->text);
}

/* This group's members, one after the other. Collective over the group. */
static ls_status train_mine(ls_ensemble_job *job)
{
  const size_t group = job->group_of_rank[ls_comm_rank(job->world)];
  const bool reports = ls_comm_rank(job->group) == 0;
  ls_status status = LS_OK;
  for (size_t i = 0; i < job->members; i++) {
    const size_t member = job->order[i];
    ls_member_end end = {.is = {.status = LS_STOPPED}};
    if (job->group_of_member[member] != group) continue;
    if (status != LS_STOPPED) status = train_member(job, member, &end);
    if (status == LS_E_COMM) return status;
    end.is.status = status;
    if (status != LS_OK)
      snprintf(end.is.error, sizeof end.is.error, "%.*s", (int)sizeof end.is.error - 1,
               ls_error_last()->text);
    if (status != LS_OK) report_failure(job, member, status);
    if (reports) job->ends[member] = end;
  }
  return LS_OK;
}

/* ---- the whole ---- */

/* Collective. */
static ls_status train_members(ls_ensemble_job *job, const char *resolved)
{
  LS_PASS(ls_ensemble_config_read(&job->config, job->world, job->options->run_path));
  LS_PASS(ls_ensemble_check(job));
  if (job->options->dry_run) return LS_OK;
  LS_ROOT(job->world, ls_ensemble_open_run_dirs(job, resolved));
  LS_PASS(ls_comm_broadcast_text(job->world, &job->run_dir.path));
  LS_PASS(deal(job));
  ls_activity_enter(ls_comm_activity(job->world), "training members");
  LS_PASS(train_mine(job));
  ls_activity_enter(ls_comm_activity(job->world), "bringing the members together");
  LS_PASS(ls_comm_rest(job->world)); /* other groups may have much more to do */
  LS_PASS(ls_ensemble_share_ends(job));
  const ls_status status = ls_ensemble_outcome(job);
  if (status == LS_STOPPED) return status;
  const ls_error error = *ls_error_last();
  ls_stop_saves(false);
  LS_PASS(ls_ensemble_combine(job));
  if (status != LS_OK) ls_error_install(&error);
  return status;
}

static void release_job(ls_ensemble_job *job, ls_status status)
{
  ls_ensemble_config_fini(&job->config);
  free(job->costs);
  ls_directory_close(&job->run_dir);
  if (status != LS_E_COMM) ls_comm_close(job->group);
  free(job->group_of_rank);
  free(job->group_of_member);
  free(job->order);
  free(job->ends);
}

/* ---- snapshots ---- */

/* Will there be a network for every member? */
static ls_status check_cycles(const ls_spec *spec)
{
  const ls_spec_train *train = &spec->train;
  if (train->early_stopping.patience > 0)
    return ls_fail(LS_E_CONFIG,
                   "train.early_stopping.patience: early stopping can end the run before its last cycle, and "
                   "ensemble.type: snapshot takes a network of each; set the patience to 0");
  if (ls_schedule_cycles_done(&train->schedule, train->epochs, train->epochs) == spec->ensemble.members)
    return LS_OK;
  return ls_fail(
      LS_E_CONFIG,
      "ensemble.type: snapshot takes a schedule of as many cycles as there are members, in whole epochs: "
      "train.schedule={type: cosine, cycles: %zu}, and train.epochs without warm-up a multiple of %zu",
      spec->ensemble.members, spec->ensemble.members);
}

/* Collective. */
static ls_status combine_snapshots(ls_training *training, ls_comm *comm, const ls_train_result *trained)
{
  char name[LS_SNAPSHOT_CHARS];
  const size_t members = training->setup.spec->ensemble.members;
  ls_ensemble_result result = {.run_dir = &training->run_dir,
                               .members = members,
                               .split = trained->has_test ? LS_EVAL_TEST : LS_EVAL_VALIDATION};
  ls_status status;
  LS_GO(ls_comm_agree(comm, ls_ensemble_result_init(&result)));
  for (size_t k = 1; k <= members; k++)
    ls_ensemble_result_add(&result, "%s/%s", training->run_dir.path, ls_snapshot_name(k, name));
  if (trained->has_test || trained->has_validation) status = ls_ensemble_result_finish(&result, comm);
done:
  ls_ensemble_result_fini(&result);
  return status;
}

static ls_status train_snapshots(ls_training *training, ls_comm *comm, const ls_training_options *options)
{
  ls_train_result result;
  LS_AGREE(comm, check_cycles(training->setup.spec));
  ls_status status = ls_training_run(training, comm, options, &result);
  if (status == LS_OK && !options->dry_run) status = combine_snapshots(training, comm, &result);
  if (status != LS_E_COMM) ls_train_result_fini(&result);
  return status;
}

ls_status ls_ensemble_train(ls_training *parent, ls_comm *comm, const ls_setup_arguments *arguments,
                            const ls_training_options *options)
{
  const ls_spec *spec = parent->setup.spec;
  if (ls_spec_takes_snapshots(spec)) return train_snapshots(parent, comm, options);
  ls_ensemble_job job = {.spec = spec,
                         .world = comm,
                         .options = options,
                         .members = spec->ensemble.members,
                         .config = {.spec = spec, .arguments = arguments, .text = parent->setup.text},
                         .run_dir = {.descriptor = -1}};
  ls_watch watch = {.watchdog = NULL};
  ls_status status = ls_watch_begin(&watch, comm, &spec->train);
  if (status == LS_OK) status = train_members(&job, parent->setup.resolved);
  ls_watch_end(&watch, comm, status);
  release_job(&job, status);
  return status;
}
