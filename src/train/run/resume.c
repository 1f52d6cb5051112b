/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks what must be the same for a run to go on; everything else may change. */
#include "train/run/resume.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/show.h"
#include "base/text.h"
#include "config/config.h"

/* If these changed, other samples would be held out, or a step would mean something else. Further epochs,
 * another schedule or learning rate are fine, and other batches from the next epoch on. */
static const char *const lasting[] = {"seed",           "data.validation", "data.split_seed",
                                      "data.normalize", "data.shuffle",    "data.per_class",
                                      "data.fraction",  "data.transpose",  "data.first_label",
                                      "model.layers",   "model.freeze"};

static void say(const ls_resume *resume, const char *text)
{
  const ls_trainer_events *events = resume->events;
  if (events && events->message) events->message(events->user, text);
}

/* A key's value as the configuration writes it, without the blanks around it; freed by the caller. */
static ls_status value_of(const ls_spec *spec, const char *key, char **value)
{
  ls_text raw = {0};
  ls_config_emit_key(spec, key, &raw);
  LS_PASS(ls_text_take(&raw, value));
  char *text = *value;
  const size_t blanks = strspn(text, " \n");
  size_t length = strlen(text) - blanks;
  memmove(text, text + blanks, length);
  while (length > 0 && strchr(" \n", text[length - 1])) length--;
  text[length] = '\0';
  return LS_OK;
}

/* A key's values in both configurations. */
typedef struct two_values {
  char *then, *now; /* owned */
  bool same;
} two_values;

static void two_values_fini(two_values *values)
{
  free(values->then);
  free(values->now);
}

static ls_status compare(const ls_resume *resume, const char *key, two_values *out)
{
  *out = (two_values){.same = false};
  ls_status status;
  LS_GO(value_of(resume->then, key, &out->then));
  LS_GO(value_of(resume->now, key, &out->now));
  out->same = strcmp(out->then, out->now) == 0;
done:
  if (status != LS_OK) two_values_fini(out);
  return status;
}

/* Is a key's value the same in both configurations? */
static ls_status is_same(const ls_resume *resume, const char *key, bool *same)
{
  two_values values;
  LS_PASS(compare(resume, key, &values));
  *same = values.same;
  two_values_fini(&values);
  return LS_OK;
}

static ls_status refuse(const char *key)
{
  return ls_fail(LS_E_INPUT,
                 "%s: the checkpoint's is not the configured one (`lockstep inspect --config` shows it)",
                 key);
}

/* The dataset's name is that of a folder or file: another one may bear it. */
static ls_status compare_data(const ls_checkpoint_info *found, const ls_checkpoint_info *data)
{
  if (strcmp(found->dataset, data->dataset) != 0)
    return ls_fail(LS_E_INPUT, "data.source: the checkpoint was trained on '%s', not '%s'", found->dataset,
                   data->dataset);
  const struct {
    const char *what;
    size_t then, now;
  } counts[] = {
      {"image channels", found->channels, data->channels},
      {"rows of pixels", found->height, data->height},
      {"columns of pixels", found->width, data->width},
      {"classes", found->classes, data->classes},
      {"training samples", found->train_count ? found->train_count : data->train_count, data->train_count},
  };
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
    if (counts[i].then != counts[i].now)
      return ls_fail(LS_E_INPUT,
                     "data.source: the checkpoint was trained on another '%s', of %zu %s, not %zu",
                     data->dataset, counts[i].then, counts[i].what, counts[i].now);
  if (found->labels != data->labels)
    return ls_fail(LS_E_INPUT,
                   "train.loss: the checkpoint's takes labels as '%s', the configured one as '%s'",
                   ls_label_words[found->labels], ls_label_words[data->labels]);
  if (found->train_count == 0 || strcmp(found->labels_digest, data->labels_digest) == 0) return LS_OK;
  return ls_fail(LS_E_INPUT,
                 "data.source: the checkpoint was trained on another '%s': the digest of its training labels "
                 "is %s, not %s",
                 data->dataset, found->labels_digest, data->labels_digest);
}

/* Another batch size can only begin with an epoch. */
static ls_status compare_batch(const ls_progress *progress, const char *key, size_t then, size_t now)
{
  if (then == now || progress->epoch_step == 0) return LS_OK;
  return ls_fail(LS_E_INPUT,
                 "%s: the checkpoint's is %zu, not %zu, and it lies %" PRIu64 " step%s within epoch %" PRIu64
                 ": it can change only between epochs",
                 key, then, now, progress->epoch_step, ls_plural(progress->epoch_step), progress->epoch + 1);
}

