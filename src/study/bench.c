/* SPDX-License-Identifier: BSD-3-Clause */
/* Windows of training steps by one way of train.allreduce and the other, each pair followed by a window of
 * matrix products: other programs on the machine slow all of them down. The engines of both ways are in
 * memory for that: with one way after the other, beside a loop that ran every other second, the ratio of the
 * two spread from 0.43 to 1.48 in ten runs, instead of 0.92 to 1.20. */
#include "study/bench.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "comm/team.h"
#include "kernels/gemm/sgemm.h"
#include "base/quantile.h"
#include "study/stepper.h"

static const double PRODUCT_SHARE = 0.2, PROFILE_SHARE = 0.2; /* of the time for measuring */
enum { WARM_UP_STEPS = 3, PRODUCT_SIZES = 3 };

/* A product that stays in the second-level cache is fastest on most machines, a larger one on some. */
static const size_t product_sizes[PRODUCT_SIZES] = {256, 512, 1024};

/* What the windows have shown. */
typedef struct measured {
  double rates[LS_ALLREDUCE_COUNT][LS_BENCH_WINDOWS];        /* samples per second */
  double reductions_s[LS_ALLREDUCE_COUNT][LS_BENCH_WINDOWS]; /* of a step */
  double products[LS_BENCH_WINDOWS];                         /* GFLOP/s */
} measured;

/* A thread's matrix product, and how many it has computed. */
typedef struct product {
  ls_sgemm *sgemm;
  double flops, elapsed_s;
} product;

typedef struct bench {
  const ls_bench_options *options;
  ls_stepper *stepper;
  double *reductions_s; /* of a window's steps */
  product *products;    /* [threads] of the size that is fastest */
  double flops;         /* of a sample */
} bench;

double ls_bench_layer_flops(const ls_layer *layer)
{
  const bool weights = layer->grad_count > 0;
  return 2.0 * (double)layer->macs * (1.0 + weights + layer->input_trains);
}

static void add_flops(const ls_layer *layer, size_t depth, void *user)
{
  (void)depth;
  double *flops = user;
  *flops += ls_bench_layer_flops(layer);
}

/* ---- steps ---- */

/* `count` steps, and how long each of them reduced (may be NULL); *samples of all ranks. Collective. */
static ls_status take_steps(bench *self, size_t count, ls_step_profile *profile, double *reductions_s,
                            uint64_t *samples)
{
  *samples = 0;
  for (size_t i = 0; i < count; i++) {
    ls_step_result result;
    LS_PASS(ls_stepper_take(self->stepper, profile, &result));
    if (reductions_s) reductions_s[i] = result.times.reduction_s;
    *samples += result.samples;
  }
  return LS_OK;
}

/* Steps that take about so many seconds: rank 0's guess. Collective. */
static ls_status steps_for(bench *self, double seconds, double rate, size_t *count)
{
  const double steps = seconds * rate / (double)self->options->spec->train.batch;
  *count = steps > 1.0 ? (size_t)steps : 1;
  return ls_comm_broadcast(self->options->comm, count, sizeof *count);
}

static ls_status time_steps(bench *self, size_t count, double *reductions_s, double *rate)
{
  uint64_t samples;
  const double started_s = ls_clock_s();
  LS_PASS(take_steps(self, count, NULL, reductions_s, &samples));
  *rate = (double)samples / (ls_clock_s() - started_s);
  return LS_OK;
}

/* A window by one way. The rank that comes last to a reduction spends least time in it. Collective. */
static ls_status time_window(bench *self, size_t way, size_t count, double *rate, double *reduction_s)
{
  LS_PASS(ls_stepper_reduce_by(self->stepper, (ls_allreduce)way));
  LS_PASS(time_steps(self, count, self->reductions_s, rate));
  LS_PASS(ls_comm_min_f64(self->options->comm, self->reductions_s, count));
  *reduction_s = ls_quantile(self->reductions_s, count, 0.5);
  return LS_OK;
}

/* ---- products ---- */

