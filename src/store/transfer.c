/* SPDX-License-Identifier: BSD-3-Clause */
/* One walk over the file: each dataset looks for its tensor in the model. */
#include "store/transfer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files/file.h"
#include "base/memory.h"
#include "base/show.h"
#include "store/checkpoint_find.h"
#include "store/layout.h"
#include "store/transfer_parts.h"

static const size_t FILE_LIMIT_BYTES = (size_t)1 << 36;

enum { WORK_BYTES = 16 /* for each value */ };

/* ---- shapes ---- */

/* Are all dimensions the same but this one? */
static bool differs_in(const ls_tensor *tensor, const ls_h5_data *data, size_t dim)
{
  bool same = data->dim_count == tensor->dim_count;
  for (size_t i = 0; same && i < tensor->dim_count; i++)
    same = (data->dims[i] == tensor->dims[i]) == (i != dim);
  return same;
}

static bool is_new_head(const ls_transfer *self, const ls_tensor *tensor, const ls_h5_data *data)
{
  return strcmp(tensor->layer, self->head) == 0 && differs_in(tensor, data, 0);
}

static bool has_other_channels(const ls_transfer *self, const ls_tensor *tensor, const ls_h5_data *data)
{
  return strcmp(tensor->layer, self->first) == 0 && tensor->dim_count == 4 && differs_in(tensor, data, 1) &&
         (tensor->dims[1] == 1 || data->dims[1] == 1) && data->dims[1] >= 1 &&
         data->dims[1] <= LS_CHECKPOINT_MAX_CHANNELS;
}

/* In a grey picture all channels are equal: the sum of the channels' weights gives the same output. */
static void adapt(const ls_tensor *tensor, size_t channels, const float *found, float *values)
{
  const size_t pixels = tensor->dims[2] * tensor->dims[3], own = tensor->dims[1];
  for (size_t k = 0; k < tensor->dims[0]; k++)
    for (size_t c = 0; c < own; c++)
      for (size_t p = 0; p < pixels; p++) {
        double sum = 0.0;
        for (size_t f = 0; f < channels; f++) sum += (double)found[(k * channels + f) * pixels + p];
        values[(k * own + c) * pixels + p] = (float)(sum / (double)own);
      }
}

/* Values beyond float32 become infinite when they are read. */
static ls_status check_finite(const ls_h5_data *data, const float *values, size_t count)
{
  bool all = true;
  for (size_t i = 0; i < count; i++) all &= isfinite(values[i]) != 0;
  if (all) return LS_OK;
  return ls_fail(LS_E_INPUT,
                 "dataset %s: a value is not finite in float32: the network it is from had diverged, or the "
                 "value is beyond 3.4e38",
                 data->path);
}

/* Read all values as they are in the file. */
static ls_status read_values(ls_h5_data *data, float *values)
{
  LS_PASS(ls_h5_data_check_foreign(data));
  LS_PASS(ls_h5_data_read(data, LS_H5_FLOAT32, values));
  return check_finite(data, values, data->count);
}

static ls_status read_adapted(ls_h5_data *data, const ls_tensor *tensor, float *values)
{
  float *found;
  LS_PASS(ls_alloc(&found, data->count, sizeof *found, "a tensor"));
  const ls_status status = read_values(data, found);
  if (status == LS_OK) adapt(tensor, data->dims[1], found, values);
  free(found);
  return status;
}

static ls_status refuse_shape(const ls_h5_data *data, const ls_tensor *tensor)
{
  LS_TRY(ls_h5_data_check_shape(data, tensor->dims, tensor->dim_count),
         "layer %s of the model is another one (images of the size and channels that the file's network was "
         "trained on may help, or another name)",
         tensor->layer);
  return LS_OK;
}

/* float16, bfloat16 where it has a type of its own, float32, float64: all become float32. */
static ls_status check_type(const ls_h5_data *data)
{
  if (data->element.class == LS_H5_REAL && data->element.bytes <= sizeof(double)) return LS_OK;
  return ls_fail(LS_E_INPUT, "dataset %s: weights are floating-point numbers (in PyTorch: tensor.float())",
                 data->path);
}

