/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of a checkpoint that are written and read in one piece: format, facts on data and configuration.
 */
#include "store/layout.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/progress.h"

enum {
  CONFIG_LIMIT_BYTES = 1 << 24,
  NAMES_LIMIT_BYTES = 1 << 22,
  FORMAT_BYTES = 64,
  MAX_SIDE = 65536,
  MAX_CLASSES = 65535
};

void ls_digest_chain(char digest[LS_DIGEST_CHARS], const char tensor[LS_DIGEST_CHARS])
{
  char both[2 * LS_DIGEST_CHARS];
  int length = snprintf(both, sizeof both, "%s%s", digest, tensor);
  ls_digest_of(both, (size_t)length, digest);
}

static void chain_tensors(char digest[LS_DIGEST_CHARS], const ls_tensor *tensors, size_t count,
                          const float *values)
{
  for (size_t i = 0; i < count; i++) {
    char tensor[LS_DIGEST_CHARS];
    ls_digest_of(values + tensors[i].offset, tensors[i].count * sizeof(float), tensor);
    ls_digest_chain(digest, tensor);
  }
}

void ls_weights_digest(const ls_model *model, const float *params, const float *buffers,
                       char text[LS_DIGEST_CHARS])
{
  size_t count;
  text[0] = '\0';
  const ls_tensor *tensors = ls_model_params(model, &count);
  chain_tensors(text, tensors, count, params);
  tensors = ls_model_buffers(model, &count);
  chain_tensors(text, tensors, count, buffers);
}

/* Do the names of such tensors say that they are means of squares, as in "running_var" and "exp_avg_sq"? */
static bool are_squares(const char *name)
{
  static const char *const ends[] = {"_var", "_sq"};
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    const size_t length = strlen(name), end = strlen(ends[i]);
    if (length >= end && strcmp(name + length - end, ends[i]) == 0) return true;
  }
  return false;
}

static bool are_finite(const float *values, size_t count)
{
  bool all = true;
  for (size_t k = 0; k < count; k++) all &= fabsf(values[k]) < INFINITY;
  return all;
}

static bool has_negative(const float *values, size_t count)
{
  bool any = false;
  for (size_t k = 0; k < count; k++) any |= values[k] < 0.0F;
  return any;
}

/* Values for all tensors of a list; `slot`: the optimizer's name for them, or NULL if they are weights. */
static ls_status check_values(const ls_tensor *tensors, size_t count, const float *values, const char *slot)
{
  const char *of = slot ? slot : "", *joint = slot ? " of " : "";
  for (size_t i = 0; i < count; i++) {
    const ls_tensor *tensor = &tensors[i];
    const float *own = values + tensor->offset;
    if (!are_finite(own, tensor->count))
      return ls_fail(LS_E_NONFINITE, "a value of %s%s%s.%s is not finite", of, joint, tensor->layer,
                     tensor->name);
    if (are_squares(slot ? slot : tensor->name) && has_negative(own, tensor->count))
      return ls_fail(LS_E_INPUT, "%s%s%s.%s has negative values: it is a mean of squares", of, joint,
                     tensor->layer, tensor->name);
  }
  return LS_OK;
}

ls_status ls_weights_check(const ls_model *model, const float *params, const float *buffers)
{
  size_t count;
  const ls_tensor *tensors = ls_model_params(model, &count);
  LS_PASS(check_values(tensors, count, params, NULL));
  tensors = ls_model_buffers(model, &count);
  return check_values(tensors, count, buffers, NULL);
}

ls_status ls_state_check(const ls_state *state)
{
  size_t count;
  const ls_tensor *tensors = ls_model_params(state->model, &count);
  LS_PASS(ls_weights_check(state->model, state->params, state->buffers));
  if (state->average.params)
    LS_TRY(ls_weights_check(state->model, state->average.params, state->average.buffers),
           "the moving average");
  for (size_t i = 0; i < state->slot_count; i++)
    LS_PASS(check_values(tensors, count, state->slots[i].data, state->slots[i].name));
  return LS_OK;
}

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

ls_status ls_format_write(hid_t file, const char *format)
{
  LS_PASS(ls_h5_put_text(file, "format", format));
  LS_PASS(ls_h5_put_count(file, "format_version", LS_STORE_FORMAT_VERSION));
  return ls_h5_put_text(file, "lockstep_version", LS_VERSION);
}

ls_status ls_format_check(hid_t file, const char *format)
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

static ls_status write_data(hid_t group, const ls_checkpoint_info *info)
{
  LS_PASS(ls_h5_put_count(group, "channels", info->channels));
  LS_PASS(ls_h5_put_count(group, "height", info->height));
  LS_PASS(ls_h5_put_count(group, "width", info->width));
  LS_PASS(ls_h5_put_count(group, "classes", info->classes));
  LS_PASS(ls_h5_put_text(group, "dataset", info->dataset));
  if (info->picture[0]) LS_PASS(ls_h5_put_text(group, "picture", info->picture));
  LS_PASS(ls_h5_put_reals(group, "mean", info->mean, info->channels));
  LS_PASS(ls_h5_put_reals(group, "deviation", info->deviation, info->channels));
  if (info->class_names) LS_PASS(ls_h5_put_text(group, "class_names", info->class_names));
  if (info->train_count == 0) return LS_OK;
  LS_PASS(ls_h5_put_count(group, "train_count", info->train_count));
  return ls_h5_put_text(group, "labels_digest", info->labels_digest);
}

ls_status ls_info_write(hid_t file, const ls_checkpoint_info *info)
{
  LS_PASS(ls_h5_put_text(file, "config", info->config));
  LS_PASS(ls_h5_put_text(file, "weights_digest", info->weights_digest));
  if (info->init_digest[0]) LS_PASS(ls_h5_put_text(file, "init_digest", info->init_digest));
  hid_t group;
  LS_PASS(ls_h5_group_make(&group, file, "data"));
  LS_PASS(ls_h5_close(group, write_data(group, info)));
  return ls_progress_write(file, &info->progress);
}

static ls_status read_size(hid_t group, const char *name, size_t most, size_t *value)
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
static ls_status read_split(hid_t group, ls_checkpoint_info *info)
{
  bool has_count;
  LS_PASS(ls_h5_has_attribute(group, "train_count", &has_count));
  if (!has_count) return LS_OK;
  LS_PASS(read_size(group, "train_count", SIZE_MAX, &info->train_count));
  return ls_h5_get_short_text(group, "labels_digest", info->labels_digest, sizeof info->labels_digest);
}

static ls_status read_data(hid_t group, ls_checkpoint_info *info)
{
  LS_PASS(read_size(group, "channels", LS_CHECKPOINT_MAX_CHANNELS, &info->channels));
  LS_PASS(read_size(group, "height", MAX_SIDE, &info->height));
  LS_PASS(read_size(group, "width", MAX_SIDE, &info->width));
  LS_PASS(read_size(group, "classes", MAX_CLASSES, &info->classes));
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

static ls_status read_all(hid_t file, ls_checkpoint_info *info)
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
  hid_t group;
  LS_PASS(ls_h5_group_open(&group, file, "data"));
  ls_status status = read_data(group, info);
  ls_h5_release(group);
  LS_PASS(status);
  return ls_progress_read(file, &info->progress);
}

ls_status ls_info_read(hid_t file, ls_checkpoint_info *info)
{
  hsize_t bytes;
  *info = (ls_checkpoint_info){0};
  if (H5Fget_filesize(file, &bytes) < 0) return ls_h5_fail(LS_E_INPUT, "the file has no length");
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
