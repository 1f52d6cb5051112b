/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading a checkpoint: first everything that the model is built from, then the state into the built model.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/checkpoint.h"
#include "h5/h5.h"
#include "store/internal.h"

/* ---- tensors ---- */

static ls_status read_values(ls_h5_data *data, const ls_tensor *tensor, float *values)
{
  LS_PASS(ls_h5_data_check_floats(data));
  LS_PASS(ls_h5_data_check_shape(data, tensor->dims, tensor->dim_count));
  LS_PASS(ls_h5_data_check_plain(data));
  return ls_h5_data_read(data, LS_H5_FLOAT32, values);
}

static ls_status read_tensor(ls_h5_id group, const ls_tensor *tensor, float *values)
{
  ls_h5_id layer;
  LS_PASS(ls_h5_group_open(&layer, group, tensor->layer));
  ls_h5_data data;
  ls_status status = ls_h5_data_open(&data, layer, tensor->name);
  if (status == LS_OK) {
    status = read_values(&data, tensor, values);
    ls_h5_data_close(&data);
  }
  ls_h5_release(layer);
  return status;
}

static ls_status read_tensors(ls_h5_id group, const ls_tensor *tensors, size_t count, float *values)
{
  for (size_t i = 0; i < count; i++) LS_PASS(read_tensor(group, &tensors[i], values + tensors[i].offset));
  return LS_OK;
}

/* What a group may hold. */
typedef struct inventory {
  const char *root;            /* path of the group */
  const ls_tensor *tensors[2]; /* parameters, buffers */
  size_t counts[2];
} inventory;

static bool is_expected(const inventory *self, const char *path)
{
  char expected[LS_H5_PATH_BYTES];
  for (size_t list = 0; list < 2; list++)
    for (size_t i = 0; i < self->counts[list]; i++) {
      const ls_tensor *tensor = &self->tensors[list][i];
      snprintf(expected, sizeof expected, "%s/%s/%s", self->root, tensor->layer, tensor->name);
      if (strcmp(expected, path) == 0) return true;
    }
  return false;
}

static ls_status refuse_extra(void *user, const ls_h5_entry *entry)
{
  const inventory *self = user;
  bool fine = entry->type == LS_H5_GROUP || (entry->type == LS_H5_DATASET && is_expected(self, entry->path));
  return fine ? LS_OK : ls_fail(LS_E_INPUT, "%s: the model has no such tensor", entry->path);
}

/* The group `root`: parameters and buffers of the model. */
static ls_status read_weights(ls_h5_id group, const char *root, const ls_model *model, float *params,
                              float *buffers)
{
  inventory wanted = {.root = root};
  wanted.tensors[0] = ls_model_params(model, &wanted.counts[0]);
  wanted.tensors[1] = ls_model_buffers(model, &wanted.counts[1]);
  LS_PASS(read_tensors(group, wanted.tensors[0], wanted.counts[0], params));
  LS_PASS(read_tensors(group, wanted.tensors[1], wanted.counts[1], buffers));
  return ls_h5_walk(group, refuse_extra, &wanted);
}

static ls_status read_slot(ls_h5_id group, const ls_state *state, size_t slot)
{
  char root[LS_H5_PATH_BYTES];
  snprintf(root, sizeof root, "/optimizer/%s", state->slots[slot].name);
  inventory wanted = {.root = root};
  wanted.tensors[0] = ls_model_params(state->model, &wanted.counts[0]);
  LS_PASS(read_tensors(group, wanted.tensors[0], wanted.counts[0], state->slots[slot].data));
  return ls_h5_walk(group, refuse_extra, &wanted);
}

/* ---- the whole ---- */

static ls_status read_model(ls_h5_id file, const ls_checkpoint_info *info, const ls_state *state)
{
  ls_h5_id group;
  LS_PASS(ls_h5_group_open(&group, file, "model"));
  ls_status status = read_weights(group, "/model", state->model, state->params, state->buffers);
  ls_h5_release(group);
  LS_PASS(status);
  char digest[LS_DIGEST_CHARS];
  ls_weights_digest(state->model, state->params, state->buffers, digest);
  if (strcmp(digest, info->weights_digest) == 0) return LS_OK;
  return ls_fail(LS_E_INPUT, "damaged: weights_digest %s expected, the weights have %s", info->weights_digest,
                 digest);
}

static ls_status read_ema(ls_h5_id group, const ls_state *state)
{
  const ls_average *average = &state->average;
  char expected[LS_DIGEST_CHARS], digest[LS_DIGEST_CHARS];
  LS_PASS(ls_h5_get_short_text(group, "digest", expected, sizeof expected));
  LS_PASS(read_weights(group, "/ema", state->model, average->params, average->buffers));
  ls_weights_digest(state->model, average->params, average->buffers, digest);
  if (strcmp(digest, expected) == 0) return LS_OK;
  return ls_fail(LS_E_INPUT, "damaged: digest %s of /ema expected, its weights have %s", expected, digest);
}

