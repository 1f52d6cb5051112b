/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables for people. */
#include "cli/scale/report.h"

#include <math.h>

#include "base/show.h"
#include "base/size.h"

const char *const ls_scale_mode_words[LS_SCALE_MODES] = {
    [LS_SCALE_STRONG] = "strong", [LS_SCALE_WEAK] = "weak"};

static const double GOOD_EFFICIENCY = 0.8;
static const double DOUBTFUL = 0.3; /* a model that is further off where it was measured */

enum { BATCHES = 7, MEMBER_COUNTS = 4, JOB_SIZES = 4 };
static const size_t member_counts[MEMBER_COUNTS] = {2, 4, 8, 16};

bool ls_scale_is_doubtful(const ls_scale_model *model)
{
  return !(model->misfit <= DOUBTFUL);
}

static double step_seconds(const ls_scale_point *point)
{
  return ls_scale_median(point->seconds[LS_SCALE_STEP]);
}

/* Samples per second of the median window, the slowest and the fastest. */
static void find_rates(const ls_scale_point *point, double *median, double *slowest, double *fastest)
{
  const double *steps = point->seconds[LS_SCALE_STEP];
  double low = steps[0], high = steps[0];
  for (size_t w = 1; w < LS_SCALE_WINDOWS; w++) {
    low = fmin(low, steps[w]);
    high = fmax(high, steps[w]);
  }
  *median = (double)point->batch / step_seconds(point);
  *slowest = (double)point->batch / high;
  *fastest = (double)point->batch / low;
}

double ls_scale_speedup(const ls_scale_data *data, const ls_scale_point *point)
{
  for (size_t i = 0; i < data->point_count; i++) {
    const ls_scale_point *one = &data->points[i];
    if (one->mode == point->mode && one->threads == point->threads && one->ranks == 1)
      return (double)point->batch / step_seconds(point) / ((double)one->batch / step_seconds(one));
  }
  return NAN;
}

static void add_point(const ls_scale_data *data, const ls_scale_point *point, ls_text *text)
{
  double rate, slowest, fastest;
  const double speedup = ls_scale_speedup(data, point);
  find_rates(point, &rate, &slowest, &fastest);
  ls_text_add(text, "%6zu %6zu %8zu %10.0f %10.0f - %-10.0f %7.2f %8.1f %%", point->ranks, point->hosts,
              point->threads, rate, slowest, fastest, speedup, 100.0 * speedup / (double)point->ranks);
  for (size_t p = LS_SCALE_COMPUTE; p < LS_SCALE_PARTS; p++)
    ls_text_add(text, " %9.3f", 1e3 * ls_scale_median(point->seconds[p]));
  ls_text_add(text, "\n");
}

static void add_measured(const ls_scale_report *report, ls_scale_mode mode, ls_text *text)
{
  const ls_scale_data *data = report->data;
  ls_text_add(text, "\n%s scaling: %zu samples a %s\n", ls_scale_mode_words[mode],
              report->options->spec->train.batch, mode == LS_SCALE_STRONG ? "step" : "rank and step");
  ls_text_add(text, "%84s milliseconds of a step\n", "");
  ls_text_add(text, "%6s %6s %8s %10s %-23s %7s %10s %9s %9s %9s %9s\n", "ranks", "hosts", "threads",
              "samples/s", "  slowest - fastest", "speedup", "efficiency", "compute", "waiting", "allreduce",
              "update");
  for (size_t i = 0; i < data->point_count; i++)
    if (data->points[i].mode == mode) add_point(data, &data->points[i], text);
}

static void add_straggler(const ls_scale_report *report, ls_text *text)
{
  const ls_straggler *slowest = report->straggler;
  const ls_balance *balance = &report->data->balance;
  const double steps = (double)balance->steps;
  if (!slowest->is_marked) return;
  ls_text_show(
      text,
      "\nstraggler: rank %zu on %s takes %.2f ms to compute a step, %.2f times as long as the median of the "
      "others, which wait %.2f ms a step for it\n",
      slowest->rank, balance->loads[slowest->rank].host, 1e3 * slowest->busy_s / steps, slowest->ratio,
      1e3 * slowest->waited_s / steps);
}

/* Bytes of an element between hosts. */
static double wire_bytes(const ls_spec_train *train)
{
  if (train->reduction == LS_REDUCTION_EXACT || train->allreduce == LS_ALLREDUCE_MPI) return 8.0;
  return train->allreduce_dtype == LS_DTYPE_BFLOAT16 ? 2.0 : 4.0;
}

