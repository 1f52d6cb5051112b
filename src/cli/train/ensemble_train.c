/* SPDX-License-Identifier: BSD-3-Clause */
/* The members of an ensemble: checked all together before the first one is trained, dealt to groups of ranks,
 * and brought together again. Between the two the groups know nothing of each other, but that they are alive:
 * a watch over all ranks lasts from begin to end, beside those of the members' trainings. */
#include "cli/train/ensemble_train.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/show.h"
#include "base/size.h"
#include "base/text.h"
#include "cli/train/ensemble_config.h"
#include "cli/train/ensemble_result.h"
#include "cli/print.h"
#include "cli/train/run_dir.h"
#include "cli/process/stop.h"
#include "cli/process/watch.h"
#include "comm/groups.h"
#include "train/members.h"
#include "optim/schedule.h"

/* How a member has ended; its words are summed over the ranks, of which one alone has others than zeros. */
typedef union member_end {
  struct {
    uint64_t status;                           /* ls_status */
    char checkpoint[LS_CHECKPOINT_NAME_CHARS]; /* of its final weights, in its run directory */
    char digest[LS_DIGEST_CHARS];              /* of these weights */
    char folder[4096];                         /* its run directory, which may have been moved */
    char error[464];
  } is;
  uint64_t words[592];
} member_end;

/* Where the members are, in the order in which it is made. */
typedef struct ensemble_job {
  const ls_spec *spec; /* of the ensemble */
  ls_comm *world;
  const ls_training_options *options;
  size_t members;
  ls_ensemble_config config;
  ls_place place;           /* of this rank, among all */
  double *costs;            /* [members] */
  ls_dataset_info voted_on; /* the first member's dataset, without class_names */
  bool has_test, has_validation;
  ls_directory run_dir; /* open on rank 0, which has locked it, and on those that lead a group */
  ls_comm *group;
  size_t *group_of_rank, *group_of_member, *order;
  member_end *ends; /* [members] */
} ensemble_job;

/* ---- before the first training ---- */

/* Multiply-adds of a whole training: what there is to compare. */
static double cost_of(const ls_setup *setup)
{
  const ls_spec *spec = setup->spec;
  return (double)ls_model_count(setup->model)->macs * (double)spec->train.epochs *
         (double)setup->train_samples;
}

/* Rank 0. */
static ls_status print_member(const ensemble_job *job, size_t member, const ls_setup *setup)
{
  ls_setup_warn_rest(setup, member + 1);
  LS_PASS(ls_setup_warn_data(setup, member + 1));
  if (member == 0) ls_setup_report_data(setup);
  ls_setup_note_settings(setup, member + 1, stdout);
  if (!job->options->dry_run) return LS_OK;
  ls_text table = {0};
  ls_text_show(&table, "member %zu: %s, seed %zu\n", member + 1, setup->spec->name, setup->spec->seed);
  ls_model_summary(setup->model, &table);
  ls_text_add(&table, "\n");
  return ls_print_text(&table);
}

/* Can it vote with the first member? The same everywhere. */
static ls_status check_data(ensemble_job *job, size_t member, const ls_setup *setup)
{
  const ls_dataset_info *its = ls_source_info(setup->source);
  if (member == 0) {
    job->voted_on = *its;
    job->voted_on.class_names = NULL;
  }
  const ls_dataset_info *first = &job->voted_on;
  if (its->classes != first->classes || its->channels != first->channels || its->height != first->height ||
      its->width != first->width)
    return ls_fail(
        LS_E_INPUT,
        "data.source: '%s' has %zux%zux%zu in %zu classes, and '%s' of member 1 %zux%zux%zu in %zu: an "
        "ensemble votes on the same images",
        its->name, its->channels, its->height, its->width, its->classes, first->name, first->channels,
        first->height, first->width, first->classes);
  if (strcmp(its->name, first->name) != 0 && ls_comm_rank(job->world) == 0)
    ls_warn("member %zu trains on '%s', and the vote will be on '%s' of member 1", member + 1, its->name,
            first->name);
  return LS_OK;
}

