/* SPDX-License-Identifier: BSD-3-Clause */
/* Writing a checkpoint: built in memory, sealed, and put in place as a whole. */
#include <stdlib.h>

#include "base/directory.h"
#include "base/memory.h"
#include "store/checkpoint.h"
#include "h5/h5.h"
#include "store/history.h"
#include "store/split_metrics_h5.h"
#include "store/layout.h"
#include "h5/seal.h"

/* The group of a layer, made when its first tensor comes. */
static ls_status open_layer(hid_t *layer, hid_t group, const char *name)
{
  bool has;
  LS_PASS(ls_h5_has(group, name, &has));
  return has ? ls_h5_group_open(layer, group, name) : ls_h5_group_make(layer, group, name);
}

/* Write <group>/<layer>/<tensor>; with `order`, the tensor's place in the digest. */
static ls_status write_tensor(hid_t group, const ls_tensor *tensor, const float *values,
                              const uint64_t *order)
{
  hid_t layer = H5I_INVALID_HID;
  ls_h5_data data = {.id = H5I_INVALID_HID};
  ls_status status;
  LS_GO(open_layer(&layer, group, tensor->layer));
  LS_GO(ls_h5_data_make(&data, layer, tensor->name, H5T_IEEE_F32LE, tensor->dims, tensor->dim_count));
  LS_GO(ls_h5_data_write(&data, H5T_NATIVE_FLOAT, values));
  if (order) LS_GO(ls_h5_put_count(data.id, LS_TENSOR_ORDER, *order));
done:
  return ls_h5_close(layer, ls_h5_close(data.id, status));
}

static ls_status write_model(hid_t group, const ls_state *state)
{
  size_t count;
  uint64_t order = 0, parameters = 0, buffers = 0;
  const ls_tensor *tensors = ls_model_params(state->model, &count);
  for (size_t i = 0; i < count; i++, order++) {
    LS_PASS(write_tensor(group, &tensors[i], state->params + tensors[i].offset, &order));
    parameters += tensors[i].count;
  }
  tensors = ls_model_buffers(state->model, &count);
  for (size_t i = 0; i < count; i++, order++) {
    LS_PASS(write_tensor(group, &tensors[i], state->buffers + tensors[i].offset, &order));
    buffers += tensors[i].count;
  }
  LS_PASS(ls_h5_put_count(group, "parameters", parameters));
  return ls_h5_put_count(group, "buffers", buffers);
}

static ls_status write_slot(hid_t group, const ls_state *state, size_t slot)
{
  size_t count;
  const ls_tensor *tensors = ls_model_params(state->model, &count);
  for (size_t i = 0; i < count; i++)
    LS_PASS(write_tensor(group, &tensors[i], state->slots[slot].data + tensors[i].offset, NULL));
  return LS_OK;
}

static ls_status write_optimizer(hid_t group, const ls_state *state)
{
  LS_PASS(ls_h5_put_count(group, "step", state->optimizer_step));
  for (size_t i = 0; i < state->slot_count; i++) {
    hid_t slot;
    LS_PASS(ls_h5_group_make(&slot, group, state->slots[i].name));
    LS_PASS(ls_h5_close(slot, write_slot(slot, state, i)));
  }
  return LS_OK;
}

static ls_status write_average(hid_t group, const ls_state *state)
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

static ls_status write_group(hid_t file, const char *name, const ls_state *state,
                             ls_status (*write)(hid_t group, const ls_state *state))
{
  hid_t group;
  LS_PASS(ls_h5_group_make(&group, file, name));
  return ls_h5_close(group, write(group, state));
}

static ls_status write_splits(hid_t metrics, const ls_checkpoint_info *info, const ls_state *state)
{
  hid_t group;
  LS_PASS(ls_h5_group_make(&group, metrics, LS_SPLIT_METRICS_GROUP));
  return ls_h5_close(group, ls_split_metrics_write(group, &state->split_metrics, info->class_names));
}

static ls_status write_metrics(hid_t file, const ls_checkpoint_info *info, const ls_state *state)
{
  hid_t group = H5I_INVALID_HID;
  ls_status status = ls_histories_write(&group, file, &state->train, &state->validation);
  if (status == LS_OK) status = write_splits(group, info, state);
  return ls_h5_close(group, status);
}

static ls_status write_all(hid_t file, const ls_checkpoint_info *info, const ls_state *state)
{
  ls_checkpoint_info complete = *info;
  complete.progress = state->progress;
  ls_weights_digest(state->model, state->params, state->buffers, complete.weights_digest);
  LS_PASS(ls_format_write(file, LS_CHECKPOINT_FORMAT));
  LS_PASS(ls_info_write(file, &complete));
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
