/* SPDX-License-Identifier: BSD-3-Clause */
/* The training step; see engine.h for its course. A team's threads have a `part` each (comm/team.h). Which
 * part carries which micro-batch differs from run to run, but sums do not depend on it. */
#include "train/engine.h"

#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/size.h"
#include "comm/team.h"
#include "data/augment/augment.h"
#include "nn/loss.h"
#include "attack/adversary.h"
#include "train/nonfinite.h"
#include "train/mixup.h"
#include "train/optimization.h"
#include "train/step_profile.h"
#include "train/sums/sums.h"

struct ls_engine {
  ls_engine_options options;
  ls_workspace **workspaces; /* [threads] */
  ls_sums *sums;
  ls_optimization optimization;
  ls_augment *augment;     /* NULL: images are taken as they are */
  ls_mixup *mixup;         /* NULL: one by one */
  ls_adversary *adversary; /* NULL: images are not attacked */
  double *carried_s;       /* [threads] clock when a thread had carried its last micro-batch of the step */
  atomic_size_t taken;     /* micro-batches of the step that threads have taken */
};

/* The changes of the images before they are trained on. */
static ls_status plan_images(ls_engine *engine)
{
  const ls_engine_options *options = &engine->options;
  const ls_shape in = ls_model_input(options->network->model);
  const ls_augment_options augment = {.spec = options->augment,
                                      .channels = in.c,
                                      .height = in.h,
                                      .width = in.w,
                                      .microbatch = options->train->microbatch,
                                      .threads = options->threads,
                                      .seed = options->seed};
  LS_PASS(ls_augment_new(&engine->augment, &augment));
  const ls_mixup_options mixup = {.alpha = options->augment->mixup,
                                  .values = ls_shape_count(in),
                                  .microbatch = options->train->microbatch,
                                  .threads = options->threads,
                                  .seed = options->seed};
  return ls_mixup_new(&engine->mixup, &mixup);
}

static ls_status allocate(ls_engine *engine)
{
  const ls_model *model = engine->options.network->model;
  LS_PASS(ls_workspaces_new(&engine->workspaces, model, engine->options.threads));
  LS_PASS(ls_alloc(&engine->carried_s, engine->options.threads, sizeof(double), "the threads' clocks"));
  LS_PASS(plan_images(engine));
  LS_PASS(ls_adversary_new(&engine->adversary, engine->options.train, engine->options.network,
                           engine->options.seed, engine->options.threads));
  engine->optimization = (ls_optimization){
      .network = engine->options.network, .train = engine->options.train, .threads = engine->options.threads};
  return ls_optimization_init(&engine->optimization);
}

static ls_status build(ls_engine *engine)
{
  const ls_engine_options *options = &engine->options;
  const ls_model_counts *counts = ls_model_count(options->network->model);
  const ls_sums_shape shape = {.grads = counts->grads,
                               .stats = counts->buffers,
                               .threads = options->threads,
                               .microbatches =
                                   ls_size_ceil_div(options->train->batch, options->train->microbatch)};
  ls_sums_options sums = ls_sums_options_of(options->train, options->comm, &shape);
  sums.node_ranks = options->node_ranks;
  LS_AGREE(options->comm, allocate(engine));
  return ls_sums_new(&engine->sums, &sums);
}

ls_status ls_engine_new(ls_engine **out, const ls_engine_options *options)
{
  ls_engine *engine = NULL;
  LS_AGREE(options->comm, ls_alloc(&engine, 1, sizeof *engine, "the engine"));
  engine->options = *options;
  const ls_status status = build(engine);
  if (status != LS_OK) {
    if (status != LS_E_COMM) ls_engine_free(engine);
    return ls_wrap(status, "preparing %zu training threads", options->threads);
  }
  *out = engine;
  return LS_OK;
}

void ls_engine_free(ls_engine *engine)
{
  if (!engine) return;
  ls_workspaces_free(engine->workspaces, engine->options.threads);
  ls_sums_free(engine->sums);
  ls_optimization_fini(&engine->optimization);
  ls_augment_free(engine->augment);
  ls_mixup_free(engine->mixup);
  ls_adversary_free(engine->adversary);
  free(engine->carried_s);
  free(engine);
}

float *const *ls_engine_slots(const ls_engine *engine, size_t *count)
{
  *count = engine->optimization.slot_count;
  return engine->optimization.slots;
}

const char *ls_engine_split_reason(const ls_engine *engine)
{
  return ls_sums_split_reason(engine->sums);
}

bool ls_engine_changes_images(const ls_engine *engine)
{
  return engine->augment || engine->mixup || engine->adversary;
}

ls_workspace **ls_engine_workspaces(const ls_engine *engine)
{
  return engine->workspaces;
}

