/* SPDX-License-Identifier: BSD-3-Clause */
/* A checkpoint for people: what was trained, how far, how well, and a table of the weights. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/inspect/internal.h"
#include "store/internal.h"

enum { LAST_EPOCHS = 5 };

/* ---- facts ---- */

static void add_channels(ls_text *text, const double *values, size_t count)
{
  for (size_t c = 0; c < count; c++) ls_text_add(text, "%s%.6g", c ? ", " : "", values[c]);
}

static void add_data(ls_text *text, const ls_checkpoint_info *info)
{
  ls_text_show(text, "  dataset         %s: images of %zux%zux%zu, %zu %s\n", info->dataset, info->channels,
               info->height, info->width, info->classes, ls_label_nouns[info->labels]);
  if (info->picture[0]) ls_text_show(text, "  pictures        %s\n", info->picture);
  if (info->class_names) {
    ls_text_add(text, "  class names     ");
    for (const char *name = info->class_names; name; name = strchr(name, '\n')) {
      if (*name == '\n') name++;
      if (name != info->class_names) ls_text_add(text, ", ");
      ls_text_show(text, "%.*s", (int)strcspn(name, "\n"), name);
    }
    ls_text_add(text, "\n");
  }
  ls_text_add(text, "  normalization   mean ");
  add_channels(text, info->mean, info->channels);
  ls_text_add(text, "; deviation ");
  add_channels(text, info->deviation, info->channels);
  ls_text_add(text, "\n");
}

static void add_progress(ls_text *text, const ls_progress *progress)
{
  ls_text_add(text, "  progress        %" PRIu64 " epoch%s, %" PRIu64 " step%s, %.1f s of training\n",
              progress->epoch, ls_plural(progress->epoch), progress->step, ls_plural(progress->step),
              progress->seconds);
  if (progress->epoch_step > 0)
    ls_text_add(text, "                  %" PRIu64 " step%s into epoch %" PRIu64 "\n", progress->epoch_step,
                ls_plural(progress->epoch_step), progress->epoch + 1);
  if (progress->best_epoch > 0)
    ls_text_add(text, "  best            epoch %" PRIu64 ": %.6g\n", progress->best_epoch,
                progress->best_metric);
}

static void add_facts(ls_text *text, const ls_checkpoint_info *info)
{
  size_t length = 0;
  const char *name = ls_config_name(info->config, &length);
  ls_text_show(text, "lockstep checkpoint, written by lockstep %s\n", info->lockstep_version);
  ls_text_show(text, "  configuration   %.*s (--config prints it)\n", name ? (int)length : -1,
               name ? name : "(no name)");
  add_data(text, info);
  add_progress(text, &info->progress);
  ls_text_show(text, "  weights digest  %s\n", info->weights_digest);
}

/* ---- metrics ---- */

/* Where labels are values, there is none. */
static void add_accuracy(ls_text *text, double accuracy)
{
  if (isfinite(accuracy))
    ls_text_add(text, " %9.4f", accuracy);
  else
    ls_text_add(text, " %9s", "-");
}

static void add_epoch(ls_text *text, const ls_epoch_metrics *train, const ls_epoch_metrics *validation)
{
  ls_text_add(text, "  %6" PRIu64 " %9" PRIu64 " %11.5f", train->epoch, train->step, train->loss);
  add_accuracy(text, train->accuracy);
  if (validation)
    ls_text_add(text, " %11.5f", validation->loss);
  else
    ls_text_add(text, " %11s", "-");
  add_accuracy(text, validation ? validation->accuracy : NAN);
  ls_text_add(text, " %11.4g %9.2f\n", train->learning_rate, train->seconds);
}

ls_status ls_inspect_metrics(ls_h5_id file, size_t most, ls_text *text)
{
  ls_history train, validation;
  LS_PASS(ls_histories_read(file, &train, &validation));
  size_t first = train.count > most ? train.count - most : 0;
  if (train.count == 0)
    ls_text_add(text, "  no epoch completed yet\n");
  else
    ls_text_add(text, "  %6s %9s %11s %9s %11s %9s %11s %9s\n", "epoch", "step", "train loss", "accuracy",
                "validation", "accuracy", "rate", "seconds");
  for (size_t i = first; i < train.count; i++)
    add_epoch(text, &train.rows[i], ls_history_find(&validation, train.rows[i].epoch));
  if (first > 0) ls_text_add(text, "  (the last %zu of %zu epochs)\n", most, train.count);
  ls_history_fini(&train);
  ls_history_fini(&validation);
  return LS_OK;
}

/* ---- tensors ---- */

typedef struct statistics {
  double mean, deviation, least, most;
  size_t nonfinite;
} statistics;

