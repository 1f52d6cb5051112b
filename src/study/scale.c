/* SPDX-License-Identifier: BSD-3-Clause */
/* Each number of ranks has a communicator of its own, whose ranks take training's steps; its rank 0 is that
 * of the job. Steps that are not of a whole batch do not count, nor does the exchange between epochs. */
#include "study/scale.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/size.h"
#include "comm/groups.h"
#include "comm/team.h"
#include "base/quantile.h"
#include "study/stepper.h"
#include "train/sums/sums.h"

enum {
  WARM_UP_STEPS = 3,
  LEAST_STEPS = 3, /* of a window */
  MOST_STEPS = 300,
  PROBES = 3,
  SIZES = 6,
  MOST_REPEATS = 1000
};

static const double SUM_SHARE = 0.3;                                        /* of the time for measuring */
static const size_t probe_microbatches[PROBES] = {1, 2, 4};                 /* of a thread */
static const double size_shares[SIZES] = {0.015625, 0.0625, 0.25, 1, 2, 4}; /* of the gradient */

/* A number of ranks. */
typedef struct level {
  const ls_scale_options *options;
  ls_scale_data *data;
  ls_comm *comm; /* of these ranks */
  size_t ranks, hosts, threads;
  bool is_last, is_first_threads;
} level;

double ls_scale_median(const double windows[LS_SCALE_WINDOWS])
{
  double sorted[LS_SCALE_WINDOWS];
  memcpy(sorted, windows, sizeof sorted);
  return ls_quantile(sorted, LS_SCALE_WINDOWS, 0.5);
}

/* ---- steps ---- */

/* Steps of a window. Rank 0's guess. Collective. */
static ls_status choose_count(const level *self, double seconds, double step_s, size_t most, size_t *count)
{
  const double fitting = seconds / (LS_SCALE_WINDOWS * step_s);
  *count = fitting < (double)most ? (size_t)fitting : most;
  if (most > 1) *count = ls_size_max(*count, LEAST_STEPS);
  return ls_comm_broadcast(self->comm, count, sizeof *count);
}

/* `count` steps of a whole batch. Collective. */
static ls_status take_steps(ls_stepper *stepper, size_t batch, ls_step_times *notes, size_t count)
{
  for (size_t i = 0; i < count;) {
    ls_step_result result;
    LS_PASS(ls_stepper_take(stepper, NULL, &result));
    notes[i] = result.times;
    i += result.samples == batch;
  }
  return LS_OK;
}

static double step_seconds(const ls_step_times *times)
{
  return times->compute_s + times->reduction_s + times->update_s;
}

/* The parts of a step from the notes of its ranks: [ranks], `stride` apart. */
static void divide_step(const ls_step_times *notes, size_t ranks, size_t stride, double parts[LS_SCALE_PARTS])
{
  double least_s = notes[0].reduction_s, reduction_s = 0.0;
  memset(parts, 0, LS_SCALE_PARTS * sizeof *parts);
  parts[LS_SCALE_STEP] = step_seconds(&notes[0]);
  for (size_t r = 0; r < ranks; r++) {
    const ls_step_times *times = &notes[r * stride];
    parts[LS_SCALE_COMPUTE] += times->compute_s / (double)ranks;
    parts[LS_SCALE_UPDATE] += times->update_s / (double)ranks;
    reduction_s += times->reduction_s / (double)ranks;
    least_s = fmin(least_s, times->reduction_s);
  }
  parts[LS_SCALE_ALLREDUCE] = least_s;
  parts[LS_SCALE_WAITING] = reduction_s - least_s;
}

/* Rank 0. all: [ranks][windows * count] */
static void fill_point(ls_scale_point *point, const ls_step_times *all, size_t count)
{
  double parts[LS_SCALE_PARTS], window[LS_SCALE_PARTS][MOST_STEPS];
  for (size_t w = 0; w < LS_SCALE_WINDOWS; w++) {
    for (size_t i = 0; i < count; i++) {
      divide_step(all + w * count + i, point->ranks, LS_SCALE_WINDOWS * count, parts);
      for (size_t p = 0; p < LS_SCALE_PARTS; p++) window[p][i] = parts[p];
    }
    for (size_t p = 0; p < LS_SCALE_PARTS; p++) point->seconds[p][w] = ls_quantile(window[p], count, 0.5);
  }
}

