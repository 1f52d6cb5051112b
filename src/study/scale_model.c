/* SPDX-License-Identifier: BSD-3-Clause */
/* The bootstrap gives the error bars: every measurement's windows are drawn anew, with replacement, and the
 * model is fitted again.
 *
 * Source: Efron: "Bootstrap methods: another look at the jackknife", Annals of Statistics 7(1), 1979. */
#include "study/scale_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "base/size.h"
#include "base/quantile.h"

enum { REPLICATES = 200, MOST_ROWS = 512 };

/* ---- the formulas ---- */

/* Expected largest of `count` normal deviates: Blom, "Statistical estimates and transformed beta-variables",
 * 1958. The quantile by bisection. */
static double expected_largest(size_t count)
{
  if (count < 2) return 0.0;
  const double share = ((double)count - 0.375) / ((double)count + 0.25);
  double low = 0.0, high = 8.0;
  for (int i = 0; i < 40; i++) {
    const double x = (low + high) / 2.0;
    *(0.5 * erfc(-x / sqrt(2.0)) < share ? &low : &high) = x;
  }
  return low;
}

/* Samples that the thread with most of them carries. */
static double thread_samples(const ls_scale_model *model, size_t ranks, size_t batch)
{
  const size_t microbatches = ls_size_ceil_div(batch, model->microbatch);
  const size_t most = ls_size_ceil_div(ls_size_ceil_div(microbatches, ranks), model->threads);
  return (double)ls_size_min(most * model->microbatch, batch);
}

static ls_squares_row sum_row(size_t ranks, size_t hosts, size_t elements)
{
  const double r = (double)ls_size_ceil_div(ranks, hosts), h = (double)hosts, n = (double)elements;
  return (ls_squares_row){.x = {1.0, n, log2(r), n * (1.0 - 1.0 / r), log2(h), n * 2.0 * (h - 1.0) / h}};
}

static double sum_seconds(const ls_scale_model *model, size_t ranks, size_t hosts)
{
  const ls_squares_row row = sum_row(ranks, hosts, model->elements);
  return ls_squares_value(model->sum_s, row.x);
}

size_t ls_scale_hosts(const ls_scale_model *model, size_t ranks)
{
  if (model->hosts == 1) return 1;
  return ls_size_ceil_div(ranks, ls_size_ceil_div(model->ranks, model->hosts));
}

ls_scale_times ls_scale_predict(const ls_scale_model *model, size_t ranks, size_t batch)
{
  ls_scale_times times;
  double *parts = times.parts;
  parts[LS_SCALE_COMPUTE] = model->step_s + model->sample_s * thread_samples(model, ranks, batch);
  parts[LS_SCALE_WAITING] =
      expected_largest(ranks) * (model->noise_s + model->spread * parts[LS_SCALE_COMPUTE]);
  parts[LS_SCALE_UPDATE] = model->update_s;
  double offset_s = ranks > 1 ? model->offset_s : 0.0;
  if (offset_s < 0.0 && model->offset_compute_s > 0.0)
    offset_s *= fmin(1.0, parts[LS_SCALE_COMPUTE] / model->offset_compute_s);
  parts[LS_SCALE_ALLREDUCE] = fmax(0.0, sum_seconds(model, ranks, ls_scale_hosts(model, ranks)) + offset_s);
  parts[LS_SCALE_STEP] = 0.0;
  for (size_t p = LS_SCALE_STEP + 1; p < LS_SCALE_PARTS; p++) parts[LS_SCALE_STEP] += parts[p];
  return times;
}

double ls_scale_efficiency(const ls_scale_model *model, ls_scale_mode mode, size_t ranks, size_t batch)
{
  const bool is_weak = mode == LS_SCALE_WEAK;
  const double one_s = ls_scale_predict(model, 1, batch).parts[LS_SCALE_STEP] * model->single;
  const double all_s = ls_scale_predict(model, ranks, is_weak ? batch * ranks : batch).parts[LS_SCALE_STEP];
  if (ranks == 1) return 1.0;
  return one_s / (all_s * (is_weak ? 1.0 : (double)ranks));
}

size_t ls_scale_limit(const ls_scale_model *model, ls_scale_mode mode, size_t batch, double least)
{
  size_t ranks = 1;
  while (ranks < LS_SCALE_MOST_RANKS && ls_scale_efficiency(model, mode, 2 * ranks, batch) >= least)
    ranks *= 2;
  return ranks;
}

/* ---- fitting ---- */

/* The largest measurement: of all ranks, and of the steps that were asked for. */
static const ls_scale_point *largest_point(const ls_scale_data *data, size_t threads)
{
  const ls_scale_point *best = NULL;
  for (size_t i = 0; i < data->point_count; i++) {
    const ls_scale_point *point = &data->points[i];
    if (point->threads != threads || point->mode == LS_SCALE_PROBE) continue;
    if (!best || point->ranks > best->ranks) best = point;
  }
  return best;
}

