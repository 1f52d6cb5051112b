/* SPDX-License-Identifier: BSD-3-Clause */
/* Features of frozen layers. What these give of an image stays the same all through a training whose images
 * do too: it is computed once and takes the image's place in the loader, so that an epoch costs what the
 * other layers cost. No bit changes: a sample's features do not depend on those beside it in a micro-batch.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/size.h"
#include "comm/placement/quota.h"
#include "comm/team.h"
#include "train/run/run.h"

/* What the threads share: a split's features. */
typedef struct extraction {
  const ls_run *run;
  ls_eval_split split;
  float *features; /* [samples of this rank, values] */
} extraction;

static void extract_microbatch(const extraction *self, size_t part, const ls_microbatch *microbatch,
                               float *features)
{
  const ls_network *network = &self->run->network;
  ls_workspace *workspace = ls_engine_workspaces(self->run->engine)[part];
  const ls_pass pass = ls_network_pass(network, microbatch->n, microbatch->samples);
  ls_network_show(network, microbatch->images, NULL, microbatch->n, workspace);
  memcpy(features, ls_model_extract(network->model, &pass, workspace),
         microbatch->n * ls_model_features(network->model) * sizeof *features);
}

/* The cut into micro-batches is the same for any number of ranks. */
static void extract_part(void *user, size_t part)
{
  const extraction *self = user;
  const ls_loader *loader = self->run->loader;
  const size_t values = ls_model_features(self->run->options->model);
  const size_t count = ls_loader_eval_microbatches(loader, self->split);
  for (size_t i = part; i < count && *self->run->options->stop == 0; i += self->run->options->threads) {
    const ls_microbatch first = ls_loader_eval_microbatch(loader, self->split, 0);
    const ls_microbatch microbatch = ls_loader_eval_microbatch(loader, self->split, i);
    extract_microbatch(self, part, &microbatch,
                       self->features + (size_t)(microbatch.samples - first.samples) * values);
  }
}

/* Features of a split; the caller's to free. Local. */
static ls_status extract(const ls_run *run, ls_eval_split split, float **features)
{
  const size_t values = ls_model_features(run->options->model),
               count = ls_loader_rank_samples(run->loader, split);
  size_t floats;
  if (!ls_size_mul(count, values, &floats))
    return ls_fail(LS_E_MEMORY, "no memory for %zu features of %zu samples", values, count);
  LS_PASS(ls_alloc_untouched(features, floats, sizeof(float), "features"));
  ls_team_run(run->options->threads, extract_part,
              &(extraction){.run = run, .split = split, .features = *features});
  return LS_OK;
}

/* Local. */
static ls_status extract_all(const ls_run *run, float **train, float **validation)
{
  LS_PASS(extract(run, LS_EVAL_TRAIN, train));
  return extract(run, LS_EVAL_VALIDATION, validation);
}

/* Extract, and use what is whole: a rank that is asked to stop leaves the rest out. Collective. */
static ls_status replace_images(ls_run *run)
{
  const size_t values = ls_model_features(run->options->model);
  float *train = NULL, *validation = NULL;
  uint64_t stopped = 0;
  ls_status status;
  LS_GO(ls_comm_agree(run->options->comm, extract_all(run, &train, &validation)));
  stopped = *run->options->stop != 0;
  LS_GO(ls_comm_sum_u64(run->options->comm, &stopped, 1));
  if (stopped > 0) goto done;
  ls_loader_set_features(run->loader, LS_EVAL_TRAIN, train, values);
  ls_loader_set_features(run->loader, LS_EVAL_VALIDATION, validation, values);
  return LS_OK;
done:
  free(train);
  free(validation);
  return status;
}

/* Features of a rank, and those of the next epoch that it receives meanwhile. */
static double bytes_of_rank(const ls_run *run)
{
  const ls_loader *loader = run->loader;
  const size_t samples = ls_loader_train_count(loader) + ls_loader_eval_count(loader, LS_EVAL_VALIDATION);
  const double values = (double)samples * (double)ls_model_features(run->options->model);
  return 2.0 * values * sizeof(float) / (double)ls_comm_size(run->options->comm);
}

/* Has every rank memory for them? They may take half of what its threads have of the host's; those of all
 * ranks, half of what a control group allows, which may hold all of them. Collective. */
static ls_status find_memory(const ls_run *run, bool *fits)
{
  const double host = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  const double threads = (double)run->options->threads / (double)sysconf(_SC_NPROCESSORS_ONLN);
  const double mine = bytes_of_rank(run), all = mine * (double)ls_comm_size(run->options->comm);
  uint64_t lacking = mine > 0.5 * host * threads || all > 0.5 * ls_memory_limit("");
  LS_PASS(ls_comm_sum_u64(run->options->comm, &lacking, 1));
  *fits = lacking == 0;
  return LS_OK;
}

/* Local. */
static ls_status report(const ls_run *run, bool fits)
{
  ls_text line = {0};
  if (fits)
    ls_text_add(&line, "the features of the frozen layers are computed once: %zu values a sample",
                ls_model_features(run->options->model));
  else
    ls_text_add(&line,
                "the features of the frozen layers are computed anew in every epoch: to keep them would take "
                "%.1f GB a rank, more than half of the memory that it may use",
                bytes_of_rank(run) / 1e9);
  return ls_run_say(run, &line);
}

/* Are there epochs to come that would find them? */
static bool are_wanted(const ls_run *run)
{
  const ls_trainer_options *options = run->options;
  const size_t done = run->state.progress.epoch, epochs = options->spec->train.epochs;
  return ls_model_features(options->model) > 0 && !ls_engine_changes_images(run->engine) &&
         epochs > done + 1 && !ls_run_is_stopped_early(run);
}

ls_status ls_run_extract(ls_run *run)
{
  bool fits;
  if (!are_wanted(run)) return LS_OK;
  LS_PASS(find_memory(run, &fits));
  LS_AGREE(run->options->comm, report(run, fits));
  if (!fits) return LS_OK;
  ls_activity_enter(run->activity, "computing features");
  return replace_images(run);
}
