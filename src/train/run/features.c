/* SPDX-License-Identifier: BSD-3-Clause */
/* Features of frozen layers. What these give of an image stays the same all through a training whose images
 * do too: it is computed once and takes the image's place in the loader, so that an epoch costs what the
 * other layers cost. No bit changes: a sample's features do not depend on those beside it in a micro-batch.
 */
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/size.h"
#include "comm/team.h"
#include "train/run/run.h"

/* What the threads share: a split's features. */
typedef struct extraction {
  const ls_run *run;
  ls_eval_split split;
  float *features; /* [samples of this rank, values] */
} extraction;

static size_t count_samples(const ls_loader *loader, ls_eval_split split)
{
  const size_t count = ls_loader_eval_microbatches(loader, split);
  size_t samples = 0;
  for (size_t i = 0; i < count; i++) samples += ls_loader_eval_microbatch(loader, split, i).n;
  return samples;
}

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
  for (size_t i = part; i < count; i += self->run->options->threads) {
    const ls_microbatch first = ls_loader_eval_microbatch(loader, self->split, 0);
    const ls_microbatch microbatch = ls_loader_eval_microbatch(loader, self->split, i);
    extract_microbatch(self, part, &microbatch,
                       self->features + (size_t)(microbatch.samples - first.samples) * values);
  }
}

/* Local. */
static ls_status extract(const ls_run *run, ls_eval_split split)
{
  extraction self = {.run = run, .split = split};
  const size_t values = ls_model_features(run->options->model), count = count_samples(run->loader, split);
  size_t floats;
  if (!ls_size_mul(count, values, &floats))
    return ls_fail(LS_E_MEMORY, "no memory for %zu features of %zu samples", values, count);
  LS_PASS(ls_alloc_untouched(&self.features, floats, sizeof(float), "features"));
  ls_team_run(run->options->threads, extract_part, &self);
  ls_loader_set_features(run->loader, split, self.features, values);
  return LS_OK;
}

/* Local. */
static ls_status extract_all(const ls_run *run)
{
  LS_PASS(extract(run, LS_EVAL_TRAIN));
  return extract(run, LS_EVAL_VALIDATION);
}

/* A thread's share of the host's memory, in bytes. */
static double memory_of_thread(void)
{
  const double pages = (double)sysconf(_SC_PHYS_PAGES), bytes = (double)sysconf(_SC_PAGESIZE);
  return pages * bytes / (double)sysconf(_SC_NPROCESSORS_ONLN);
}

/* Features of a rank, and those of the next epoch that it receives meanwhile. */
static double bytes_of_rank(const ls_run *run)
{
  const ls_loader *loader = run->loader;
  const size_t samples = ls_loader_train_count(loader) + ls_loader_eval_count(loader, LS_EVAL_VALIDATION);
  const double values = (double)samples * (double)ls_model_features(run->options->model);
  return 2.0 * values * sizeof(float) / (double)ls_comm_size(run->options->comm);
}

/* Has every rank memory for them? They may take half of what its threads have. Collective. */
static ls_status find_memory(const ls_run *run, bool *fits)
{
  const double most = 0.5 * memory_of_thread() * (double)run->options->threads;
  uint64_t lacking = bytes_of_rank(run) > most;
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
                "%.1f GB a rank, more than half of its share of the memory",
                bytes_of_rank(run) / 1e9);
  return ls_run_say(run, &line);
}

ls_status ls_run_extract(ls_run *run)
{
  bool fits;
  if (ls_model_features(run->options->model) == 0 || ls_engine_changes_images(run->engine)) return LS_OK;
  if (run->state.progress.epoch >= run->options->spec->train.epochs) return LS_OK; /* nothing is trained */
  LS_PASS(find_memory(run, &fits));
  LS_AGREE(run->options->comm, report(run, fits));
  if (!fits) return LS_OK;
  ls_activity_enter(run->activity, "computing features");
  return ls_comm_agree(run->options->comm, extract_all(run));
}
