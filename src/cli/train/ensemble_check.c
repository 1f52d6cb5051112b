/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks all members of an ensemble, and makes their run directories, before the first one is trained. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/show.h"
#include "base/text.h"
#include "cli/print.h"
#include "cli/train/ensemble_job.h"
#include "base/files/temporary.h"
#include "cli/run_dir.h"

/* Multiply-adds of a whole training, to compare members by. */
static double cost_of(const ls_setup *setup)
{
  const ls_spec *spec = setup->spec;
  return (double)ls_model_count(setup->model)->macs * (double)spec->train.epochs *
         (double)setup->train_samples;
}

/* Rank 0. */
static ls_status print_member(const ls_ensemble_job *job, size_t member, const ls_setup *setup)
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

/* Can it vote with the first member? Every rank finds the same. */
static ls_status check_data(ls_ensemble_job *job, size_t member, const ls_setup *setup)
{
  const ls_dataset_info *its = ls_source_info(setup->source);
  if (its->labels != LS_LABELS_CLASS)
    return ls_fail(LS_E_INPUT,
                   "ensemble.members: the members vote on the class of an image, and '%s' has other "
                   "labels; train them one by one",
                   its->name);
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
static ls_status check_member(ls_ensemble_job *job, size_t member)
{
  ls_setup setup = {0};
  ls_status status;
  LS_GO(ls_comm_agree(job->world, ls_ensemble_config_parse(&job->config, member, &setup)));
  LS_GO(ls_setup_prepare(&setup, job->world, &job->placement));
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
ls_status ls_ensemble_check(ls_ensemble_job *job)
{
  const bool differ = ls_ensemble_config_differs(&job->config);
  LS_PASS(ls_placement_find(job->world, &job->placement));
  LS_PASS(ls_setup_warn_placement(&job->placement, job->world));
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
static ls_status prepare_member(ls_ensemble_job *job, size_t member)
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

/* Write the ensemble's own configuration last: it shows that the members' are complete. Rank 0. */
ls_status ls_ensemble_open_run_dirs(ls_ensemble_job *job, const char *resolved)
{
  const ls_run_dir_options options = {
      .path = job->options->run_path, .run_name = job->spec->name, .resume = job->options->resume};
  LS_PASS(ls_run_dir_prepare(&job->run_dir, &options));
  for (size_t m = 0; m < job->members; m++) LS_PASS(prepare_member(job, m));
  return ls_directory_write(&job->run_dir, "config.yaml", resolved, strlen(resolved));
}