static ls_status refuse_second(const ls_h5_data *data, const ls_transfer_target *to)
{
  return ls_fail(LS_E_INPUT,
                 "datasets %s and %s are both %s.%s of the model: keep one of them, or of the networks that "
                 "they belong to, in the file",
                 to->from, data->path, to->tensor->layer, to->tensor->name);
}

static ls_status take(ls_transfer *self, ls_h5_data *data, ls_transfer_target *to)
{
  LS_PASS(check_type(data));
  if (to->from[0] != '\0') return refuse_second(data, to);
  snprintf(to->from, sizeof to->from, "%s", data->path);
  if (is_new_head(self, to->tensor, data)) return LS_OK;
  self->taken++;
  if (has_other_channels(self, to->tensor, data)) {
    to->fate = LS_ADAPTED;
    return read_adapted(data, to->tensor, to->values);
  }
  LS_PASS(refuse_shape(data, to->tensor));
  to->fate = LS_LOADED;
  return read_values(data, to->values);
}

static ls_status visit(void *user, const ls_h5_entry *entry)
{
  ls_transfer *self = user;
  if (entry->type != LS_H5_DATASET) return LS_OK;
  const char *name = entry->path + self->root_length + 1;
  const size_t found = ls_tensor_names_find(self->names, self->count, name);
  if (found == self->count) {
    if (!ls_tensor_names_is_counter(name)) ls_name_list_add(&self->skipped, "", LS_NAMES_SHOWN, name);
    return LS_OK;
  }
  ls_h5_data data;
  LS_PASS(ls_h5_data_open(&data, entry->parent, entry->name));
  const ls_status status = take(self, &data, &self->targets[found]);
  ls_h5_data_close(&data);
  return status;
}

/* ---- the whole ---- */

static ls_status list_targets(ls_transfer *self, const ls_model *model, float *params, float *buffers)
{
  size_t param_count, buffer_count;
  const ls_tensor *of_params = ls_model_params(model, &param_count);
  (void)ls_model_buffers(model, &buffer_count);
  if (param_count == 0) return ls_fail(LS_E_INPUT, "the model has no weights");
  self->count = param_count + buffer_count;
  LS_PASS(ls_alloc(&self->names, self->count, sizeof *self->names, "the names of the tensors"));
  LS_PASS(ls_alloc(&self->targets, self->count, sizeof *self->targets, "the tensors"));
  ls_tensor_names_fill(self->names, model);
  for (size_t i = 0; i < self->count; i++) {
    const ls_tensor *tensor = self->names[i].tensor;
    float *vector = i < param_count ? params : buffers;
    self->targets[i] = (ls_transfer_target){.tensor = tensor, .values = vector + tensor->offset};
  }
  self->head = of_params[param_count - 1].layer;
  self->first = of_params[0].layer;
  return LS_OK;
}

static ls_status walk_checkpoint(ls_h5_id file, ls_transfer *self)
{
  ls_h5_id group;
  LS_PASS(ls_format_check(file, LS_CHECKPOINT_FORMAT));
  bool has_average;
  LS_PASS(ls_h5_has(file, "ema", &has_average));
  const char *name = has_average ? "ema" : "model";
  self->root_length = strlen("/") + strlen(name);
  LS_PASS(ls_h5_group_open(&group, file, name));
  const ls_status status = ls_h5_walk(group, visit, self);
  ls_h5_release(group);
  return status;
}

/* Forgets what an earlier walk has found. */
static void start_again(ls_transfer *self)
{
  for (size_t i = 0; i < self->count; i++) {
    self->targets[i].fate = LS_INITIALIZED;
    self->targets[i].from[0] = '\0';
  }
  self->taken = self->root_length = 0;
  ls_name_list_clear(&self->skipped);
}

/* A file with a format attribute must be a checkpoint; any other one may be a state dict. */
static ls_status walk(ls_h5_id file, void *user)
{
  ls_transfer *self = user;
  bool has_format;
  start_again(self);
  LS_PASS(ls_h5_has_attribute(file, "format", &has_format));
  if (has_format)
    LS_PASS(walk_checkpoint(file, self));
  else
    LS_PASS(ls_h5_walk(file, visit, self));
  if (self->taken > 0) return LS_OK;
  return ls_fail(LS_E_INPUT,
                 "none of its tensors has the name of one of the model's, such as %s.%s; it has: %s",
                 self->first, self->targets[0].tensor->name,
                 self->skipped.count > 0 ? ls_text_get(&self->skipped.text) : "none");
}

