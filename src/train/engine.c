/* SPDX-License-Identifier: BSD-3-Clause */
/* The training step; see engine.h for its course. Parallel regions are loops over `part`, one a thread:
 * what a part does is fixed by its number, never by the thread that happens to run it. */
#include "train/engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "nn/loss.h"
#include "train/optimizer.h"

/* Control words and counts behind the gradient in the reduced vector; float32 holds counts up to 2^24. */
enum { TAIL_LOSS, TAIL_CORRECT, TAIL_SAMPLES, TAIL_STOP, TAIL_CHECKPOINT, TAIL_COUNT };

enum { NORM_CHUNK = 8192 }; /* elements summed in one go: fixes the order of the norm's sum */

typedef struct worker {
  float *sums;       /* [grads + buffers]: gradient and batch statistics of its micro-batches; worker 0: the
                        vector that is reduced */
  ls_loss_sums loss; /* of its micro-batches */
} worker;

struct ls_engine {
  ls_engine_options options;
  ls_workspace **workspaces; /* [threads] */
  worker *workers;           /* [threads] */
  size_t sum_count;          /* grads + buffers; the tail follows in worker 0's vector */
  float *param_grads;        /* [params] reduced gradient in the parameters' layout */
  double *norm_parts;        /* [chunks of NORM_CHUNK] */
  size_t norm_count;
  float *slots[LS_OPTIMIZER_MAX_SLOTS]; /* optimizer state, [params] each */
  size_t slot_count;
};

static ls_status allocate(ls_engine *engine)
{
  const ls_model *model = engine->options.network->model;
  const ls_model_counts *counts = ls_model_count(model);
  size_t threads = engine->options.threads;
  LS_PASS(ls_workspaces_new(&engine->workspaces, model, threads));
  LS_PASS(ls_alloc(&engine->workers, threads, sizeof *engine->workers, "the workers"));
  engine->sum_count = counts->grads + counts->buffers;
  for (size_t i = 0; i < threads; i++)
    LS_PASS(ls_alloc(&engine->workers[i].sums, engine->sum_count + TAIL_COUNT, sizeof(float),
                     "a thread's gradient"));
  LS_PASS(ls_alloc(&engine->param_grads, counts->params, sizeof(float), "the gradient"));
  engine->norm_count = ls_size_ceil_div(counts->params, NORM_CHUNK);
  LS_PASS(ls_alloc(&engine->norm_parts, engine->norm_count, sizeof(double), "the gradient's norm"));
  engine->slot_count = ls_optimizer_slot_count(ls_optimizer_find(&engine->options.train->optimizer));
  for (size_t i = 0; i < engine->slot_count; i++)
    LS_PASS(ls_alloc(&engine->slots[i], counts->params, sizeof(float), "the optimizer's state"));
  return LS_OK;
}

ls_status ls_engine_new(ls_engine **out, const ls_engine_options *options)
{
  ls_engine *engine;
  LS_PASS(ls_alloc(&engine, 1, sizeof *engine, "the engine"));
  engine->options = *options;
  ls_status status = allocate(engine);
  if (status != LS_OK) {
    ls_engine_free(engine);
    return ls_wrap(status, "preparing %zu training threads", options->threads);
  }
  *out = engine;
  return LS_OK;
}

void ls_engine_free(ls_engine *engine)
{
  if (!engine) return;
  ls_workspaces_free(engine->workspaces, engine->options.threads);
  for (size_t i = 0; engine->workers && i < engine->options.threads; i++) free(engine->workers[i].sums);
  free(engine->workers);
  free(engine->param_grads);
  free(engine->norm_parts);
  for (size_t i = 0; i < engine->slot_count; i++) free(engine->slots[i]);
  free(engine);
}

float *const *ls_engine_slots(const ls_engine *engine, size_t *count)
{
  *count = engine->slot_count;
  return engine->slots;
}

ls_workspace **ls_engine_workspaces(const ls_engine *engine)
{
  return engine->workspaces;
}

