/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of a checkpoint that are written and read at once: format, facts on data and configuration,
 * progress. */
#include "store/internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  CONFIG_LIMIT_BYTES = 1 << 24,
  NAMES_LIMIT_BYTES = 1 << 22,
  FORMAT_BYTES = 64,
  MAX_SIDE = 65536,
  MAX_CLASSES = 65535
};

const char *ls_config_name(const char *config, size_t *length)
{
  static const char key[] = "name: ";
  for (const char *line = config; line; line = strchr(line, '\n')) {
    if (*line == '\n') line++;
    if (strncmp(line, key, strlen(key)) != 0) continue;
    line += strlen(key);
    *length = strcspn(line, "\n");
    return line;
  }
  return NULL;
}

/* ---- format ---- */

ls_status ls_format_write(ls_h5_id file, const char *format)
{
  LS_PASS(ls_h5_put_text(file, "format", format));
  LS_PASS(ls_h5_put_count(file, "format_version", LS_STORE_FORMAT_VERSION));
  return ls_h5_put_text(file, "lockstep_version", LS_VERSION);
}

ls_status ls_format_check(ls_h5_id file, const char *format)
{
  char found[FORMAT_BYTES];
  uint64_t version;
  LS_TRY(ls_h5_get_short_text(file, "format", found, sizeof found), "it is no %s", format);
  if (strcmp(found, format) != 0)
    return ls_fail(LS_E_INPUT, "it is no %s: its format is '%s'", format, found);
  LS_PASS(ls_h5_get_count(file, "format_version", 1, UINT64_MAX, &version));
  if (version > LS_STORE_FORMAT_VERSION)
    return ls_fail(LS_E_INPUT,
                   "format version %" PRIu64 ": this program reads up to %d; a newer lockstep is needed",
                   version, LS_STORE_FORMAT_VERSION);
  return LS_OK;
}

/* ---- facts ---- */

ls_status ls_labels_write(ls_h5_id group, ls_label_form labels)
{
  return labels == LS_LABELS_CLASS ? LS_OK : ls_h5_put_text(group, "labels", ls_label_words[labels]);
}

ls_status ls_labels_read(ls_h5_id group, ls_label_form *labels)
{
  char word[16];
  bool found;
  *labels = LS_LABELS_CLASS;
  LS_PASS(ls_h5_has_attribute(group, "labels", &found));
  if (!found) return LS_OK;
  LS_PASS(ls_h5_get_short_text(group, "labels", word, sizeof word));
  for (size_t i = 0; ls_label_words[i]; i++) {
    *labels = (ls_label_form)i;
    if (strcmp(ls_label_words[i], word) == 0) return LS_OK;
  }
  return ls_fail(LS_E_INPUT, "attribute labels: '%s' is no form of labels", word);
}

static ls_status write_data(ls_h5_id group, const ls_checkpoint_info *info)
{
  LS_PASS(ls_h5_put_count(group, "channels", info->channels));
  LS_PASS(ls_h5_put_count(group, "height", info->height));
  LS_PASS(ls_h5_put_count(group, "width", info->width));
  LS_PASS(ls_h5_put_count(group, "classes", info->classes));
  LS_PASS(ls_labels_write(group, info->labels));
  LS_PASS(ls_h5_put_text(group, "dataset", info->dataset));
  if (info->picture[0]) LS_PASS(ls_h5_put_text(group, "picture", info->picture));
  LS_PASS(ls_h5_put_reals(group, "mean", info->mean, info->channels));
  LS_PASS(ls_h5_put_reals(group, "deviation", info->deviation, info->channels));
  if (info->class_names) LS_PASS(ls_h5_put_text(group, "class_names", info->class_names));
  if (info->train_count == 0) return LS_OK;
  LS_PASS(ls_h5_put_count(group, "train_count", info->train_count));
  return ls_h5_put_text(group, "labels_digest", info->labels_digest);
}

