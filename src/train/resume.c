/* SPDX-License-Identifier: BSD-3-Clause */
/* What must be the same for a run to go on, and what may change. */
#include "train/resume.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/show.h"
#include "base/text.h"
#include "config/config.h"

/* Otherwise other samples would be held out, or a step would mean something else. Further epochs, another
 * schedule or learning rate are fine, and other batches from the next epoch on. */
static const char *const lasting[] = {"seed",           "data.validation", "data.split_seed",
                                      "data.normalize", "data.shuffle",    "data.per_class",
                                      "data.fraction",  "model.layers",    "model.freeze"};

static void say(const ls_resume *resume, const char *text)
{
  const ls_trainer_events *events = resume->events;
  if (events && events->message) events->message(events->user, text);
}

/* A key's value as it would be written, without the blanks around it; released with ls_text_fini(). */
static ls_text value_of(const ls_spec *spec, const char *key)
{
  ls_text raw = {0}, value = {0};
  ls_config_emit_key(spec, key, &raw);
  const char *text = ls_text_get(&raw);
  text += strspn(text, " \n");
  size_t length = strlen(text);
  while (length > 0 && strchr(" \n", text[length - 1])) length--;
  ls_text_add_bytes(&value, text, length);
  value.failed |= raw.failed;
  ls_text_fini(&raw);
  return value;
}

/* Is a key's value the same in both configurations? */
static bool is_same(const ls_resume *resume, const char *key)
{
  ls_text a = value_of(resume->then, key), b = value_of(resume->now, key);
  const bool same = !a.failed && !b.failed && strcmp(ls_text_get(&a), ls_text_get(&b)) == 0;
  ls_text_fini(&a);
  ls_text_fini(&b);
  return same;
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
  if (found->train_count == 0 || strcmp(found->labels_digest, data->labels_digest) == 0) return LS_OK;
  return ls_fail(LS_E_INPUT,
                 "data.source: the checkpoint was trained on another '%s': the digest of its training labels "
                 "is %s, not %s",
                 data->dataset, found->labels_digest, data->labels_digest);
}

/* Another cut of the data into batches begins with an epoch. */
static ls_status compare_batch(const ls_progress *progress, const char *key, size_t then, size_t now)
{
  if (then == now || progress->epoch_step == 0) return LS_OK;
  return ls_fail(LS_E_INPUT,
                 "%s: the checkpoint's is %zu, not %zu, and it lies %" PRIu64 " steps within epoch %" PRIu64
                 ": it can change only between epochs",
                 key, then, now, progress->epoch_step, progress->epoch + 1);
}

/* An epoch that has begun is one that will end. */
static ls_status compare_epochs(const ls_progress *progress, size_t now)
{
  if (now < progress->epoch)
    return ls_fail(LS_E_INPUT, "train.epochs: %zu, but %" PRIu64 " are done", now, progress->epoch);
  if (now > progress->epoch || progress->epoch_step == 0) return LS_OK;
  return ls_fail(LS_E_INPUT,
                 "train.epochs: %zu, but %" PRIu64
                 " are done and the next has begun: the checkpoint lies %" PRIu64 " steps within it",
                 now, progress->epoch, progress->epoch_step);
}

ls_status ls_resume_check(const ls_resume *resume)
{
  const ls_spec_train *then = &resume->then->train, *now = &resume->now->train;
  const ls_progress *progress = &resume->found->progress;
  LS_PASS(compare_data(resume->found, resume->data));
  for (size_t i = 0; i < sizeof lasting / sizeof *lasting; i++)
    if (!is_same(resume, lasting[i])) return refuse(lasting[i]);
  if (then->optimizer.schema != now->optimizer.schema) return refuse("train.optimizer.type");
  LS_PASS(compare_epochs(progress, now->epochs));
  LS_PASS(compare_batch(progress, "train.batch", then->batch, now->batch));
  return compare_batch(progress, "train.microbatch", then->microbatch, now->microbatch);
}

/* Equal but for what another machine may round otherwise. */
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

static void tell_change(const ls_resume *resume, const char *key)
{
  if (is_same(resume, key)) return;
  ls_text line = {0}, then = value_of(resume->then, key), now = value_of(resume->now, key);
  ls_text_show(&line, "%s: %s so far, %s from now on", key, ls_text_get(&then), ls_text_get(&now));
  if (!line.failed) say(resume, ls_text_get(&line));
  ls_text_fini(&line);
  ls_text_fini(&then);
  ls_text_fini(&now);
}

void ls_resume_adapt(const ls_resume *resume, ls_progress *progress)
{
  static const char section[] = "train.";
  const char *key;
  for (size_t i = 0; (key = ls_config_key_path(i)); i++)
    if (strncmp(key, section, strlen(section)) == 0) tell_change(resume, key);
  if (!is_same(resume, "train.early_stopping.metric")) {
    if (progress->best_epoch > 0) say(resume, "the best epoch is looked for anew");
    progress->best_epoch = progress->bad_epochs = 0;
  }
  if (!is_same(resume, "train.schedule")) progress->schedule_epochs = progress->schedule_bad = 0;
}