/* Of the finite values. */
static statistics summarize(const float *values, size_t count)
{
  statistics result = {.least = INFINITY, .most = -INFINITY};
  double sum = 0, squares = 0;
  for (size_t i = 0; i < count; i++) {
    double value = values[i];
    if (!isfinite(value)) {
      result.nonfinite++;
      continue;
    }
    sum += value;
    squares += value * value;
    result.least = fmin(result.least, value);
    result.most = fmax(result.most, value);
  }
  double finite = (double)(count - result.nonfinite);
  result.mean = sum / finite;
  result.deviation = sqrt(fmax(0, squares / finite - result.mean * result.mean));
  return result;
}

static ls_status add_tensor(ls_text *text, ls_h5_data *data)
{
  LS_PASS(ls_h5_data_check_floats(data));
  LS_PASS(ls_h5_data_check_plain(data));
  float *values;
  LS_PASS(ls_alloc(&values, data->count, sizeof *values, "a tensor"));
  ls_status status = ls_h5_data_read(data, LS_H5_FLOAT32, values);
  if (status == LS_OK) {
    char shape[LS_H5_SHAPE_BYTES];
    statistics found = summarize(values, data->count);
    ls_h5_shape_text(data->dims, data->dim_count, shape);
    ls_text_add(text, " %-16s %9zu %11.4g %11.4g %11.4g %11.4g", shape, data->count, found.mean,
                found.deviation, found.least, found.most);
    if (found.nonfinite > 0) ls_text_add(text, "  %zu not finite", found.nonfinite);
    ls_text_add(text, "\n");
  }
  free(values);
  return status;
}

static ls_status visit_tensor(void *user, const ls_h5_entry *entry)
{
  if (entry->type != LS_H5_DATASET) return LS_OK;
  ls_text *text = user;
  ls_h5_data data;
  LS_PASS(ls_h5_data_open(&data, entry->parent, entry->name));
  ls_text_show(text, "  %-24s", entry->path + strlen("/model/"));
  ls_status status = add_tensor(text, &data);
  ls_h5_data_close(&data);
  return status;
}

static ls_status add_totals(ls_h5_id model, ls_text *text)
{
  uint64_t parameters, buffers;
  LS_PASS(ls_h5_get_count(model, "parameters", 0, UINT64_MAX, &parameters));
  LS_PASS(ls_h5_get_count(model, "buffers", 0, UINT64_MAX, &buffers));
  ls_text_add(text, "  %" PRIu64 " parameters", parameters);
  if (buffers > 0) ls_text_add(text, " and %" PRIu64 " running statistics", buffers);
  ls_text_add(text, "\n");
  return LS_OK;
}

static ls_status add_tensors(ls_h5_id file, ls_text *text)
{
  ls_h5_id model;
  LS_PASS(ls_h5_group_open(&model, file, "model"));
  ls_text_add(text, "  %-24s %-16s %9s %11s %11s %11s %11s\n", "tensor", "shape", "count", "mean",
              "deviation", "least", "most");
  ls_status status = ls_h5_walk(model, visit_tensor, text);
  if (status == LS_OK) status = add_totals(model, text);
  ls_h5_release(model);
  return status;
}

/* ---- optimizer ---- */

/* Its state vectors: the groups right below /optimizer. */
static ls_status visit_slot(void *user, const ls_h5_entry *entry)
{
  ls_text *text = user;
  bool slot = entry->type == LS_H5_GROUP && !strchr(entry->path + strlen("/optimizer/"), '/');
  if (!slot) return LS_OK;
  ls_text_show(text, ", %s", entry->name);
  return LS_OK;
}

static ls_status add_optimizer(ls_h5_id file, ls_text *text)
{
  bool has_optimizer;
  LS_PASS(ls_h5_has(file, "optimizer", &has_optimizer));
  if (!has_optimizer) return LS_OK;
  ls_h5_id group;
  uint64_t step;
  ls_status status;
  LS_GO(ls_h5_group_open(&group, file, "optimizer"));
  LS_GO(ls_h5_get_count(group, "step", 0, UINT64_MAX, &step));
  ls_text_add(text, "  optimizer state: %" PRIu64 " step%s", step, ls_plural(step));
  LS_GO(ls_h5_walk(group, visit_slot, text));
  ls_text_add(text, "\n");
done:
  ls_h5_release(group);
  return status;
}

ls_status ls_inspect_checkpoint(ls_h5_id file, ls_text *text)
{
  ls_checkpoint_info info;
  LS_PASS(ls_info_read(file, &info));
  add_facts(text, &info);
  ls_checkpoint_info_fini(&info);
  ls_text_add(text, "\n");
  LS_PASS(ls_inspect_metrics(file, LAST_EPOCHS, text));
  LS_PASS(ls_split_metrics_describe(file, true, text));
  ls_text_add(text, "\n");
  LS_PASS(add_tensors(file, text));
  bool has_average;
  LS_PASS(ls_h5_has(file, "ema", &has_average));
  if (has_average) ls_text_add(text, "  a moving average of them, which evaluations take\n");
  return add_optimizer(file, text);
}