ls_status ls_info_write(ls_h5_id file, const ls_checkpoint_info *info)
{
  LS_PASS(ls_h5_put_text(file, "config", info->config));
  LS_PASS(ls_h5_put_text(file, "weights_digest", info->weights_digest));
  if (info->init_digest[0]) LS_PASS(ls_h5_put_text(file, "init_digest", info->init_digest));
  ls_h5_id group;
  LS_PASS(ls_h5_group_make(&group, file, "data"));
  return ls_h5_close(group, write_data(group, info));
}

static ls_status read_size(ls_h5_id group, const char *name, size_t most, size_t *value)
{
  uint64_t read;
  LS_PASS(ls_h5_get_count(group, name, 1, most, &read));
  *value = (size_t)read;
  return LS_OK;
}

/* Does (pixel - mean) / deviation, which is worked out in float32, give numbers for all pixels? */
static bool is_normalization(double mean, double deviation)
{
  const float own = (float)mean, scale = (float)(1.0 / deviation);
  return deviation > 0 && isnormal(scale) && isfinite((0.0F - own) * scale) &&
         isfinite((255.0F - own) * scale);
}

static ls_status check_normalization(const ls_checkpoint_info *info)
{
  for (size_t c = 0; c < info->channels; c++)
    if (!is_normalization(info->mean[c], info->deviation[c]))
      return ls_fail(LS_E_INPUT, "group /data: mean %g and deviation %g of channel %zu are no normalization",
                     info->mean[c], info->deviation[c], c);
  return LS_OK;
}

/* One name a line, one for each class. */
static ls_status check_class_names(const ls_checkpoint_info *info)
{
  size_t lines = 1;
  for (const char *c = info->class_names; *c; c++) lines += *c == '\n';
  if (lines == info->classes) return LS_OK;
  return ls_fail(LS_E_INPUT, "attribute /data@class_names: %zu names expected, %zu found", info->classes,
                 lines);
}

/* Of the training split; checkpoints that do not say it are older. */
static ls_status read_split(ls_h5_id group, ls_checkpoint_info *info)
{
  bool has_count;
  LS_PASS(ls_h5_has_attribute(group, "train_count", &has_count));
  if (!has_count) return LS_OK;
  LS_PASS(read_size(group, "train_count", SIZE_MAX, &info->train_count));
  return ls_h5_get_short_text(group, "labels_digest", info->labels_digest, sizeof info->labels_digest);
}

static ls_status read_data(ls_h5_id group, ls_checkpoint_info *info)
{
  LS_PASS(read_size(group, "channels", LS_CHECKPOINT_MAX_CHANNELS, &info->channels));
  LS_PASS(read_size(group, "height", MAX_SIDE, &info->height));
  LS_PASS(read_size(group, "width", MAX_SIDE, &info->width));
  LS_PASS(read_size(group, "classes", MAX_CLASSES, &info->classes));
  LS_TRY(ls_labels_read(group, &info->labels), "group /data");
  LS_PASS(ls_h5_get_short_text(group, "dataset", info->dataset, sizeof info->dataset));
  LS_PASS(ls_h5_get_reals(group, "mean", info->mean, info->channels));
  LS_PASS(ls_h5_get_reals(group, "deviation", info->deviation, info->channels));
  LS_PASS(check_normalization(info));
  LS_PASS(read_split(group, info));
  bool has_picture;
  LS_PASS(ls_h5_has_attribute(group, "picture", &has_picture));
  if (has_picture) LS_PASS(ls_h5_get_short_text(group, "picture", info->picture, sizeof info->picture));
  bool has_names;
  LS_PASS(ls_h5_has_attribute(group, "class_names", &has_names));
  if (!has_names) return LS_OK;
  LS_PASS(ls_h5_get_text(group, "class_names", NAMES_LIMIT_BYTES, &info->class_names));
  return check_class_names(info);
}

/* ---- progress ---- */

