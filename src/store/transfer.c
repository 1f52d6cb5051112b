/* SPDX-License-Identifier: BSD-3-Clause */
/* One walk over the file: each dataset looks for its tensor in the model. What was found is told from the
 * model's point of view, tensor by tensor. */
#include "store/transfer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/show.h"
#include "store/checkpoint_find.h"
#include "store/foreign_names.h"
#include "h5/h5.h"
#include "store/layout.h"

static const size_t FILE_LIMIT_BYTES = (size_t)1 << 36;

typedef enum fate { INITIALIZED, LOADED, ADAPTED, FATES } fate;

enum { WORK_BYTES = 16 /* for each value */, NAMES_TOLD = 8, LAYERS_TOLD = 4 };

/* Where the values of a tensor of the model go. */
typedef struct target {
  const ls_tensor *tensor;
  float *values;
  fate fate;
  char from[LS_H5_PATH_BYTES]; /* the dataset that they came from; "": none */
} target;

/* Names, of which the first ones are told. */
typedef struct name_list {
  ls_text text;
  size_t count;
} name_list;

typedef struct transfer {
  size_t root_length;     /* characters of the path of the group that is walked through */
  ls_tensor_names *names; /* [count] parameters, then buffers; owned */
  target *targets;        /* [count] likewise */
  size_t count;
  const char *head;  /* name of the last layer with parameters */
  const char *first; /* of the first one */
  size_t taken;
  name_list skipped; /* names in the file that the model does not have */
} transfer;

/* Append a name, after `head` if it is the first, unless `most` are there. */
static void add_name(name_list *list, const char *head, size_t most, const char *name)
{
  if (list->count < most) ls_text_show(&list->text, "%s%s", list->count == 0 ? head : ", ", name);
  if (list->count++ == most) ls_text_add(&list->text, ", ...");
}

static void clear_names(name_list *list)
{
  ls_text_fini(&list->text);
  list->count = 0;
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
         (tensor->dims[1] == 1 || data->dims[1] == 1) && data->dims[1] >= 1 &&
         data->dims[1] <= LS_CHECKPOINT_MAX_CHANNELS;
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

/* Values that float32 does not hold become infinite when they are read. */
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

static ls_status refuse_second(const ls_h5_data *data, const target *to)
{
  return ls_fail(LS_E_INPUT,
                 "datasets %s and %s are both %s.%s of the model: keep one of them, or of the networks that "
                 "they belong to, in the file",
                 to->from, data->path, to->tensor->layer, to->tensor->name);
}

static ls_status take(transfer *self, ls_h5_data *data, target *to)
{
  LS_PASS(check_type(data));
  if (to->from[0] != '\0') return refuse_second(data, to);
  snprintf(to->from, sizeof to->from, "%s", data->path);
  if (is_new_head(self, to->tensor, data)) return LS_OK;
  self->taken++;
  if (has_other_channels(self, to->tensor, data)) {
    to->fate = ADAPTED;
    return read_adapted(data, to->tensor, to->values);
  }
  LS_PASS(refuse_shape(data, to->tensor));
  to->fate = LOADED;
  return read_values(data, to->values);
}

static ls_status visit(void *user, const ls_h5_entry *entry)
{
  transfer *self = user;
  if (entry->type != LS_H5_DATASET) return LS_OK;
  const char *name = entry->path + self->root_length + 1;
  const size_t found = ls_tensor_names_find(self->names, self->count, name);
  if (found == self->count) {
    if (!ls_tensor_names_is_counter(name)) add_name(&self->skipped, "", NAMES_TOLD, name);
    return LS_OK;
  }
  ls_h5_data data;
  LS_PASS(ls_h5_data_open(&data, entry->parent, entry->name));
  const ls_status status = take(self, &data, &self->targets[found]);
  ls_h5_data_close(&data);
  return status;
}

/* ---- the whole ---- */

static ls_status list_targets(transfer *self, const ls_model *model, float *params, float *buffers)
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
    self->targets[i] = (target){.tensor = tensor, .values = vector + tensor->offset};
  }
  self->head = of_params[param_count - 1].layer;
  self->first = of_params[0].layer;
  return LS_OK;
}

static ls_status walk_checkpoint(ls_h5_id file, transfer *self)
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