static void copy_tensors(const ls_tensor *tensors, size_t count, const float *from, float *to)
{
  for (size_t i = 0; i < count; i++)
    memmove(to + tensors[i].offset, from + tensors[i].offset, tensors[i].count * sizeof *to);
}

static void copy_weights(const ls_state *state)
{
  size_t count;
  const ls_tensor *tensors = ls_model_params(state->model, &count);
  copy_tensors(tensors, count, state->params, state->average.params);
  tensors = ls_model_buffers(state->model, &count);
  copy_tensors(tensors, count, state->buffers, state->average.buffers);
}

static ls_status read_average(ls_h5_id file, const ls_state *state)
{
  ls_h5_id group;
  if (!state->average.params) return LS_OK;
  bool has_average;
  LS_PASS(ls_h5_has(file, "ema", &has_average));
  if (!has_average) {
    copy_weights(state);
    return LS_OK;
  }
  LS_PASS(ls_h5_group_open(&group, file, "ema"));
  const ls_status status = read_ema(group, state);
  ls_h5_release(group);
  return status;
}

static ls_status read_slots(ls_h5_id group, ls_state *state)
{
  LS_PASS(ls_h5_get_count(group, "step", 0, UINT64_MAX, &state->optimizer_step));
  for (size_t i = 0; i < state->slot_count; i++) {
    ls_h5_id slot;
    LS_PASS(ls_h5_group_open(&slot, group, state->slots[i].name));
    ls_status status = read_slot(slot, state, i);
    ls_h5_release(slot);
    LS_PASS(status);
  }
  return LS_OK;
}

/* Weights alone make a checkpoint that can be evaluated. */
static ls_status read_optimizer(ls_h5_id file, ls_state *state)
{
  bool has_optimizer;
  LS_PASS(ls_h5_has(file, "optimizer", &has_optimizer));
  if (state->slot_count == 0 && !has_optimizer) return LS_OK;
  ls_h5_id group;
  LS_PASS(ls_h5_group_open(&group, file, "optimizer"));
  ls_status status = read_slots(group, state);
  ls_h5_release(group);
  return status;
}

static ls_status read_state(ls_h5_id file, void *user)
{
  ls_state *state = user;
  ls_checkpoint_info info;
  LS_PASS(ls_info_read(file, &info));
  ls_status status;
  ls_history train = {0}, validation = {0};
  ls_split_metrics split_metrics;
  LS_GO(read_model(file, &info, state));
  LS_GO(read_average(file, state));
  LS_GO(read_optimizer(file, state));
  LS_GO(ls_progress_read_numbers(file, &state->schedule));
  LS_GO(ls_split_metrics_read(file, info.classes, &split_metrics));
  status = ls_histories_read(file, &train, &validation);
  if (status != LS_OK) ls_split_metrics_fini(&split_metrics);
  LS_GO(status);
  ls_split_metrics_fini(&state->split_metrics);
  ls_history_fini(&state->train);
  ls_history_fini(&state->validation);
  state->train = train;
  state->validation = validation;
  state->split_metrics = split_metrics;
  state->progress = info.progress;
done:
  ls_checkpoint_info_fini(&info);
  return status;
}

ls_status ls_checkpoint_read(const char *path, ls_state *state)
{
  LS_TRY(ls_h5_read(path, read_state, state), "cannot read checkpoint '%s'", path);
  return LS_OK;
}

static ls_status read_weights_alone(ls_h5_id file, void *user)
{
  const ls_state *state = user;
  ls_checkpoint_info info;
  LS_PASS(ls_info_read(file, &info));
  ls_status status = read_model(file, &info, state);
  if (status == LS_OK) status = read_average(file, state);
  ls_checkpoint_info_fini(&info);
  return status;
}

ls_status ls_checkpoint_read_weights(const char *path, ls_state *state)
{
  LS_TRY(ls_h5_read(path, read_weights_alone, state), "cannot read checkpoint '%s'", path);
  return LS_OK;
}

static ls_status read_info(ls_h5_id file, void *info)
{
  return ls_info_read(file, info);
}

ls_status ls_checkpoint_read_info(const char *path, ls_checkpoint_info *info)
{
  *info = (ls_checkpoint_info){0};
  LS_TRY(ls_h5_read(path, read_info, info), "cannot read checkpoint '%s'", path);
  return LS_OK;
}