static const ls_field progress_fields[] = {
    LS_COUNT_FIELD(ls_progress, epoch),         LS_COUNT_FIELD(ls_progress, step),
    LS_COUNT_FIELD(ls_progress, epoch_step),    LS_COUNT_FIELD(ls_progress, epoch_correct),
    LS_COUNT_FIELD(ls_progress, epoch_samples), LS_COUNT_FIELD(ls_progress, best_epoch),
    LS_COUNT_FIELD(ls_progress, bad_epochs),    LS_REAL_FIELD(ls_progress, epoch_seconds),
    LS_REAL_FIELD(ls_progress, epoch_loss),     LS_REAL_FIELD(ls_progress, best_metric),
    LS_REAL_FIELD(ls_progress, seconds),
};

static const ls_fields all_progress = {progress_fields, sizeof progress_fields / sizeof *progress_fields};

ls_status ls_progress_write(ls_h5_id file, const ls_progress *progress, const ls_named_numbers *numbers)
{
  ls_h5_id group;
  LS_PASS(ls_h5_group_make(&group, file, "progress"));
  ls_status status = ls_h5_put_fields(group, all_progress, progress);
  if (status == LS_OK) status = ls_h5_put_fields(group, numbers->fields, numbers->values);
  return ls_h5_close(group, status);
}

static ls_status read_progress(ls_h5_id file, ls_progress *progress)
{
  ls_h5_id group;
  *progress = (ls_progress){0};
  LS_PASS(ls_h5_group_open(&group, file, "progress"));
  const ls_status status = ls_h5_get_fields(group, all_progress, progress);
  ls_h5_release(group);
  return status;
}

/* A run that had another kind before has no numbers of this kind in its file. */
static ls_status read_numbers(ls_h5_id group, const ls_named_numbers *numbers)
{
  bool has;
  if (numbers->fields.count == 0) return LS_OK;
  LS_PASS(ls_h5_has_attribute(group, numbers->fields.list[0].name, &has));
  return has ? ls_h5_get_fields(group, numbers->fields, numbers->values) : LS_OK;
}

ls_status ls_progress_read_numbers(ls_h5_id file, const ls_named_numbers *numbers)
{
  ls_h5_id group;
  LS_PASS(ls_h5_group_open(&group, file, "progress"));
  const ls_status status = read_numbers(group, numbers);
  ls_h5_release(group);
  return status;
}

/* ---- the whole ---- */

static ls_status read_all(ls_h5_id file, ls_checkpoint_info *info)
{
  LS_PASS(ls_format_check(file, LS_CHECKPOINT_FORMAT));
  LS_PASS(
      ls_h5_get_short_text(file, "lockstep_version", info->lockstep_version, sizeof info->lockstep_version));
  LS_PASS(ls_h5_get_short_text(file, "weights_digest", info->weights_digest, sizeof info->weights_digest));
  bool has_init;
  LS_PASS(ls_h5_has_attribute(file, "init_digest", &has_init));
  if (has_init)
    LS_PASS(ls_h5_get_short_text(file, "init_digest", info->init_digest, sizeof info->init_digest));
  LS_PASS(ls_h5_get_text(file, "config", CONFIG_LIMIT_BYTES, &info->config));
  ls_h5_id group;
  LS_PASS(ls_h5_group_open(&group, file, "data"));
  ls_status status = read_data(group, info);
  ls_h5_release(group);
  LS_PASS(status);
  return read_progress(file, &info->progress);
}

ls_status ls_info_read(ls_h5_id file, ls_checkpoint_info *info)
{
  uint64_t bytes;
  *info = (ls_checkpoint_info){0};
  LS_PASS(ls_h5_file_length(file, &bytes));
  info->file_bytes = (size_t)bytes;
  ls_status status = read_all(file, info);
  if (status != LS_OK) ls_checkpoint_info_fini(info);
  return status;
}

void ls_checkpoint_info_fini(ls_checkpoint_info *info)
{
  free(info->config);
  free(info->class_names);
  *info = (ls_checkpoint_info){0};
}