/* Collective. */
static ls_status check_member(ensemble_job *job, size_t member)
{
  ls_setup setup = {0};
  ls_status status;
  LS_GO(ls_comm_agree(job->world, ls_ensemble_config_parse(&job->config, member, &setup)));
  LS_GO(ls_setup_prepare(&setup, job->world, &job->place));
  LS_GO(check_data(job, member, &setup));
  job->costs[member] = cost_of(&setup);
  job->has_test = ls_source_info(setup.source)->count[LS_SPLIT_TEST] > 0;
  job->has_validation = setup.spec->data.validation.is_fraction || setup.spec->data.validation.count > 0;
  LS_GO(ls_comm_agree(job->world, ls_comm_rank(job->world) == 0 ? print_member(job, member, &setup) : LS_OK));
done:
  ls_setup_fini(&setup);
  return status == LS_OK ? LS_OK : ls_wrap(status, "member %zu", member + 1);
}

/* Would each member train? Where they differ in seeds alone, what holds for one holds for all. Collective. */
static ls_status check_members(ensemble_job *job)
{
  const bool differ = ls_ensemble_config_differs(&job->config);
  LS_PASS(ls_place_find(job->world, &job->place));
  LS_PASS(ls_setup_warn_place(&job->place, job->world));
  LS_AGREE(job->world, ls_alloc(&job->costs, job->members, sizeof *job->costs, "the members' costs"));
  for (size_t m = 0; m < job->members; m++) {
    if (m == 0 || differ)
      LS_PASS(check_member(job, m));
    else
      job->costs[m] = job->costs[0];
  }
  return LS_OK;
}

/* A member's run directory and configuration, with what the command line says: so it is kept even if the job
 * ends before its turn. One that has a checkpoint goes on from that first. Rank 0. */
static ls_status prepare_member(ensemble_job *job, size_t member)
{
  char folder[32];
  ls_setup setup = {0};
  ls_directory run_dir = {.descriptor = -1};
  bool has_begun;
  ls_status status;
  snprintf(folder, sizeof folder, "member-%zu", member + 1);
  const ls_run_dir_options options = {
      .path = folder, .parent = &job->run_dir, .resume = job->options->resume};
  LS_GO(ls_ensemble_config_parse(&job->config, member, &setup));
  LS_GO(ls_run_dir_prepare(&run_dir, &options));
  LS_GO(ls_run_dir_has_checkpoint(&run_dir, &has_begun));
  if (!has_begun)
    status = ls_directory_write(&run_dir, "config.yaml", setup.resolved, strlen(setup.resolved));
done:
  ls_directory_close(&run_dir);
  ls_setup_fini(&setup);
  return status;
}

/* The ensemble's own configuration last: it says that all is there. Rank 0. */
static ls_status open_run_dir(ensemble_job *job, const char *resolved)
{
  const ls_run_dir_options options = {
      .path = job->options->run_dir, .run_name = job->spec->name, .resume = job->options->resume};
  LS_PASS(ls_run_dir_prepare(&job->run_dir, &options));
  for (size_t m = 0; m < job->members; m++) LS_PASS(prepare_member(job, m));
  return ls_directory_write(&job->run_dir, "config.yaml", resolved, strlen(resolved));
}

/* Who makes a member's folder makes it in this very run directory. Local. */
static ls_status open_as_leader(ensemble_job *job)
{
  if (ls_comm_rank(job->group) != 0 || job->run_dir.descriptor >= 0) return LS_OK;
  char *path = job->run_dir.path;
  const ls_status status = ls_directory_open(&job->run_dir, path);
  free(path);
  return status;
}

/* ---- groups ---- */