/* Gather the ranks' notes into the point, and find the slow ranks. Collective. */
static ls_status evaluate(const level *self, ls_scale_point *point, const ls_step_times *notes, size_t count)
{
  const size_t steps = LS_SCALE_WINDOWS * count;
  ls_step_times *all = NULL;
  ls_step_times sum = {.compute_s = 0.0};
  ls_status status;
  LS_GO(ls_comm_agree(self->comm, ls_comm_rank(self->comm) == 0
                                      ? ls_alloc(&all, self->ranks * steps, sizeof *all, "measured times")
                                      : LS_OK));
  LS_GO(ls_comm_gather(self->comm, notes, steps * sizeof *notes, all));
  if (all) fill_point(point, all, count);
  if (!self->is_last || !self->is_first_threads || point->mode == LS_SCALE_PROBE) goto done;
  for (size_t i = 0; i < steps; i++) ls_step_times_add(&sum, &notes[i]);
  ls_balance_fini(&self->data->balance);
  LS_GO(ls_balance_gather(&self->data->balance, self->comm, &sum, steps));
done:
  free(all);
  return status;
}

static ls_status measure_steps(const level *self, ls_stepper *stepper, ls_scale_point *point)
{
  ls_step_times warm_up[WARM_UP_STEPS], *notes = NULL;
  size_t count;
  double sorted[WARM_UP_STEPS];
  ls_status status;
  LS_GO(take_steps(stepper, point->batch, warm_up, WARM_UP_STEPS));
  LS_GO(take_steps(stepper, point->batch, warm_up, WARM_UP_STEPS));
  for (size_t i = 0; i < WARM_UP_STEPS; i++) sorted[i] = step_seconds(&warm_up[i]);
  const double step_s = ls_quantile(sorted, WARM_UP_STEPS, 0.5);
  LS_GO(choose_count(self, self->options->seconds * (1.0 - SUM_SHARE), step_s, MOST_STEPS, &count));
  point->steps = LS_SCALE_WINDOWS * count;
  LS_GO(ls_comm_agree(self->comm, ls_alloc(&notes, point->steps, sizeof *notes, "measured times")));
  LS_GO(take_steps(stepper, point->batch, notes, point->steps));
  LS_GO(evaluate(self, point, notes, count));
done:
  free(notes);
  return status;
}

/* Steps of a global batch, unless it is a probe for which there are not enough samples. Collective. */
static ls_status measure_point(const level *self, ls_scale_mode mode, size_t batch)
{
  ls_scale_data *data = self->data;
  ls_scale_point *point = &data->points[data->point_count];
  const ls_stepper_options options = {.comm = self->comm,
                                      .spec = self->options->spec,
                                      .source = self->options->source,
                                      .model = self->options->model,
                                      .batch = batch,
                                      .threads = self->threads};
  ls_stepper *stepper;
  ls_status status = LS_OK;
  LS_PASS(ls_stepper_new(&stepper, &options));
  *point = (ls_scale_point){
      .mode = mode, .ranks = self->ranks, .hosts = self->hosts, .threads = self->threads, .batch = batch};
  const size_t samples = ls_stepper_train_count(stepper);
  if (samples >= batch) {
    status = measure_steps(self, stepper, point);
    data->point_count++;
  } else if (mode != LS_SCALE_PROBE) {
    status =
        ls_fail(LS_E_INPUT,
                "a batch of %zu for %zu ranks is more than the %zu samples to train on; lower train.batch",
                batch, self->ranks, samples);
  }
  if (status == LS_E_COMM) return status;
  ls_stepper_free(stepper);
  return status;
}

static ls_status measure_points(const level *self)
{
  const ls_scale_options *options = self->options;
  ls_scale_data *data = self->data;
  const size_t batch = options->spec->train.batch;
  if (options->modes[LS_SCALE_STRONG]) LS_PASS(measure_point(self, LS_SCALE_STRONG, batch));
  if (options->modes[LS_SCALE_WEAK] && options->modes[LS_SCALE_STRONG] && self->ranks == 1) {
    data->points[data->point_count] = data->points[data->point_count - 1];
    data->points[data->point_count++].mode = LS_SCALE_WEAK; /* of one rank they are the same */
  } else if (options->modes[LS_SCALE_WEAK]) {
    LS_PASS(measure_point(self, LS_SCALE_WEAK, batch * self->ranks));
  }
  const size_t least = self->ranks * self->threads * data->microbatch;
  for (size_t i = 0; self->is_last && i < PROBES; i++)
    LS_PASS(measure_point(self, LS_SCALE_PROBE, least * probe_microbatches[i]));
  return LS_OK;
}

/* ---- sums ---- */

static void take_no_part(void *user, size_t part)
{
  ls_sums *sums = user;
  ls_sums_next(sums, part);
  ls_sums_finish(sums, part);
}

/* Collective. */
static ls_status repeat_sum(ls_sums *sums, size_t threads, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    ls_sums_begin(sums, 1);
    ls_team_run(threads, take_no_part, sums);
    LS_PASS(ls_sums_reduce(sums));
  }
  return LS_OK;
}