static void add_model(const ls_scale_report *report, ls_text *text)
{
  const ls_scale_model *model = &report->models[report->best];
  ls_text_add(text,
              "\nmodel, %zu thread%s a rank: %.3f ms a step and %.2f us a sample to compute, spread %.2f ms "
              "and %.1f %%",
              model->threads, ls_plural(model->threads), 1e3 * model->step_s, 1e6 * model->sample_s,
              1e3 * model->noise_s, 100.0 * model->spread);
  if (model->hosts > 1) {
    ls_text_add(text, "; between hosts %.0f us", 1e6 * model->sum_s[4]);
    if (model->sum_s[5] > 0.0)
      ls_text_add(text, " and %.1f MB/s", 1e-6 * wire_bytes(&report->options->spec->train) / model->sum_s[5]);
  }
  ls_text_add(text, "; off by %.1f %% where it was measured\n", 100.0 * model->misfit);
  if (ls_scale_is_doubtful(model))
    ls_text_add(text,
                "that is too much noise to predict by: measure again without other work on these cores\n");
  else if (model->hosts == 1)
    ls_text_add(text, "one host: what a network costs is not known, the prediction is of a larger host\n");
}

static void add_predicted(const ls_scale_report *report, ls_scale_mode mode, ls_text *text)
{
  const ls_scale_prediction *rows = report->predictions[report->best][mode];
  ls_text_add(text, "\npredicted, %s scaling: %6s %6s %10s %-24s %10s\n", ls_scale_mode_words[mode], "ranks",
              "hosts", "ms a step", "    5 % - 95 %", "efficiency");
  for (size_t i = 0; i < LS_SCALE_PREDICTIONS; i++)
    ls_text_add(text, "%30zu %6zu %10.3f %10.3f - %-11.3f %8.1f %%\n", rows[i].ranks, rows[i].hosts,
                1e3 * rows[i].times.parts[LS_SCALE_STEP], 1e3 * rows[i].low_s, 1e3 * rows[i].high_s,
                100.0 * rows[i].efficiency);
}

static void add_limit(const ls_scale_model *model, ls_scale_mode mode, size_t batch, ls_text *text)
{
  const size_t ranks = ls_scale_limit(model, mode, batch, GOOD_EFFICIENCY);
  ls_text_add(text, "%6zu rank%s with ", ranks, ls_plural(ranks));
  ls_text_add(text, mode == LS_SCALE_STRONG ? "train.batch=%zu\n" : "a batch of %zu for each\n", batch);
}

/* The largest batch and number of ranks with a good efficiency. */
static void add_limits(const ls_scale_report *report, ls_text *text)
{
  const ls_scale_model *model = &report->models[report->best];
  const size_t batch = report->options->spec->train.batch;
  ls_text_add(text, "\nabove 80 %% efficiency up to\n");
  for (size_t i = 0; i < BATCHES; i++) add_limit(model, LS_SCALE_STRONG, batch << i, text);
  add_limit(model, LS_SCALE_WEAK, batch, text);
}

static void add_splits(const ls_scale_report *report, ls_text *text)
{
  const ls_scale_model *model = &report->models[report->best];
  const size_t sizes[JOB_SIZES] = {model->ranks, 16, 64, 256};
  ls_text_add(
      text,
      "\nensembles: best split, groups x ranks of a group (speed against one member after the other)\n");
  ls_text_add(text, "%6s", "ranks");
  for (size_t m = 0; m < MEMBER_COUNTS; m++) ls_text_add(text, " %11zu members", member_counts[m]);
  ls_text_add(text, "\n");
  for (size_t i = 0; i < JOB_SIZES; i++) {
    if (i > 0 && sizes[i] <= model->ranks) continue;
    ls_text_add(text, "%6zu", sizes[i]);
    for (size_t m = 0; m < MEMBER_COUNTS; m++) {
      const ls_scale_split split =
          ls_scale_split_best(model, sizes[i], member_counts[m], report->options->spec->train.batch);
      ls_text_add(text, " %5zu x %-3zu (%.2f)", split.groups, split.group_ranks, split.gain);
    }
    ls_text_add(text, "\n");
  }
}

void ls_scale_report_text(const ls_scale_report *report, ls_text *text)
{
  for (size_t m = 0; m < LS_SCALE_MODES; m++)
    if (report->options->modes[m]) add_measured(report, (ls_scale_mode)m, text);
  add_straggler(report, text);
  add_model(report, text);
  if (ls_scale_is_doubtful(&report->models[report->best])) return;
  for (size_t m = 0; m < LS_SCALE_MODES; m++)
    if (report->options->modes[m]) add_predicted(report, (ls_scale_mode)m, text);
  add_limits(report, text);
  add_splits(report, text);
}