static ls_status check_frozen(const ls_transfer *self)
{
  for (size_t i = 0; i < self->count; i++) {
    const ls_tensor *tensor = self->targets[i].tensor;
    if (tensor->lr_factor == 0.0 && self->targets[i].fate == LS_INITIALIZED)
      return ls_fail(LS_E_INPUT, "layer %s is frozen, but its %s does not come from the file", tensor->layer,
                     tensor->name);
  }
  return LS_OK;
}

/* What was adapted may be too large. */
static ls_status check_values(const ls_model *model, const float *params, const float *buffers)
{
  const ls_status status = ls_weights_check(model, params, buffers);
  return status == LS_E_NONFINITE ? ls_wrap(LS_E_INPUT, "adapted to the image's channels") : status;
}

/* Tensors may be stored in few bytes, but they are looked at, expanded and converted as a whole. */
static ls_status read_file(ls_transfer *self, const char *path)
{
  uint64_t elements = 0;
  for (size_t i = 0; i < self->count; i++) elements += self->targets[i].tensor->count;
  LS_PASS(ls_h5_read_work(path, elements * WORK_BYTES, walk, self));
  return check_frozen(self);
}

static ls_status digest_file(const char *path, char digest[LS_DIGEST_CHARS])
{
  char *bytes;
  size_t count;
  LS_PASS(ls_file_read(path, FILE_LIMIT_BYTES, &bytes, &count));
  ls_digest_of(bytes, count, digest);
  free(bytes);
  return LS_OK;
}

/* Files of torch.save() and the like are easily given by mistake. */
static const char *remedy_for(const char *path)
{
  static const char *const endings[] = {".pt", ".pth", ".bin", ".ckpt", ".safetensors"};
  const char *ending = strrchr(path, '.');
  for (size_t i = 0; ending && i < sizeof endings / sizeof *endings; i++)
    if (strcmp(ending, endings[i]) == 0)
      return " (its tensors are to be written as HDF5: README, 'From other weights')";
  return "";
}

ls_status ls_transfer_read(const char *path, const ls_model *model, float *params, float *buffers,
                           ls_transfer_report *report)
{
  ls_transfer self = {.count = 0};
  char *file = NULL;
  ls_status status;
  LS_GO(ls_checkpoint_find(path, &file, &report->lines));
  LS_GO(list_targets(&self, model, params, buffers));
  LS_GO(ls_checkpoint_advise(read_file(&self, file), file));
  LS_GO(check_values(model, params, buffers));
  LS_GO(digest_file(file, report->digest));
  ls_transfer_describe(&self, file, &report->lines);
  ls_transfer_warn(&self, file, &report->warning);
  if (report->lines.failed || report->warning.failed)
    status = ls_fail(LS_E_MEMORY, "no memory to report what was loaded");
done:
  free(file);
  free(self.targets);
  free(self.names);
  ls_name_list_clear(&self.skipped);
  if (status == LS_OK) return LS_OK;
  return ls_wrap(status, "model.init_from: cannot take weights from '%s'%s", path, remedy_for(path));
}

ls_status ls_transfer_try(const char *path, const ls_model *model, ls_transfer_report *report)
{
  const ls_model_counts *counts = ls_model_count(model);
  float *params = NULL, *buffers = NULL;
  ls_status status;
  LS_GO(ls_alloc(&params, counts->params, sizeof *params, "the parameters"));
  LS_GO(ls_alloc(&buffers, counts->buffers, sizeof *buffers, "the running statistics"));
  LS_GO(ls_transfer_read(path, model, params, buffers, report));
done:
  free(params);
  free(buffers);
  return status;
}

void ls_transfer_report_fini(ls_transfer_report *report)
{
  ls_text_fini(&report->lines);
  ls_text_fini(&report->warning);
}