/* Forward and backward of one micro-batch, adding to the worker's sums. */
static void train_microbatch(ls_engine *engine, size_t part, const ls_step *step,
                             const ls_microbatch *microbatch)
{
  const ls_network *network = engine->options.network;
  const ls_model *model = network->model;
  worker *self = &engine->workers[part];
  ls_workspace *workspace = engine->workspaces[part];
  ls_shape in = ls_model_input(model);
  ls_pass pass = ls_network_pass(network, microbatch);
  pass.training = true;
  pass.grads = self->sums;
  pass.stats = self->sums + ls_model_count(model)->grads;
  pass.seed = engine->options.seed;
  pass.epoch = step->epoch;
  ls_normalization_apply(&network->normalization, microbatch->images, microbatch->n, in.h * in.w,
                         ls_workspace_input(workspace));
  const float *logits = ls_model_forward(model, &pass, workspace);
  double scale = 1.0 / (double)ls_loader_step_samples(step->loader, step->epoch_step);
  ls_loss_sums sums =
      ls_loss_softmax(logits, microbatch->labels, microbatch->n, ls_model_classes(model),
                      engine->options.train->label_smoothing, scale, ls_workspace_loss_gradient(workspace));
  self->loss.loss += sums.loss;
  self->loss.correct += sums.correct;
  ls_model_backward(model, &pass, workspace, NULL);
}

/* The part's share of this rank's micro-batches. */
static void train_part(ls_engine *engine, size_t part, const ls_step *step)
{
  worker *self = &engine->workers[part];
  memset(self->sums, 0, engine->sum_count * sizeof(float));
  self->loss = (ls_loss_sums){0};
  size_t count = ls_loader_step_microbatches(step->loader, step->epoch_step);
  size_t end = ls_part_first(count, engine->options.threads, part + 1);
  for (size_t i = ls_part_first(count, engine->options.threads, part); i < end; i++) {
    ls_microbatch microbatch = ls_loader_microbatch(step->loader, step->epoch_step, i);
    train_microbatch(engine, part, step, &microbatch);
  }
}

/* The part's chunk of the sum over the workers, in their order, into worker 0's vector. */
static void sum_part(ls_engine *engine, size_t part)
{
  size_t first = ls_part_first(engine->sum_count, engine->options.threads, part);
  size_t end = ls_part_first(engine->sum_count, engine->options.threads, part + 1);
  float *restrict total = engine->workers[0].sums;
  for (size_t t = 1; t < engine->options.threads; t++) {
    const float *restrict sums = engine->workers[t].sums;
    for (size_t i = first; i < end; i++) total[i] += sums[i];
  }
}

static void write_tail(ls_engine *engine, const ls_step *step)
{
  float *tail = engine->workers[0].sums + engine->sum_count;
  ls_loss_sums sums = {0};
  for (size_t t = 0; t < engine->options.threads; t++) {
    sums.loss += engine->workers[t].loss.loss;
    sums.correct += engine->workers[t].loss.correct;
  }
  uint64_t samples = 0;
  size_t count = ls_loader_step_microbatches(step->loader, step->epoch_step);
  for (size_t i = 0; i < count; i++) samples += ls_loader_microbatch(step->loader, step->epoch_step, i).n;
  tail[TAIL_LOSS] = (float)sums.loss;
  tail[TAIL_CORRECT] = (float)sums.correct;
  tail[TAIL_SAMPLES] = (float)samples;
  tail[TAIL_STOP] = (float)step->control.stop;
  tail[TAIL_CHECKPOINT] = (float)step->control.checkpoint;
}

static void read_tail(const ls_engine *engine, ls_step_result *result)
{
  const float *tail = engine->workers[0].sums + engine->sum_count;
  result->loss = (double)tail[TAIL_LOSS];
  result->correct = (uint64_t)tail[TAIL_CORRECT];
  result->samples = (uint64_t)tail[TAIL_SAMPLES];
  result->control =
      (ls_control){.stop = (uint64_t)tail[TAIL_STOP], .checkpoint = (uint64_t)tail[TAIL_CHECKPOINT]};
}