static ls_status deal_local(ensemble_job *job, size_t groups)
{
  size_t *sizes;
  LS_PASS(ls_alloc(&sizes, groups, sizeof *sizes, "the sizes of the groups"));
  for (int r = 0; r < ls_comm_size(job->world); r++) sizes[job->group_of_rank[r]]++;
  const ls_status status =
      ls_members_deal(job->costs, job->members, sizes, groups, job->group_of_member, job->order);
  free(sizes);
  return status;
}

static void print_plan(const ensemble_job *job, size_t groups)
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
static ls_status deal(ensemble_job *job)
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
static ls_status train_member(ensemble_job *job, size_t member, member_end *end)
{
  char label[32], folder[32];
  ls_training training = {.run_dir = {.descriptor = -1}};
  ls_train_result result = {.has_test = false};
  ls_status status;
  snprintf(label, sizeof label, "member %zu: ", member + 1);
  snprintf(folder, sizeof folder, "member-%zu", member + 1);
  LS_GO(ls_comm_agree(job->group, ls_ensemble_config_parse(&job->config, member, &training.setup)));
  const ls_training_options options = {.run_dir = folder,
                                       .parent = &job->run_dir,
                                       .is_claimed = true,
                                       .resume = job->options->resume,
                                       .label = label,
                                       .place = &job->place,
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

static void report_failure(const ensemble_job *job, size_t member, ls_status status)
{
  if (ls_comm_rank(job->group) != 0 || status == LS_STOPPED) return;
  ls_print(stderr, "lockstep: member %zu: %s: %s\n", member + 1, ls_status_word(status),
           ls_error_last()->text);
}

/* This group's members, one after the other. Collective over the group. */
static ls_status train_mine(ensemble_job *job)
{
  const size_t group = job->group_of_rank[ls_comm_rank(job->world)];
  const bool reports = ls_comm_rank(job->group) == 0;
  ls_status status = LS_OK;
  for (size_t i = 0; i < job->members; i++) {
    const size_t member = job->order[i];
    member_end end = {.is = {.status = LS_STOPPED}};
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

/* ---- together again ---- */

/* Of the members that have ended so: how many, and a list of them. */
static size_t list_ends(const ensemble_job *job, ls_status status, ls_text *list)
{
  size_t count = 0;
  for (size_t m = 0; m < job->members; m++)
    if (job->ends[m].is.status == status) ls_text_add(list, "%s%zu", count++ == 0 ? "" : ", ", m + 1);
  return count;
}

/* The error of the first member that failed, and who else did. Local. */
static ls_status judge(const ensemble_job *job)
{
  ls_text list = {0}, word = {0};
  ls_status status = LS_OK;
  ls_text_show_word(&word, job->run_dir.path);
  const size_t stopped = list_ends(job, LS_STOPPED, &list);
  if (stopped > 0)
    status = ls_fail(LS_STOPPED, "stopped: %zu of %zu members are not done (%s); go on with --resume -o %s",
                     stopped, job->members, ls_text_get(&list), ls_text_get(&word));
  ls_text_fini(&list);
  ls_text_fini(&word);
  for (size_t m = 0; m < job->members && status == LS_OK; m++)
    if (job->ends[m].is.status != LS_OK)
      status = ls_fail((ls_status)job->ends[m].is.status, "member %zu failed, while the others went on: %s",
                       m + 1, job->ends[m].is.error);
  return status;
}

/* Does a folder hold the weights that a member has come to? */
static ls_status check_weights(const member_end *end, const char *folder)
{
  char *path;
  ls_text text = {0};
  ls_checkpoint_info info = {0};
  ls_text_add(&text, "%s/%s", folder, end->is.checkpoint);
  LS_PASS(ls_text_take(&text, &path));
  ls_status status = ls_checkpoint_read_info(path, &info);
  if (status == LS_OK && strcmp(info.weights_digest, end->is.digest) != 0)
    status = ls_fail(LS_E_IO, "'%s' holds other weights than this member was trained to", path);
  ls_checkpoint_info_fini(&info);
  free(path);
  return status;
}

/* A member's run directory, which may have been moved, alone or with the ensemble's, and others put in its
 * place: the weights show which. One that is not found has failed. Rank 0. */
static ls_status find_folder(const ensemble_job *job, size_t member)
{
  char *inside;
  ls_text text = {0};
  member_end *end = &job->ends[member];
  if (end->is.status != LS_OK) return LS_OK;
  ls_text_add(&text, "%s/member-%zu", job->run_dir.path, member + 1);
  LS_PASS(ls_text_take(&text, &inside));
  ls_status status = check_weights(end, inside);
  if (status == LS_OK)
    snprintf(end->is.folder, sizeof end->is.folder, "%s", inside);
  else if (check_weights(end, end->is.folder) == LS_OK)
    status = LS_OK;
  if (status != LS_OK) {
    end->is.status = LS_E_IO;
    snprintf(end->is.error, sizeof end->is.error, "%.*s", (int)sizeof end->is.error - 1,
             ls_error_last()->text);
  }
  free(inside);
  return LS_OK;
}

/* Rank 0. */
static ls_status find_folders(ensemble_job *job)
{
  bool moved;
  LS_TRY(ls_directory_follow(&job->run_dir, &moved), "the run directory");
  for (size_t m = 0; m < job->members; m++) LS_PASS(find_folder(job, m));
  return LS_OK;
}

/* What each rank knows of its group's members, on all ranks. Collective. */
static ls_status share_ends(ensemble_job *job)
{
  const size_t words = job->members * sizeof *job->ends / sizeof(uint64_t);
  LS_PASS(ls_comm_sum_u64(job->world, job->ends->words, words));
  LS_ROOT(job->world, find_folders(job));
  if (ls_comm_rank(job->world) != 0) memset(job->ends, 0, job->members * sizeof *job->ends);
  return ls_comm_sum_u64(job->world, job->ends->words, words);
}

/* Collective. */
static ls_status combine(ensemble_job *job)
{
  ls_ensemble_result result = {.run_dir = &job->run_dir,
                               .members = job->members,
                               .split = job->has_test ? LS_EVAL_TEST : LS_EVAL_VALIDATION};
  ls_status status;
  LS_GO(ls_comm_agree(job->world, ls_ensemble_result_init(&result)));
  for (size_t m = 0; m < job->members; m++)
    if (job->ends[m].is.status == LS_OK)
      ls_ensemble_result_add(&result, "%s/%s", job->ends[m].is.folder, job->ends[m].is.checkpoint);
    else
      ls_ensemble_result_fail(&result, m + 1, job->ends[m].is.error);
  if (!job->has_test && !job->has_validation) goto done;
  status = ls_ensemble_result_finish(&result, job->world);
done:
  ls_ensemble_result_fini(&result);
  return status;
}

/* Collective. */
static ls_status train_members(ensemble_job *job, const char *resolved)
{
  LS_PASS(ls_ensemble_config_read(&job->config, job->world, job->options->run_dir));
  LS_PASS(check_members(job));
  if (job->options->dry_run) return LS_OK;
  LS_ROOT(job->world, open_run_dir(job, resolved));
  LS_PASS(ls_comm_broadcast_text(job->world, &job->run_dir.path));
  LS_PASS(deal(job));
  ls_activity_enter(ls_comm_activity(job->world), "training members");
  LS_PASS(train_mine(job));
  ls_activity_enter(ls_comm_activity(job->world), "bringing the members together");
  LS_PASS(ls_comm_rest(job->world)); /* other groups may have much more to do */
  LS_PASS(share_ends(job));
  const ls_status status = judge(job);
  if (status == LS_STOPPED) return status;
  const ls_error error = *ls_error_last();
  ls_stop_saves(false);
  LS_PASS(combine(job));
  if (status != LS_OK) ls_error_install(&error);
  return status;
}

static void release_job(ensemble_job *job, ls_status status)
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
  if (spec->ensemble.type == LS_ENSEMBLE_SNAPSHOT) return train_snapshots(parent, comm, options);
  ensemble_job job = {.spec = spec,
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
