/* SPDX-License-Identifier: BSD-3-Clause */
/* Writing a checkpoint: the file is built in memory, sealed, and written as a whole. */
#include <stdlib.h>

#include "base/files/directory.h"
#include "base/files/temporary.h"
#include "base/memory.h"
#include "store/checkpoint.h"
#include "h5/h5.h"
#include "store/internal.h"
#include "h5/seal.h"

/* The group of a layer, made when its first tensor comes. */
static ls_status open_layer(ls_h5_id *layer, ls_h5_id group, const char *name)
{
  bool has;
  LS_PASS(ls_h5_has(group, name, &has));
  return has ? ls_h5_group_open(layer, group, name) : ls_h5_group_make(layer, group, name);
}

/* Write <group>/<layer>/<tensor>; with `order`, the tensor's position in the digest. */
static ls_status write_tensor(ls_h5_id group, const ls_tensor *tensor, const float *values,
                              const uint64_t *order)
{
  ls_h5_id layer = LS_H5_NONE;
  const ls_h5_plan plan = {.number = LS_H5_FLOAT32, .dims = tensor->dims, .dim_count = tensor->dim_count};
  ls_h5_data data = LS_H5_DATA_CLOSED;
  ls_status status;
  LS_GO(open_layer(&layer, group, tensor->layer));
  LS_GO(ls_h5_data_make(&data, layer, tensor->name, &plan));
  LS_GO(ls_h5_data_write(&data, LS_H5_FLOAT32, values));
  if (order) LS_GO(ls_h5_put_count(data.id, LS_TENSOR_ORDER, *order));
done:
  return ls_h5_close(layer, ls_h5_close(data.id, status));
}

typedef struct tensor_list {
  const ls_tensor *tensors;
  size_t count;
  const float *values;
} tensor_list;

/* The tensors, and under `name` how many values they have; *order goes on. */
static ls_status write_tensors(ls_h5_id group, const char *name, tensor_list list, uint64_t *order)
{
  uint64_t values = 0;
  for (size_t i = 0; i < list.count; i++, ++*order) {
    LS_PASS(write_tensor(group, &list.tensors[i], list.values + list.tensors[i].offset, order));
    values += list.tensors[i].count;
  }
  return ls_h5_put_count(group, name, values);
}

static ls_status write_model(ls_h5_id group, const ls_state *state)
{
  size_t param_count, buffer_count;
  uint64_t order = 0;
  const ls_tensor *params = ls_model_params(state->model, &param_count);
  const ls_tensor *buffers = ls_model_buffers(state->model, &buffer_count);
  LS_PASS(write_tensors(group, "parameters", (tensor_list){params, param_count, state->params}, &order));
  return write_tensors(group, "buffers", (tensor_list){buffers, buffer_count, state->buffers}, &order);
}

static ls_status write_slot(ls_h5_id group, const ls_state *state, size_t slot)
{
  size_t count;
  const ls_tensor *tensors = ls_model_params(state->model, &count);
  for (size_t i = 0; i < count; i++)
    LS_PASS(write_tensor(group, &tensors[i], state->slots[slot].data + tensors[i].offset, NULL));
  return LS_OK;
}

static ls_status write_optimizer(ls_h5_id group, const ls_state *state)
{
  LS_PASS(ls_h5_put_count(group, "step", state->optimizer_step));
  for (size_t i = 0; i < state->slot_count; i++) {
    ls_h5_id slot;
    LS_PASS(ls_h5_group_make(&slot, group, state->slots[i].name));
    LS_PASS(ls_h5_close(slot, write_slot(slot, state, i)));
  }
  return LS_OK;
}

static ls_status write_average(ls_h5_id group, const ls_state *state)
{
  const ls_average *average = &state->average;
  char digest[LS_DIGEST_CHARS];
  size_t count;
  ls_weights_digest(state->model, average->params, average->buffers, digest);
  const ls_tensor *tensors = ls_model_params(state->model, &count);
  for (size_t i = 0; i < count; i++)
    LS_PASS(write_tensor(group, &tensors[i], average->params + tensors[i].offset, NULL));
  tensors = ls_model_buffers(state->model, &count);
  for (size_t i = 0; i < count; i++)
    LS_PASS(write_tensor(group, &tensors[i], average->buffers + tensors[i].offset, NULL));
  return ls_h5_put_text(group, "digest", digest);
}

static ls_status write_group(ls_h5_id file, const char *name, const ls_state *state,
                             ls_status (*write)(ls_h5_id group, const ls_state *state))
{
  ls_h5_id group;
  LS_PASS(ls_h5_group_make(&group, file, name));
  return ls_h5_close(group, write(group, state));
}

static ls_status write_splits(ls_h5_id metrics, const ls_checkpoint_info *info, const ls_state *state)
{
  ls_h5_id group;
  LS_PASS(ls_h5_group_make(&group, metrics, LS_SPLIT_METRICS_GROUP));
  return ls_h5_close(group, ls_split_metrics_write(group, &state->split_metrics, info->class_names));
}

static ls_status write_metrics(ls_h5_id file, const ls_checkpoint_info *info, const ls_state *state)
{
  ls_h5_id group = LS_H5_NONE;
  ls_status status = ls_histories_write(&group, file, state);
  if (status == LS_OK) status = write_splits(group, info, state);
  return ls_h5_close(group, status);
}

static ls_status write_all(ls_h5_id file, const ls_checkpoint_info *info, const ls_state *state)
{
  ls_checkpoint_info complete = *info;
  ls_weights_digest(state->model, state->params, state->buffers, complete.weights_digest);
  LS_PASS(ls_format_write(file, LS_CHECKPOINT_FORMAT));
  LS_PASS(ls_info_write(file, &complete));
  LS_PASS(ls_progress_write(file, &state->progress, &state->schedule));
  LS_PASS(write_group(file, "model", state, write_model));
  LS_PASS(write_group(file, "optimizer", state, write_optimizer));
  if (state->average.params) LS_PASS(write_group(file, "ema", state, write_average));
  return write_metrics(file, info, state);
}

static ls_status write_file(const ls_directory *directory, const char *name, const ls_checkpoint_info *info,
                            const ls_state *state)
{
  ls_h5_image image;
  ls_status status;
  LS_GO(ls_h5_image_start(&image, LS_SEAL_BYTES));
  LS_GO(write_all(image.file, info, state));
  LS_GO(ls_h5_image_finish(&image));
  ls_seal_set(image.bytes, image.count);
  LS_GO(ls_directory_write(directory, name, image.bytes, image.count));
done:
  ls_h5_image_fini(&image);
  return status;
}

ls_status ls_checkpoint_write_in(const ls_directory *directory, const char *name,
                                 const ls_checkpoint_info *info, const ls_state *state)
{
  LS_TRY(write_file(directory, name, info, state), "cannot write checkpoint '%s'", name);
  return LS_OK;
}

ls_status ls_checkpoint_write(const char *path, const ls_checkpoint_info *info, const ls_state *state)
{
  ls_directory folder;
  const char *name;
  LS_TRY(ls_directory_open_around(&folder, path, &name), "cannot write checkpoint '%s'", path);
  const ls_status status = ls_checkpoint_write_in(&folder, name, info, state);
  ls_directory_close(&folder);
  return status;
}
