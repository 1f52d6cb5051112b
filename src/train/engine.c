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

/* Loss, counts and control words behind the gradient in the reduced vector. */
enum { TAIL_LOSS, TAIL_CORRECT, TAIL_SAMPLES, TAIL_INVALID, TAIL_STOP, TAIL_CHECKPOINT, TAIL_COUNT };

enum { NORM_CHUNK = 8192 }; /* elements summed in one go: fixes the order of the norm's sum */

typedef struct worker {
  float *grads;   /* [grads + buffers]: gradient and batch statistics of one micro-batch; zero between them */
  uint64_t *sums; /* [grads + buffers + TAIL_COUNT]: fixed-point sums over its micro-batches, two's
                     complement; worker 0's is the vector that is reduced */
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

static ls_status allocate_worker(worker *self, size_t count)
{
  LS_PASS(ls_alloc(&self->grads, count, sizeof *self->grads, "a thread's gradient"));
  return ls_alloc(&self->sums, count + TAIL_COUNT, sizeof *self->sums, "a thread's sums");
}

static ls_status allocate(ls_engine *engine)
{
  const ls_model *model = engine->options.network->model;
  const ls_model_counts *counts = ls_model_count(model);
  size_t threads = engine->options.threads;
  LS_PASS(ls_workspaces_new(&engine->workspaces, model, threads));
  LS_PASS(ls_alloc(&engine->workers, threads, sizeof *engine->workers, "the workers"));
  engine->sum_count = counts->grads + counts->buffers;
  for (size_t i = 0; i < threads; i++) LS_PASS(allocate_worker(&engine->workers[i], engine->sum_count));
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
  for (size_t i = 0; engine->workers && i < engine->options.threads; i++) {
    free(engine->workers[i].grads);
    free(engine->workers[i].sums);
  }
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

/* Sums over micro-batches are taken in fixed point: integers add up to the same total in any order, so the
 * step does not depend on how the micro-batches are dealt to ranks and threads. A value x becomes the integer
 * nearest to x * scale: gradients to 9.1e-13 within +-2048, statistics to 3.7e-9 within +-8.4e6. What is
 * outside, or not a number, is counted and refused, never wrapped. 2^11 micro-batches fit.
 *
 * Adding 1.5 * 2^52 leaves that integer in the low bits of the double: a conversion that vectorizes. */
static const double GRAD_SCALE = 0x1p40, STAT_SCALE = 0x1p28, LOSS_SCALE = 0x1p32;
static const double ROUNDER = 0x1.8p52, LIMIT = 0x1p51;

/* sums += values * scale, values = 0. Returns whether a value was out of range. */
static bool add_fixed(float *restrict values, uint64_t *restrict sums, size_t count, double scale,
                      double unit)
{
  const double factor = scale * unit;
  const uint64_t rounder_bits = 0x4338000000000000;
  uint64_t outside = 0;
  for (size_t i = 0; i < count; i++) {
    const double scaled = (double)values[i] * factor;
    const double rounded = scaled + ROUNDER;
    uint64_t bits;
    memcpy(&bits, &rounded, sizeof bits);
    outside |= (uint64_t) !(fabs(scaled) < LIMIT);
    sums[i] += bits - rounder_bits;
    values[i] = 0.0F;
  }
  return outside != 0;
}

/* Take what a micro-batch left in the worker's gradient into its sums; statistics as a share of the step's.
 */
static void add_microbatch(const ls_engine *engine, worker *self, const ls_loss_sums *loss,
                           size_t step_samples)
{
  const size_t grads = ls_model_count(engine->options.network->model)->grads;
  uint64_t *tail = self->sums + engine->sum_count;
  bool outside = add_fixed(self->grads, self->sums, grads, GRAD_SCALE, 1.0);
  outside |= add_fixed(self->grads + grads, self->sums + grads, engine->sum_count - grads, STAT_SCALE,
                       1.0 / (double)step_samples);
  outside |= !(fabs(loss->loss) < 1e9);
  tail[TAIL_LOSS] += outside ? 0 : (uint64_t)llround(loss->loss * LOSS_SCALE);
  tail[TAIL_CORRECT] += loss->correct;
  tail[TAIL_INVALID] += outside;
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
  pass.grads = self->grads;
  pass.stats = self->grads + ls_model_count(model)->grads;
  pass.seed = engine->options.seed;
  pass.epoch = step->epoch;
  ls_normalization_apply(&network->normalization, microbatch->images, microbatch->n, in.h * in.w,
                         ls_workspace_input(workspace));
  const float *logits = ls_model_forward(model, &pass, workspace);
  double scale = 1.0 / (double)ls_loader_step_samples(step->loader, step->epoch_step);
  ls_loss_sums sums =
      ls_loss_softmax(logits, microbatch->labels, microbatch->n, ls_model_classes(model),
                      engine->options.train->label_smoothing, scale, ls_workspace_loss_gradient(workspace));
  ls_model_backward(model, &pass, workspace, NULL);
  add_microbatch(engine, self, &sums, ls_loader_step_samples(step->loader, step->epoch_step));
}

/* The part's share of this rank's micro-batches. */
static void train_part(ls_engine *engine, size_t part, const ls_step *step)
{
  worker *self = &engine->workers[part];
  memset(self->sums, 0, (engine->sum_count + TAIL_COUNT) * sizeof *self->sums);
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
  size_t count = engine->sum_count + TAIL_COUNT;
  size_t first = ls_part_first(count, engine->options.threads, part);
  size_t end = ls_part_first(count, engine->options.threads, part + 1);
  uint64_t *restrict total = engine->workers[0].sums;
  for (size_t t = 1; t < engine->options.threads; t++) {
    const uint64_t *restrict sums = engine->workers[t].sums;
    for (size_t i = first; i < end; i++) total[i] += sums[i];
  }
}

/* What this rank alone knows, added to its sums. */
static void write_tail(ls_engine *engine, const ls_step *step)
{
  uint64_t *tail = engine->workers[0].sums + engine->sum_count;
  size_t count = ls_loader_step_microbatches(step->loader, step->epoch_step);
  for (size_t i = 0; i < count; i++)
    tail[TAIL_SAMPLES] += ls_loader_microbatch(step->loader, step->epoch_step, i).n;
  tail[TAIL_STOP] = step->control.stop;
  tail[TAIL_CHECKPOINT] = step->control.checkpoint;
}

static void read_tail(const ls_engine *engine, ls_step_result *result)
{
  const uint64_t *tail = engine->workers[0].sums + engine->sum_count;
  result->loss = (double)(int64_t)tail[TAIL_LOSS] / LOSS_SCALE;
  result->correct = tail[TAIL_CORRECT];
  result->samples = tail[TAIL_SAMPLES];
  result->is_valid = tail[TAIL_INVALID] == 0;
  result->control = (ls_control){.stop = tail[TAIL_STOP], .checkpoint = tail[TAIL_CHECKPOINT]};
}

/* The part's chunk of the reduced sums as floats, into worker 0's gradient. */
static void read_part(ls_engine *engine, size_t part)
{
  size_t grads = ls_model_count(engine->options.network->model)->grads;
  size_t end = ls_part_first(engine->sum_count, engine->options.threads, part + 1);
  const uint64_t *restrict sums = engine->workers[0].sums;
  float *restrict to = engine->workers[0].grads;
  for (size_t i = ls_part_first(engine->sum_count, engine->options.threads, part); i < end; i++)
    to[i] = (float)((double)(int64_t)sums[i] / (i < grads ? GRAD_SCALE : STAT_SCALE));
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
  for (size_t part = 0; part < threads; part++) read_part(engine, part);
#pragma omp parallel for schedule(static, 1) num_threads((int)threads)
  for (size_t part = 0; part < threads; part++)
    ls_model_unpack(model, engine->workers[0].grads, engine->param_grads, part, threads);
#pragma omp parallel for schedule(static, 1) num_threads((int)threads)
  for (size_t part = 0; part < threads; part++) norm_part(engine, part);
  double sum = 0.0;
  for (size_t c = 0; c < engine->norm_count; c++) sum += engine->norm_parts[c];
  return sqrt(sum);
}

static void apply_gradient(ls_engine *engine, const ls_step *step, double grad_norm)
{
  ls_network *network = engine->options.network;
  const ls_model_counts *counts = ls_model_count(network->model);
  size_t threads = engine->options.threads;
  double clip = engine->options.train->clip_norm;
  double grad_scale = clip > 0.0 && grad_norm > clip ? clip / grad_norm : 1.0;
#pragma omp parallel for schedule(static, 1) num_threads((int)threads)
  for (size_t part = 0; part < threads; part++) update_part(engine, part, step, grad_scale);
  ls_model_update_buffers(network->model, engine->workers[0].grads + counts->grads, network->buffers);
  memset(engine->workers[0].grads, 0, engine->sum_count * sizeof(float)); /* for the next micro-batch */
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
  LS_TRY(ls_comm_sum_u64(engine->options.comm, engine->workers[0].sums, engine->sum_count + TAIL_COUNT),
         "summing the gradients");
  read_tail(engine, result);
  result->grad_norm = unpack_gradient(engine);
  if (!result->is_valid || !isfinite(result->grad_norm))
    return ls_fail(
        LS_E_NONFINITE,
        "loss or gradient is not finite in step %zu of epoch %llu (learning rate %g); the weights "
        "of the last checkpoint are intact. Try a lower train.optimizer.lr, a warm-up, or train.clip_norm",
        step->epoch_step + 1, (unsigned long long)step->epoch + 1, step->lr);
  apply_gradient(engine, step, result->grad_norm);
  return LS_OK;
}