/* Do all threads of all ranks have the same to do? */
static bool is_even(const ls_scale_model *model, const ls_scale_point *point)
{
  return point->threads == model->threads &&
         point->batch % (point->ranks * point->threads * model->microbatch) == 0;
}

/* Of all ranks at once: alone on its host, a rank may be faster. */
static void fit_compute(ls_scale_model *model, const ls_scale_data *data)
{
  ls_squares_row rows[MOST_ROWS];
  double coefficients[LS_SQUARES_COLUMNS], updates[MOST_ROWS];
  size_t count = 0, update_count = 0;
  for (size_t i = 0; i < data->point_count && count < MOST_ROWS; i++) {
    const ls_scale_point *point = &data->points[i];
    if (point->ranks != model->ranks || point->threads != model->threads) continue;
    updates[update_count++] = ls_scale_median(point->seconds[LS_SCALE_UPDATE]);
    if (!is_even(model, point)) continue;
    const double compute_s = ls_scale_median(point->seconds[LS_SCALE_COMPUTE]);
    rows[count++] = (ls_squares_row){
        .x = {1.0, thread_samples(model, point->ranks, point->batch)}, .y = compute_s, .scale = compute_s};
  }
  ls_squares_fit(rows, count, coefficients);
  model->step_s = coefficients[0];
  model->sample_s = coefficients[1];
  model->update_s = ls_quantile(updates, update_count, 0.5);
}

/* Waiting on all numbers of ranks, where the ranks have the same to do. */
static void fit_waiting(ls_scale_model *model, const ls_scale_data *data)
{
  ls_squares_row rows[MOST_ROWS];
  double coefficients[LS_SQUARES_COLUMNS];
  size_t count = 0;
  for (size_t i = 0; i < data->point_count && count < MOST_ROWS; i++) {
    const ls_scale_point *point = &data->points[i];
    if (point->ranks < 2 || !is_even(model, point)) continue;
    const double g = expected_largest(point->ranks);
    const double compute_s = ls_scale_median(point->seconds[LS_SCALE_COMPUTE]);
    rows[count++] = (ls_squares_row){
        .x = {g, g * compute_s}, .y = ls_scale_median(point->seconds[LS_SCALE_WAITING]), .scale = compute_s};
  }
  ls_squares_fit(rows, count, coefficients);
  model->noise_s = coefficients[0];
  model->spread = coefficients[1];
}

static void fit_sum(ls_scale_model *model, const ls_scale_data *data)
{
  ls_squares_row rows[MOST_ROWS];
  size_t count = 0;
  for (size_t i = 0; i < data->sum_count && count < MOST_ROWS; i++) {
    const ls_scale_sum *sum = &data->sums[i];
    if (sum->threads != model->threads) continue;
    rows[count] = sum_row(sum->ranks, sum->hosts, sum->elements);
    rows[count].y = ls_scale_median(sum->seconds);
    rows[count].scale = rows[count].y;
    count++;
  }
  ls_squares_fit(rows, count, model->sum_s);
}

/* The offset of a step beyond the parts that were fitted apart, and the misfit of the whole model. */
static void fit_steps(ls_scale_model *model, const ls_scale_data *data, const ls_scale_point *largest)
{
  double squares = 0.0;
  size_t count = 0;
  model->offset_compute_s = ls_scale_median(largest->seconds[LS_SCALE_COMPUTE]);
  model->offset_s = ls_scale_median(largest->seconds[LS_SCALE_ALLREDUCE]) -
                    sum_seconds(model, largest->ranks, largest->hosts);
  model->single = 1.0;
  for (size_t i = 0; i < data->point_count; i++) {
    const ls_scale_point *point = &data->points[i];
    if (point->threads != model->threads || point->mode == LS_SCALE_PROBE) continue;
    const double ratio = ls_scale_median(point->seconds[LS_SCALE_STEP]) /
                         ls_scale_predict(model, point->ranks, point->batch).parts[LS_SCALE_STEP];
    if (point->ranks == 1) model->single = ratio;
    if (point->ranks == 1) continue;
    squares += (ratio - 1.0) * (ratio - 1.0);
    count++;
  }
  model->misfit = count > 0 ? sqrt(squares / (double)count) : 0.0;
}

void ls_scale_fit(ls_scale_model *model, const ls_scale_data *data, size_t threads)
{
  const ls_scale_point *largest = largest_point(data, threads);
  *model = (ls_scale_model){.threads = threads,
                            .microbatch = data->microbatch,
                            .elements = data->elements,
                            .ranks = largest->ranks,
                            .hosts = largest->hosts};
  fit_compute(model, data);
  fit_waiting(model, data);
  fit_sum(model, data);
  fit_steps(model, data, largest);
}

/* ---- error bars ---- */