/* What an earlier walk has found is forgotten. */
static void start_again(transfer *self)
{
  for (size_t i = 0; i < self->count; i++) {
    self->targets[i].fate = INITIALIZED;
    self->targets[i].from[0] = '\0';
  }
  self->taken = self->root_length = 0;
  clear_names(&self->skipped);
}

/* A file that says what it is must be a checkpoint; any other one may be a state dict. */
static ls_status walk(ls_h5_id file, void *user)
{
  transfer *self = user;
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

/* What was adapted may be too large. */
static ls_status check_values(const ls_model *model, const float *params, const float *buffers)
{
  const ls_status status = ls_weights_check(model, params, buffers);
  return status == LS_E_NONFINITE ? ls_wrap(LS_E_INPUT, "adapted to the image's channels") : status;
}

/* End a line of names, if there are any. */
static void add_names(const name_list *names, const char *end, ls_text *out)
{
  if (names->count == 0) return;
  ls_text_add(out, "%s", ls_text_get(&names->text));
  if (names->count > NAMES_TOLD) ls_text_add(out, " (%zu in all)", names->count);
  ls_text_add(out, "%s", end);
  out->failed |= names->text.failed;
}

static void add_fate(const transfer *self, fate which, const char *word, ls_text *report)
{
  name_list names = {.count = 0};
  for (size_t i = 0; i < self->count; i++) {
    char name[LS_LAYER_NAME_BYTES + LS_TENSOR_NAME_BYTES + 1];
    const ls_tensor *tensor = self->targets[i].tensor;
    if (self->targets[i].fate != which) continue;
    snprintf(name, sizeof name, "%s.%s", tensor->layer, tensor->name);
    add_name(&names, word, NAMES_TOLD, name);
  }
  add_names(&names, "\n", report);
  clear_names(&names);
}

static void tell(const transfer *self, const char *path, ls_text *report)
{
  ls_text_show(report, "weights from %s\n", path);
  add_fate(self, LOADED, "  loaded: ", report);
  add_fate(self, ADAPTED, "  adapted to the image's channels: ", report);
  add_fate(self, INITIALIZED, "  initialized: ", report);
  if (self->skipped.count > 0) ls_text_add(report, "  skipped: ");
  add_names(&self->skipped, "\n", report);
}

/* Is this the first tensor of its layer that the file does not have? */
static bool is_first_lack(const transfer *self, size_t i)
{
  const char *layer = self->targets[i].tensor->layer;
  if (self->targets[i].fate != INITIALIZED) return false;
  for (size_t before = 0; before < i; before++)
    if (self->targets[before].fate == INITIALIZED && strcmp(self->targets[before].tensor->layer, layer) == 0)
      return false;
  return true;
}

/* Layers but the last one that the file does not have, or not all of: it may have them by other names. */
static void warn(const transfer *self, const char *path, ls_text *warning)
{
  name_list layers = {.count = 0};
  for (size_t i = 0; i < self->count; i++) {
    const char *layer = self->targets[i].tensor->layer;
    if (is_first_lack(self, i) && strcmp(layer, self->head) != 0) add_name(&layers, "", LAYERS_TOLD, layer);
  }
  if (layers.count > 0)
    ls_text_show(warning,
                 "model.init_from: '%s' lacks tensors of %zu layer%s, which start%s as initialized: ", path,
                 layers.count, ls_plural(layers.count), layers.count == 1 ? "s" : "");
  ls_text_add(warning, "%s%s", ls_text_get(&layers.text), layers.count > 0 ? "\n" : "");
  warning->failed |= layers.text.failed;
  clear_names(&layers);
}

/* Tensors may be stored in few bytes, but they are looked at, expanded and converted as a whole. */
static ls_status read_file(transfer *self, const char *path)
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

/* What torch.save() and the like make is easily given. */
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
  transfer self = {.count = 0};
  char *file = NULL;
  ls_status status;
  LS_GO(ls_checkpoint_find(path, &file, &report->lines));
  LS_GO(list_targets(&self, model, params, buffers));
  LS_GO(ls_checkpoint_advise(read_file(&self, file), file));
  LS_GO(check_values(model, params, buffers));
  LS_GO(digest_file(file, report->digest));
  tell(&self, file, &report->lines);
  warn(&self, file, &report->warning);
  if (report->lines.failed || report->warning.failed)
    status = ls_fail(LS_E_MEMORY, "no memory to tell what was loaded");
done:
  free(file);
  free(self.targets);
  free(self.names);
  clear_names(&self.skipped);
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