/* A training pass of a micro-batch, which sets `grads`; its images go to the part's workspace. */
static ls_pass start_pass(ls_engine *engine, size_t part, const ls_step *step,
                          const ls_microbatch *microbatch, float *grads)
{
  const ls_network *network = engine->options.network;
  ls_workspace *workspace = engine->workspaces[part];
  ls_pass pass = ls_network_pass(network, microbatch->n, microbatch->samples);
  pass.training = true;
  pass.grads = grads;
  pass.stats = grads + ls_model_count(network->model)->grads;
  pass.seed = engine->options.seed;
  pass.epoch = step->epoch;
  pass.profile = ls_step_profile_passes(step->profile, part);
  pass.from_features = microbatch->features != NULL;
  ls_network_show(network, microbatch->images, microbatch->features, microbatch->n, workspace);
  ls_mixup_apply(engine->mixup, part, microbatch, step->epoch, ls_workspace_input(workspace));
  ls_step_profile_lap(step->profile, part, LS_SECTION_DATA);
  return pass;
}

/* Forward and backward of one micro-batch, its loss weighted by `share`. */
static ls_loss_sums run_pass(ls_engine *engine, size_t part, const ls_pass *pass, const ls_step *step,
                             const ls_microbatch *microbatch, double share)
{
  const ls_model *model = engine->options.network->model;
  ls_workspace *workspace = engine->workspaces[part];
  const float *logits = ls_model_forward(model, pass, workspace);
  const ls_targets targets = {.n = microbatch->n,
                              .classes = ls_model_classes(model),
                              .labels = microbatch->labels,
                              .values = microbatch->values,
                              .mix = ls_mixup_labels(engine->mixup, part),
                              .smoothing = engine->options.train->label_smoothing};
  ls_loss_sums loss = ls_loss_run(&engine->options.network->loss, logits, &targets,
                                  share / (double)ls_loader_step_samples(step->loader, step->epoch_step),
                                  ls_workspace_loss_gradient(workspace));
  ls_step_profile_lap(step->profile, part, LS_SECTION_LOSS);
  ls_model_backward(model, pass, workspace, NULL);
  loss.loss *= share;
  return loss;
}

/* The micro-batch as it is, and under attack. Correct samples and batch statistics are counted on the clean
 * images, if they take part. */
static ls_loss_sums run_passes(ls_engine *engine, size_t part, const ls_pass *pass, const ls_step *step,
                               const ls_microbatch *microbatch)
{
  const double alpha = ls_adversary_alpha(engine->adversary);
  ls_loss_sums clean = {.loss = 0.0};
  ls_pass attacked = *pass;
  if (alpha > 0.0) {
    ls_pass first = *pass;
    if (alpha < 1.0) first.done = NULL;
    clean = run_pass(engine, part, &first, step, microbatch, alpha);
    if (alpha == 1.0) return clean;
    attacked.accumulate = true;
    attacked.stats = NULL;
  }
  ls_adversary_attack(engine->adversary, part, engine->workspaces[part], microbatch, pass);
  const ls_loss_sums sums = run_pass(engine, part, &attacked, step, microbatch, 1.0 - alpha);
  return (ls_loss_sums){.loss = clean.loss + sums.loss,
                        .correct = alpha > 0.0 ? clean.correct : sums.correct};
}

/* A thread's share of the sums. */
typedef struct part_sums {
  ls_sums *sums;
  ls_step_profile *profile;
  size_t part;
} part_sums;

/* The thread finishes only after it has counted. */
static void report_ready(void *waiting, size_t first)
{
  const part_sums *self = waiting;
  if (first > 0) ls_sums_ready(self->sums, self->part, first);
  ls_step_profile_lap(self->profile, self->part, LS_SECTION_SUMS);
}

/* A micro-batch of this rank, as it is trained on in this epoch. */
static ls_microbatch take_microbatch(ls_engine *engine, size_t part, const ls_step *step, size_t i)
{
  const ls_microbatch loaded = ls_loader_microbatch(step->loader, step->epoch_step, i);
  const ls_microbatch microbatch = ls_augment_apply(engine->augment, part, &loaded, step->epoch);
  ls_step_profile_lap(step->profile, part, LS_SECTION_DATA);
  return microbatch;
}

static void train_microbatch(ls_engine *engine, size_t part, const ls_step *step,
                             const ls_microbatch *microbatch, bool is_last)
{
  part_sums waiting = {engine->sums, step->profile, part};
  float *grads = ls_sums_next(engine->sums, part);
  ls_step_profile_lap(step->profile, part, LS_SECTION_SUMS);
  ls_pass pass = start_pass(engine, part, step, microbatch, grads);
  if (is_last) {
    pass.done = report_ready;
    pass.waiting = &waiting;
  }
  const ls_loss_sums loss = run_passes(engine, part, &pass, step, microbatch);
  ls_sums_add_loss(engine->sums, part, loss.loss);
  ls_sums_count(engine->sums, part, LS_TALLY_CORRECT, loss.correct);
  ls_sums_count(engine->sums, part, LS_TALLY_SAMPLES, microbatch->n);
}

/* What the threads of a step share. */
typedef struct step_job {
  ls_engine *engine;
  const ls_step *step;
} step_job;

/* The part's first micro-batch, and then any that no part has taken: a core that is slowed down takes fewer.
 * It takes the next one before it carries the current one, to know which is its last. */