static void free_products(bench *self)
{
  for (size_t t = 0; self->products && t < self->options->threads; t++)
    ls_sgemm_free(self->products[t].sgemm);
  free(self->products);
  self->products = NULL;
}

/* Local. */
static ls_status make_products(bench *self, size_t n)
{
  free_products(self);
  LS_PASS(ls_alloc(&self->products, self->options->threads, sizeof *self->products, "matrix products"));
  for (size_t t = 0; t < self->options->threads; t++) LS_PASS(ls_sgemm_new(&self->products[t].sgemm, n));
  return LS_OK;
}

/* Shared by the threads of a measurement. */
typedef struct product_job {
  product *products; /* [threads] */
  size_t n;
  double started_s, seconds;
} product_job;

static void multiply_part(void *user, size_t part)
{
  const product_job *job = user;
  product *own = &job->products[part];
  const double n = (double)job->n;
  own->flops = 0.0;
  do {
    ls_sgemm_run(own->sgemm);
    own->flops += 2.0 * n * n * n;
    own->elapsed_s = ls_clock_s() - job->started_s;
  } while (own->elapsed_s < job->seconds);
}

/* GFLOP/s of all threads of all ranks, for about so many seconds. The time is that of a rank's threads
 * together: where they outnumber the cores they take turns. Collective. */
static ls_status time_products(bench *self, size_t n, double seconds, double *gflops)
{
  const size_t threads = self->options->threads;
  double flops = 0.0, elapsed_s = 0.0;
  LS_PASS(ls_comm_barrier(self->options->comm));
  product_job job = {.products = self->products, .n = n, .started_s = ls_clock_s(), .seconds = seconds};
  ls_team_run(threads, multiply_part, &job);
  for (size_t t = 0; t < threads; t++) {
    flops += self->products[t].flops;
    elapsed_s = fmax(elapsed_s, self->products[t].elapsed_s);
  }
  *gflops = flops / elapsed_s * 1e-9;
  return ls_comm_sum_f64(self->options->comm, gflops, 1);
}

/* Make the products of the fastest size. Collective. */
static ls_status choose_products(bench *self, size_t *n)
{
  double best = 0.0;
  *n = product_sizes[0];
  for (size_t i = 0; i < PRODUCT_SIZES; i++) {
    double gflops;
    LS_AGREE(self->options->comm, make_products(self, product_sizes[i]));
    LS_PASS(time_products(self, product_sizes[i], 0.1, &gflops));
    if (gflops > best) *n = product_sizes[i];
    if (gflops > best) best = gflops;
  }
  LS_AGREE(self->options->comm, make_products(self, *n));
  return LS_OK;
}

/* ---- the whole ---- */

static ls_status build(bench *self)
{
  const ls_bench_options *options = self->options;
  const ls_stepper_options stepper = {.comm = options->comm,
                                      .spec = options->spec,
                                      .source = options->source,
                                      .model = options->model,
                                      .batch = options->spec->train.batch,
                                      .threads = options->threads};
  LS_PASS(ls_stepper_new(&self->stepper, &stepper));
  self->flops = 0.0;
  ls_model_visit(options->model, add_flops, &self->flops);
  return LS_OK;
}

/* Long enough for a steady rate, but a single step where that takes longer than a window may. The
 * configuration's way comes last. Collective. */
static ls_status warm_up(bench *self, double window_s, double *rate)
{
  const size_t own = (size_t)self->options->spec->train.allreduce;
  for (size_t i = 1; i <= LS_ALLREDUCE_COUNT; i++) {
    size_t count;
    LS_PASS(ls_stepper_reduce_by(self->stepper, (ls_allreduce)((own + i) % LS_ALLREDUCE_COUNT)));
    LS_PASS(time_steps(self, 1, NULL, rate));
    LS_PASS(steps_for(self, window_s, *rate, &count));
    for (size_t turn = 0; count > 1 && turn < 2; turn++) LS_PASS(time_steps(self, WARM_UP_STEPS, NULL, rate));
  }
  return LS_OK;
}