/* Draw the windows of every measurement anew; a step's parts stay together. */
static void resample(const ls_scale_data *from, ls_scale_data *to, uint64_t replicate)
{
  for (size_t i = 0; i < from->point_count + from->sum_count; i++) {
    const ls_rng rng = ls_rng_stream(1, LS_RNG_BOOTSTRAP, replicate, i);
    for (uint32_t w = 0; w < LS_SCALE_WINDOWS; w++) {
      uint32_t words[4];
      ls_rng_block(&rng, w, words);
      const size_t drawn = words[0] % LS_SCALE_WINDOWS;
      if (i >= from->point_count)
        to->sums[i - from->point_count].seconds[w] = from->sums[i - from->point_count].seconds[drawn];
      for (size_t p = 0; i < from->point_count && p < LS_SCALE_PARTS; p++)
        to->points[i].seconds[p][w] = from->points[i].seconds[p][drawn];
    }
  }
}

static size_t batch_of(const ls_scale_prediction *prediction, size_t batch)
{
  return prediction->mode == LS_SCALE_WEAK ? batch * prediction->ranks : batch;
}

/* Of one rank alone as it was measured: its host is not full. */
static ls_scale_times predict_alone_too(const ls_scale_model *model, const ls_scale_prediction *prediction)
{
  ls_scale_times times = ls_scale_predict(model, prediction->ranks, prediction->batch);
  for (size_t p = 0; prediction->ranks == 1 && p < LS_SCALE_PARTS; p++) times.parts[p] *= model->single;
  return times;
}

/* Predict again and again. steps: [predictions][REPLICATES] */
static ls_status replicate(const ls_scale_data *data, const ls_scale_prediction out[LS_SCALE_PREDICTIONS],
                           double (*steps)[REPLICATES])
{
  ls_scale_data copy = *data;
  ls_status status;
  copy.points = NULL;
  copy.sums = NULL;
  LS_GO(ls_alloc(&copy.points, data->point_count, sizeof *copy.points, "error bars"));
  LS_GO(ls_alloc(&copy.sums, data->sum_count, sizeof *copy.sums, "error bars"));
  memcpy(copy.points, data->points, data->point_count * sizeof *copy.points);
  memcpy(copy.sums, data->sums, data->sum_count * sizeof *copy.sums);
  for (size_t r = 0; r < REPLICATES; r++) {
    ls_scale_model model;
    resample(data, &copy, r);
    ls_scale_fit(&model, &copy, out[0].threads);
    for (size_t i = 0; i < LS_SCALE_PREDICTIONS; i++)
      steps[i][r] = predict_alone_too(&model, &out[i]).parts[LS_SCALE_STEP];
  }
done:
  free(copy.points);
  free(copy.sums);
  return status;
}

/* The error bar: of the measurements, and of the model. */
static void set_bar(ls_scale_prediction *out, double steps[REPLICATES], double misfit)
{
  const double step_s = out->times.parts[LS_SCALE_STEP];
  const double below = step_s - ls_quantile(steps, REPLICATES, 0.05);
  const double above = ls_quantile(steps, REPLICATES, 0.95) - step_s;
  out->low_s = fmax(0.0, step_s - hypot(fmax(0.0, below), misfit * step_s));
  out->high_s = step_s + hypot(fmax(0.0, above), misfit * step_s);
}

ls_status ls_scale_predict_all(const ls_scale_data *data, const ls_scale_model *model, ls_scale_mode mode,
                               size_t batch, ls_scale_prediction out[LS_SCALE_PREDICTIONS])
{
  double(*steps)[REPLICATES] = NULL;
  ls_status status;
  for (size_t i = 0; i < LS_SCALE_PREDICTIONS; i++) {
    ls_scale_prediction *p = &out[i];
    *p = (ls_scale_prediction){.mode = mode, .ranks = (size_t)1 << i, .threads = model->threads};
    p->hosts = ls_scale_hosts(model, p->ranks);
    p->batch = batch_of(p, batch);
    p->times = predict_alone_too(model, p);
    p->efficiency = ls_scale_efficiency(model, mode, p->ranks, batch);
  }
  LS_GO(ls_alloc(&steps, LS_SCALE_PREDICTIONS, sizeof *steps, "error bars"));
  LS_GO(replicate(data, out, steps));
  for (size_t i = 0; i < LS_SCALE_PREDICTIONS; i++) set_bar(&out[i], steps[i], model->misfit);
done:
  free(steps);
  return status;
}

/* ---- ensembles ---- */

ls_scale_split ls_scale_split_best(const ls_scale_model *model, size_t ranks, size_t members, size_t batch)
{
  ls_scale_split best = {.groups = 1, .group_ranks = ranks, .turns = members, .gain = 1.0};
  const double alone_s = (double)members * ls_scale_predict(model, ranks, batch).parts[LS_SCALE_STEP];
  for (size_t groups = 2; groups <= ls_size_min(ranks, members); groups++) {
    const size_t turns = ls_size_ceil_div(members, groups);
    const double all_s = (double)turns * ls_scale_predict(model, ranks / groups, batch).parts[LS_SCALE_STEP];
    if (alone_s / all_s <= best.gain) continue;
    best = (ls_scale_split){groups, ranks / groups, turns, alone_s / all_s};
  }
  return best;
}