static void train_part(void *user, size_t part)
{
  const step_job *job = user;
  ls_engine *engine = job->engine;
  const ls_step *step = job->step;
  const size_t count = ls_loader_step_microbatches(step->loader, step->epoch_step);
  ls_profile_start(ls_step_profile_passes(step->profile, part));
  for (size_t i = part, next; i < count; i = next) {
    const ls_microbatch microbatch = take_microbatch(engine, part, step, i);
    next = atomic_fetch_add_explicit(&engine->taken, 1, memory_order_relaxed);
    train_microbatch(engine, part, step, &microbatch, next >= count);
  }
  engine->carried_s[part] = ls_clock_s();
  ls_sums_finish(engine->sums, part);
}

/* When the last thread had carried its last micro-batch. */
static double last_carried_s(const ls_engine *engine)
{
  double last_s = engine->carried_s[0];
  for (size_t t = 1; t < engine->options.threads; t++) last_s = fmax(last_s, engine->carried_s[t]);
  return last_s;
}

/* Sum over all threads and ranks. Collective. */
static ls_status reduce(ls_engine *engine, ls_step_result *result)
{
  ls_sums *sums = engine->sums;
  LS_TRY(ls_sums_reduce(sums), "summing the gradients");
  *result = (ls_step_result){.loss = ls_sums_loss(sums),
                             .correct = ls_sums_total(sums, LS_TALLY_CORRECT),
                             .samples = ls_sums_total(sums, LS_TALLY_SAMPLES),
                             .is_valid = ls_sums_total(sums, LS_TALLY_OUTSIDE) == 0,
                             .control = {.stop = ls_sums_total(sums, LS_TALLY_STOP),
                                         .checkpoint = ls_sums_total(sums, LS_TALLY_CHECKPOINT)}};
  return LS_OK;
}

typedef struct pack_job {
  const ls_network *network;
  size_t threads;
} pack_job;

static void pack_part(void *user, size_t part)
{
  const pack_job *job = user;
  ls_network_pack(job->network, part, job->threads);
}

void ls_engine_pack(const ls_engine *engine, const ls_network *network)
{
  pack_job job = {network, engine->options.threads};
  ls_team_run(job.threads, pack_part, &job);
}

/* Run the step's micro-batches once more, one by one, and find the layer where values stop being finite.
 * Local. */
static ls_status find_nonfinite(ls_engine *engine, const ls_step *step)
{
  const ls_model *model = engine->options.network->model;
  const size_t count = ls_loader_step_microbatches(step->loader, step->epoch_step);
  float *grads = ls_sums_next(engine->sums, 0);
  for (size_t i = 0; i < count; i++) {
    const ls_microbatch microbatch = take_microbatch(engine, 0, step, i);
    ls_pass pass = start_pass(engine, 0, step, &microbatch, grads);
    ls_nonfinite nonfinite = {
        .model = model, .pass = &pass, .limits = ls_sums_find_limits(engine->sums), .grads = grads};
    pass.observe = ls_nonfinite_observe;
    pass.observer = &nonfinite;
    const ls_loss_sums loss = run_passes(engine, 0, &pass, step, &microbatch);
    LS_PASS(ls_nonfinite_check(&nonfinite, loss.loss));
  }
  return LS_OK;
}

/* The error of a step whose sums are out of range. Collective. */
static ls_status explain(ls_engine *engine, const ls_step *step)
{
  ls_status status = ls_comm_agree(engine->options.comm, find_nonfinite(engine, step));
  if (status == LS_OK) status = ls_fail(LS_E_NONFINITE, "a value is too large to be summed");
  return ls_wrap(status, "step %zu of epoch %" PRIu64 ", learning rate %g", step->epoch_step + 1,
                 step->epoch + 1, step->lr);
}

ls_status ls_engine_step(ls_engine *engine, const ls_step *step, ls_step_result *result)
{
  const double started_s = ls_clock_s();
  step_job job = {.engine = engine, .step = step};
  atomic_store(&engine->taken, engine->options.threads);
  ls_sums_begin(engine->sums, ls_loader_step_samples(step->loader, step->epoch_step));
  ls_sums_count(engine->sums, 0, LS_TALLY_STOP, step->control.stop);
  ls_sums_count(engine->sums, 0, LS_TALLY_CHECKPOINT, step->control.checkpoint);
  ls_team_run(engine->options.threads, train_part, &job);
  ls_profile_start(ls_step_profile_passes(step->profile, 0));
  LS_PASS(reduce(engine, result));
  const double carried_s = last_carried_s(engine), reduced_s = ls_clock_s();
  ls_step_profile_lap(step->profile, 0, LS_SECTION_REDUCTION);
  if (!result->is_valid) return explain(engine, step);
  ls_optimization_step(&engine->optimization, ls_sums_result(engine->sums), step->lr, step->optimizer_step);
  ls_step_profile_lap(step->profile, 0, LS_SECTION_OPTIMIZER);
  result->times = (ls_step_times){.compute_s = carried_s - started_s,
                                  .reduction_s = reduced_s - carried_s,
                                  .update_s = ls_clock_s() - reduced_s};
  return LS_OK;
}