/* How many windows of a step at least fit into the time for them: rank 0's guess. Collective. */
static ls_status windows_for(bench *self, double seconds, double rate, size_t *count)
{
  const double windows = seconds * rate / (double)self->options->spec->train.batch;
  *count = windows < LS_BENCH_WINDOWS ? (size_t)fmax(windows, 1.0) : LS_BENCH_WINDOWS;
  return ls_comm_broadcast(self->options->comm, count, sizeof *count);
}

/* Medians and extremes; sorts the windows. */
static void evaluate(const bench *self, measured *seen, size_t count, ls_bench_result *result)
{
  const double batch = (double)self->options->spec->train.batch;
  double *own = seen->rates[self->options->spec->train.allreduce];
  for (size_t way = 0; way < LS_ALLREDUCE_COUNT; way++)
    result->ways[way] = (ls_bench_way){.step_s = batch / ls_quantile(seen->rates[way], count, 0.5),
                                       .reduction_s = ls_quantile(seen->reductions_s[way], count, 0.5)};
  result->samples_per_second = ls_quantile(own, count, 0.5);
  result->slowest = own[0];
  result->fastest = own[count - 1];
  result->step_seconds = batch / result->samples_per_second;
  result->gflops = result->samples_per_second * self->flops * 1e-9;
  result->sgemm_gflops = ls_quantile(seen->products, count, 0.5);
  result->sgemm_slowest = seen->products[0];
  result->sgemm_fastest = seen->products[count - 1];
}

static ls_status measure(bench *self, ls_bench_result *result)
{
  const double seconds = self->options->seconds, steps_s = seconds * (1.0 - PRODUCT_SHARE - PROFILE_SHARE);
  const double way_s = steps_s / LS_ALLREDUCE_COUNT;
  double rate;
  measured seen;
  size_t n, count, steps;
  LS_PASS(choose_products(self, &n));
  LS_PASS(warm_up(self, way_s / LS_BENCH_WINDOWS, &rate));
  LS_PASS(windows_for(self, way_s, rate, &count));
  LS_PASS(steps_for(self, way_s / (double)count, rate, &steps));
  LS_AGREE(self->options->comm, ls_alloc(&self->reductions_s, steps, sizeof(double), "measured times"));
  for (size_t w = 0; w < count; w++) {
    for (size_t way = 0; way < LS_ALLREDUCE_COUNT; way++)
      LS_PASS(time_window(self, way, steps, &seen.rates[way][w], &seen.reductions_s[way][w]));
    LS_PASS(time_products(self, n, seconds * PRODUCT_SHARE / (double)count, &seen.products[w]));
  }
  evaluate(self, &seen, count, result);
  return LS_OK;
}

static ls_status profile(bench *self, ls_bench_result *result)
{
  uint64_t samples;
  LS_PASS(steps_for(self, self->options->seconds * PROFILE_SHARE, result->samples_per_second,
                    &result->profiled_steps));
  LS_AGREE(self->options->comm,
           ls_step_profile_init(&result->step_profile, self->options->model, self->options->threads));
  LS_PASS(ls_stepper_reduce_by(self->stepper, (ls_allreduce)self->options->spec->train.allreduce));
  const double started_s = ls_clock_s();
  LS_PASS(take_steps(self, result->profiled_steps, &result->step_profile, NULL, &samples));
  result->profiled_seconds = ls_clock_s() - started_s;
  return LS_OK;
}

ls_status ls_bench(const ls_bench_options *options, ls_bench_result *result)
{
  bench self = {.options = options};
  ls_status status;
  *result = (ls_bench_result){.profiled_steps = 0};
  LS_GO(build(&self));
  LS_GO(measure(&self, result));
  LS_GO(profile(&self, result));
done:
  free_products(&self);
  free(self.reductions_s);
  if (status == LS_E_COMM) return status; /* a collective call would hang: main() ends the job */
  ls_stepper_free(self.stepper);
  return status;
}

void ls_bench_result_fini(ls_bench_result *result)
{
  ls_step_profile_fini(&result->step_profile);
}