/* An epoch that has begun has to end. */
static ls_status compare_epochs(const ls_progress *progress, size_t now)
{
  if (now < progress->epoch)
    return ls_fail(LS_E_INPUT, "train.epochs: %zu, but %" PRIu64 " epoch%s done", now, progress->epoch,
                   progress->epoch == 1 ? " is" : "s are");
  if (now > progress->epoch || progress->epoch_step == 0) return LS_OK;
  return ls_fail(LS_E_INPUT,
                 "train.epochs: %zu, but %" PRIu64
                 " epoch%s done and the next has begun: the checkpoint lies %" PRIu64 " step%s within it",
                 now, progress->epoch, progress->epoch == 1 ? " is" : "s are", progress->epoch_step,
                 ls_plural(progress->epoch_step));
}

ls_status ls_resume_check(const ls_resume *resume)
{
  const ls_spec_train *then = &resume->then->train, *now = &resume->now->train;
  const ls_progress *progress = &resume->found->progress;
  LS_PASS(compare_data(resume->found, resume->data));
  for (size_t i = 0; i < sizeof lasting / sizeof *lasting; i++) {
    bool same;
    LS_PASS(is_same(resume, lasting[i], &same));
    if (!same) return refuse(lasting[i]);
  }
  if (then->optimizer.schema != now->optimizer.schema) return refuse("train.optimizer.type");
  LS_PASS(compare_epochs(progress, now->epochs));
  LS_PASS(compare_batch(progress, "train.batch", then->batch, now->batch));
  return compare_batch(progress, "train.microbatch", then->microbatch, now->microbatch);
}

/* Equal, but for the different rounding of another machine. */
static bool is_close(double a, double b)
{
  return fabs(a - b) <= 1e-9 * (fabs(a) + fabs(b));
}

ls_status ls_resume_check_loaded(const ls_checkpoint_info *found, const ls_checkpoint_info *data,
                                 size_t steps)
{
  for (size_t c = 0; c < data->channels; c++)
    if (!is_close(found->mean[c], data->mean[c]) || !is_close(found->deviation[c], data->deviation[c]))
      return ls_fail(LS_E_INPUT,
                     "data.source: the checkpoint was trained on another '%s': channel %zu had mean %.9g and "
                     "deviation %.9g, and has %.9g and %.9g",
                     data->dataset, c, found->mean[c], found->deviation[c], data->mean[c],
                     data->deviation[c]);
  if (found->progress.epoch_step <= steps) return LS_OK;
  return ls_fail(LS_E_INPUT, "the checkpoint lies %" PRIu64 " steps within epoch %" PRIu64 ", which has %zu",
                 found->progress.epoch_step, found->progress.epoch + 1, steps);
}

static ls_status report_change(const ls_resume *resume, const char *key)
{
  two_values values;
  ls_text text = {0};
  char *line = NULL;
  LS_PASS(compare(resume, key, &values));
  if (!values.same) ls_text_show(&text, "%s: %s so far, %s from now on", key, values.then, values.now);
  const bool is_reported = !values.same;
  two_values_fini(&values);
  LS_PASS(ls_text_take(&text, &line));
  if (is_reported) say(resume, line);
  free(line);
  return LS_OK;
}

ls_status ls_resume_adapt(const ls_resume *resume, ls_progress *progress, ls_schedule_state *schedule)
{
  static const char section[] = "train.";
  const char *key;
  bool same_metric, same_schedule;
  LS_PASS(is_same(resume, "train.early_stopping.metric", &same_metric));
  LS_PASS(is_same(resume, "train.schedule", &same_schedule));
  for (size_t i = 0; (key = ls_config_key_path(resume->now, i)); i++)
    if (strncmp(key, section, strlen(section)) == 0) LS_PASS(report_change(resume, key));
  if (!same_metric) {
    if (progress->best_epoch > 0) say(resume, "the best epoch is looked for anew");
    progress->best_epoch = progress->bad_epochs = 0;
  }
  if (!same_schedule) ls_schedule_restart(&resume->now->train.schedule, schedule);
  return LS_OK;
}