static ls_status time_sum(const level *self, ls_sums *sums, size_t count, double *seconds)
{
  LS_PASS(ls_comm_barrier(self->comm));
  const double started_s = ls_clock_s();
  LS_PASS(repeat_sum(sums, self->threads, count));
  *seconds = (ls_clock_s() - started_s) / (double)count;
  return LS_OK;
}

static ls_status time_sums(const level *self, ls_sums *sums, ls_scale_sum *out)
{
  double once_s;
  size_t count;
  LS_PASS(time_sum(self, sums, WARM_UP_STEPS, &once_s));
  LS_PASS(choose_count(self, self->options->seconds * SUM_SHARE / SIZES, once_s, MOST_REPEATS, &count));
  for (size_t w = 0; w < LS_SCALE_WINDOWS; w++) LS_PASS(time_sum(self, sums, count, &out->seconds[w]));
  return LS_OK;
}

/* Sums of vectors of several lengths, by the code that training uses. Collective. */
static ls_status measure_sums(const level *self)
{
  const ls_spec_train *train = &self->options->spec->train;
  ls_scale_data *data = self->data;
  for (size_t i = 0; i < SIZES; i++) {
    const size_t elements = ls_size_max((size_t)(size_shares[i] * (double)data->elements), 1);
    const ls_sums_options options = ls_sums_options_of(
        train, self->comm, &(ls_sums_shape){elements, 0, self->threads, self->ranks * self->threads});
    ls_sums *sums;
    LS_PASS(ls_sums_new(&sums, &options));
    ls_scale_sum *out = &data->sums[data->sum_count++];
    *out = (ls_scale_sum){
        .ranks = self->ranks, .hosts = self->hosts, .threads = self->threads, .elements = elements};
    const ls_status status = time_sums(self, sums, out);
    if (status == LS_E_COMM) return status;
    ls_sums_free(sums);
    LS_PASS(status);
  }
  return LS_OK;
}

/* ---- the whole ---- */

/* Collective over all ranks: those that are not among the first rest. */
static ls_status measure_level(level *self)
{
  ls_comm *all = self->options->comm;
  ls_status status = LS_OK;
  LS_PASS(ls_comm_first(&self->comm, all, self->ranks, &self->hosts));
  if (self->comm) status = measure_points(self);
  if (self->comm && status == LS_OK) status = measure_sums(self);
  if (status == LS_E_COMM) return status;
  ls_comm_close(self->comm);
  LS_PASS(ls_comm_rest(all));
  return ls_comm_agree(all, status);
}

static size_t count_levels(size_t ranks)
{
  size_t levels = 1;
  for (size_t r = 1; r < ranks; r *= 2) levels++;
  return levels;
}

/* Can a rank have each number of threads? Checked before anything is measured. Local. */
static ls_status check_teams(const ls_scale_options *options)
{
  for (size_t t = 0; t < options->thread_count; t++)
    LS_TRY(ls_team_check(options->threads[t]), "measuring %zu threads", options->threads[t]);
  return LS_OK;
}

static ls_status make_room(const ls_scale_options *options, ls_scale_data *data)
{
  const size_t ladders = count_levels((size_t)ls_comm_size(options->comm)) * options->thread_count;
  LS_PASS(ls_alloc(&data->points, (LS_SCALE_MODES + PROBES) * ladders, sizeof *data->points, "measurements"));
  return ls_alloc(&data->sums, SIZES * ladders, sizeof *data->sums, "measurements");
}

ls_status ls_scale_measure(const ls_scale_options *options, ls_scale_data *data)
{
  const size_t ranks = (size_t)ls_comm_size(options->comm);
  const ls_model_counts *counts = ls_model_count(options->model);
  *data = (ls_scale_data){.microbatch = options->spec->train.microbatch,
                          .elements = counts->grads + counts->buffers};
  LS_AGREE(options->comm, check_teams(options));
  LS_AGREE(options->comm, make_room(options, data));
  for (size_t t = 0; t < options->thread_count; t++)
    for (size_t r = 1, last = 0; !last; r *= 2) {
      last = r >= ranks;
      level self = {.options = options,
                    .data = data,
                    .ranks = ls_size_min(r, ranks),
                    .threads = options->threads[t],
                    .is_last = last,
                    .is_first_threads = t == 0};
      LS_PASS(measure_level(&self));
    }
  return LS_OK;
}

void ls_scale_data_fini(ls_scale_data *data)
{
  free(data->points);
  free(data->sums);
  ls_balance_fini(&data->balance);
}
