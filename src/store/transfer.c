/* SPDX-License-Identifier: BSD-3-Clause */
/* One walk over the file: each dataset looks for its tensor in the model. What was found is told from the
 * model's point of view, tensor by tensor. */
#include "store/transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/show.h"
#include "store/checkpoint_find.h"
#include "store/h5.h"
#include "store/layout.h"

static const size_t FILE_LIMIT_BYTES = (size_t)1 << 36;

typedef enum fate { INITIALIZED, LOADED, ADAPTED, FATES } fate;

/* A tensor of the model and where its values go. */
typedef struct target {
  const ls_tensor *tensor;
  float *values;
  fate fate;
} target;

typedef struct transfer {
  size_t root_length; /* characters of the path of the group that is walked through */
  target *targets;    /* [count] parameters, then buffers; owned */
  size_t count;
  const char *head;  /* name of the last layer with parameters */
  const char *first; /* of the first one */
  size_t taken;
  ls_text skipped; /* names in the file that the model does not have */
} transfer;

/* ---- names ---- */

static char fold(char c)
{
  return c == '/' ? '.' : c;
}

static char fold_more(char c)
{
  return c == '/' || c == '_' ? '.' : c;
}

static bool is_same(const char *a, const char *b, char (*folded)(char))
{
  while (*a != '\0' && folded(*a) == folded(*b)) a++, b++;
  return *a == *b;
}

/* The model's tensor of that name in the file; NULL: there is none. */
static target *find_target(const transfer *self, const char *name)
{
  static char (*const ways[])(char) = {fold, fold_more};
  char own[LS_LAYER_NAME_BYTES + LS_TENSOR_NAME_BYTES + 1];
  for (size_t way = 0; way < sizeof ways / sizeof *ways; way++)
    for (size_t i = 0; i < self->count; i++) {
      const ls_tensor *tensor = self->targets[i].tensor;
      snprintf(own, sizeof own, "%s.%s", tensor->layer, tensor->name);
      if (is_same(name, own, ways[way])) return &self->targets[i];
    }
  return NULL;
}

static bool is_bookkeeping(const char *name)
{
  static const char counter[] = "num_batches_tracked";
  const size_t length = strlen(name);
  return length >= strlen(counter) && strcmp(name + length - strlen(counter), counter) == 0;
}

/* ---- shapes ---- */

/* Are all dimensions the same but this one? */
static bool differs_in(const ls_tensor *tensor, const ls_h5_data *data, size_t dim)
{
  bool same = data->dim_count == tensor->dim_count;
  for (size_t i = 0; same && i < tensor->dim_count; i++)
    same = (data->dims[i] == tensor->dims[i]) == (i != dim);
  return same;
}

static bool is_new_head(const transfer *self, const ls_tensor *tensor, const ls_h5_data *data)
{
  return strcmp(tensor->layer, self->head) == 0 && differs_in(tensor, data, 0);
}

static bool has_other_channels(const transfer *self, const ls_tensor *tensor, const ls_h5_data *data)
{
  return strcmp(tensor->layer, self->first) == 0 && tensor->dim_count == 4 && differs_in(tensor, data, 1) &&
         (tensor->dims[1] == 1 || data->dims[1] == 1);
}

/* A grey image shows each channel the same: the sum over the channels' weights sees what they saw. */
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