/* Sums of squares of the part's chunks: chunk c belongs to part c % threads, and its sum has one order. */
static void norm_part(ls_engine *engine, size_t part)
{
  size_t count = ls_model_count(engine->options.network->model)->params;
  for (size_t c = part; c < engine->norm_count; c += engine->options.threads) {
    size_t end = ls_size_min(count, (c + 1) * NORM_CHUNK);
    float lanes[16] = {0}; /* independent sums, so that the loop vectorizes without reordering */
    size_t i = c * NORM_CHUNK;
    for (; i + 16 <= end; i += 16)
      for (size_t lane = 0; lane < 16; lane++)
        lanes[lane] += engine->param_grads[i + lane] * engine->param_grads[i + lane];
    double sum = 0.0;
    for (size_t lane = 0; lane < 16; lane++) sum += (double)lanes[lane];
    for (; i < end; i++) sum += (double)engine->param_grads[i] * (double)engine->param_grads[i];
    engine->norm_parts[c] = sum;
  }
}

static void update_part(ls_engine *engine, size_t part, const ls_step *step, double grad_scale)
{
  ls_update update = {.lr = step->lr, .grad_scale = grad_scale, .step = step->optimizer_step};
  ls_optimizer_update(&engine->options.train->optimizer, engine->options.network->model, update,
                      engine->options.network->params, engine->param_grads, engine->slots, part,
                      engine->options.threads);
}

void ls_engine_pack(ls_engine *engine)
{
  const ls_network *network = engine->options.network;
  size_t threads = engine->options.threads;
#pragma omp parallel for schedule(static, 1) num_threads((int)threads)
  for (size_t part = 0; part < threads; part++)
    ls_model_pack(network->model, network->params, network->packed, part, threads);
}

/* Reduced gradient to the parameters' layout, and its norm. */
static double unpack_gradient(ls_engine *engine)
{
  const ls_model *model = engine->options.network->model;
  size_t threads = engine->options.threads;
#pragma omp parallel for schedule(static, 1) num_threads((int)threads)
  for (size_t part = 0; part < threads; part++)
    ls_model_unpack(model, engine->workers[0].sums, engine->param_grads, part, threads);
#pragma omp parallel for schedule(static, 1) num_threads((int)threads)
  for (size_t part = 0; part < threads; part++) norm_part(engine, part);
  double sum = 0.0;
  for (size_t c = 0; c < engine->norm_count; c++) sum += engine->norm_parts[c];
  return sqrt(sum);
}

static void apply_gradient(ls_engine *engine, const ls_step *step, double grad_norm, uint64_t samples)
{
  ls_network *network = engine->options.network;
  const ls_model_counts *counts = ls_model_count(network->model);
  size_t threads = engine->options.threads;
  double clip = engine->options.train->clip_norm;
  double grad_scale = clip > 0.0 && grad_norm > clip ? clip / grad_norm : 1.0;
#pragma omp parallel for schedule(static, 1) num_threads((int)threads)
  for (size_t part = 0; part < threads; part++) update_part(engine, part, step, grad_scale);
  float *stats = engine->workers[0].sums + counts->grads;
  for (size_t i = 0; i < counts->buffers; i++) stats[i] /= (float)samples;
  ls_model_update_buffers(network->model, stats, network->buffers);
  ls_engine_pack(engine);
}

ls_status ls_engine_step(ls_engine *engine, const ls_step *step, ls_step_result *result)
{
  size_t threads = engine->options.threads;
#pragma omp parallel for schedule(static, 1) num_threads((int)threads)
  for (size_t part = 0; part < threads; part++) train_part(engine, part, step);
  if (threads > 1) {
#pragma omp parallel for schedule(static, 1) num_threads((int)threads)
    for (size_t part = 0; part < threads; part++) sum_part(engine, part);
  }
  write_tail(engine, step);
  LS_TRY(ls_comm_sum_f32(engine->options.comm, engine->workers[0].sums, engine->sum_count + TAIL_COUNT),
         "summing the gradients");
  read_tail(engine, result);
  result->grad_norm = unpack_gradient(engine);
  if (!isfinite(result->loss) || !isfinite(result->grad_norm))
    return ls_fail(LS_E_NONFINITE,
                   "%s is not finite in step %zu of epoch %llu (learning rate %g); the weights of the last "
                   "checkpoint are intact. Try a lower train.optimizer.lr, a warm-up, or train.clip_norm",
                   isfinite(result->loss) ? "the gradient" : "the loss", step->epoch_step + 1,
                   (unsigned long long)step->epoch + 1, step->lr);
  apply_gradient(engine, step, result->grad_norm, result->samples);
  return LS_OK;
}