static ls_status read_adapted(const ls_h5_data *data, const ls_tensor *tensor, float *values)
{
  float *found;
  LS_PASS(ls_alloc(&found, data->count, sizeof *found, "a tensor"));
  const ls_status status = ls_h5_data_read(data, H5T_NATIVE_FLOAT, found);
  if (status == LS_OK) adapt(tensor, (size_t)data->dims[1], found, values);
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

static ls_status take(transfer *self, const ls_h5_data *data, target *to)
{
  LS_TRY(ls_h5_data_check_floats(data), "weights are float32 (in PyTorch: tensor.float())");
  LS_PASS(ls_h5_data_check_plain(data));
  if (to->fate != INITIALIZED) return ls_fail(LS_E_INPUT, "dataset %s: it is there twice", data->path);
  if (is_new_head(self, to->tensor, data)) return LS_OK;
  self->taken++;
  if (has_other_channels(self, to->tensor, data)) {
    to->fate = ADAPTED;
    return read_adapted(data, to->tensor, to->values);
  }
  LS_PASS(refuse_shape(data, to->tensor));
  to->fate = LOADED;
  return ls_h5_data_read(data, H5T_NATIVE_FLOAT, to->values);
}

static ls_status visit(void *user, const ls_h5_entry *entry)
{
  transfer *self = user;
  if (entry->type != LS_H5_DATASET) return LS_OK;
  const char *name = entry->path + self->root_length + 1;
  target *to = find_target(self, name);
  if (!to) {
    if (!is_bookkeeping(name)) ls_text_show(&self->skipped, "%s%s", self->skipped.length ? ", " : "", name);
    return LS_OK;
  }
  ls_h5_data data;
  LS_PASS(ls_h5_data_open(&data, entry->parent, entry->name));
  const ls_status status = take(self, &data, to);
  ls_h5_data_close(&data);
  return status;
}

/* ---- the whole ---- */

static ls_status list_targets(transfer *self, const ls_model *model, float *params, float *buffers)
{
  size_t param_count, buffer_count;
  const ls_tensor *of_params = ls_model_params(model, &param_count);
  const ls_tensor *of_buffers = ls_model_buffers(model, &buffer_count);
  LS_PASS(ls_alloc(&self->targets, param_count + buffer_count, sizeof *self->targets, "the tensors"));
  for (size_t i = 0; i < param_count; i++)
    self->targets[self->count++] = (target){.tensor = &of_params[i], .values = params + of_params[i].offset};
  for (size_t i = 0; i < buffer_count; i++)
    self->targets[self->count++] =
        (target){.tensor = &of_buffers[i], .values = buffers + of_buffers[i].offset};
  if (param_count == 0) return ls_fail(LS_E_INPUT, "the model has no weights");
  self->head = of_params[param_count - 1].layer;
  self->first = of_params[0].layer;
  return LS_OK;
}

static ls_status walk_checkpoint(hid_t file, transfer *self)
{
  hid_t group;
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

/* A file that says what it is must be a checkpoint; any other one may be a state dict. */
static ls_status walk(hid_t file, void *user)
{
  transfer *self = user;
  bool has_format;
  LS_PASS(ls_h5_has_attribute(file, "format", &has_format));
  if (has_format)
    LS_PASS(walk_checkpoint(file, self));
  else
    LS_PASS(ls_h5_walk(file, visit, self));
  if (self->taken > 0) return LS_OK;
  return ls_fail(LS_E_INPUT,
                 "none of its tensors has the name of one of the model's, such as %s.%s; it has: %s",
                 self->first, self->targets[0].tensor->name,
                 self->skipped.length ? ls_text_get(&self->skipped) : "none");
}

static ls_status check_frozen(const transfer *self)
{
  for (size_t i = 0; i < self->count; i++) {
    const ls_tensor *tensor = self->targets[i].tensor;
    if (tensor->lr_factor == 0.0 && self->targets[i].fate == INITIALIZED)
      return ls_fail(LS_E_INPUT, "layer %s is frozen, but its %s does not come from the file", tensor->layer,
                     tensor->name);
  }
  return LS_OK;
}

static ls_status check_values(const ls_model *model, const float *params, const float *buffers)
{
  const ls_status status = ls_weights_check(model, params, buffers);
  if (status != LS_E_NONFINITE) return status;
  return ls_wrap(LS_E_INPUT, "the network it is from had diverged");
}

static void add_fate(const transfer *self, fate which, const char *word, ls_text *report)
{
  size_t count = 0;
  for (size_t i = 0; i < self->count; i++) {
    const ls_tensor *tensor = self->targets[i].tensor;
    if (self->targets[i].fate != which) continue;
    ls_text_show(report, "%s%s.%s", count++ == 0 ? word : ", ", tensor->layer, tensor->name);
  }
  if (count > 0) ls_text_add(report, "\n");
}

static void tell(const transfer *self, const char *path, ls_text *report)
{
  ls_text_show(report, "weights from %s\n", path);
  add_fate(self, LOADED, "  loaded: ", report);
  add_fate(self, ADAPTED, "  adapted to the image's channels: ", report);
  add_fate(self, INITIALIZED, "  initialized: ", report);
  if (self->skipped.length > 0) ls_text_add(report, "  skipped: %s\n", ls_text_get(&self->skipped));
}

static ls_status read_file(transfer *self, const char *path)
{
  LS_PASS(ls_h5_read(path, walk, self));
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

ls_status ls_transfer_read(const char *path, const ls_model *model, float *params, float *buffers,
                           char digest[LS_DIGEST_CHARS], ls_text *report)
{
  transfer self = {.count = 0};
  char *file = NULL;
  ls_status status;
  LS_GO(ls_checkpoint_find(path, &file, report));
  LS_GO(list_targets(&self, model, params, buffers));
  LS_GO(read_file(&self, file));
  LS_GO(check_values(model, params, buffers));
  LS_GO(digest_file(file, digest));
  tell(&self, file, report);
  if (report->failed || self.skipped.failed)
    status = ls_fail(LS_E_MEMORY, "no memory to tell what was loaded");
done:
  free(file);
  free(self.targets);
  ls_text_fini(&self.skipped);
  return status == LS_OK ? LS_OK : ls_wrap(status, "model.init_from: cannot take weights from '%s'", path);
}

ls_status ls_transfer_try(const char *path, const ls_model *model, ls_text *report)
{
  const ls_model_counts *counts = ls_model_count(model);
  char digest[LS_DIGEST_CHARS];
  float *params = NULL, *buffers = NULL;
  ls_status status;
  LS_GO(ls_alloc(&params, counts->params, sizeof *params, "the parameters"));
  LS_GO(ls_alloc(&buffers, counts->buffers, sizeof *buffers, "the running statistics"));
  LS_GO(ls_transfer_read(path, model, params, buffers, digest, report));
done:
  free(params);
  free(buffers);
  return status;
}
