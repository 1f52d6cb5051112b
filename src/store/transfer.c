/* SPDX-License-Identifier: BSD-3-Clause */
/* One walk over the file: each of its tensors looks for its own in the model. */
#include "store/transfer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files/file.h"
#include "base/memory.h"
#include "base/show.h"
#include "store/checkpoint_find.h"
#include "store/checkpoint.h"
#include "store/transfer_internal.h"

enum { WORK_BYTES = 16 /* for each value */ };

/* ---- shapes ---- */

/* Are all dimensions the same but this one? */
static bool differs_in(const ls_tensor *tensor, const ls_foreign_tensor *from, size_t dim)
{
  bool same = from->dim_count == tensor->dim_count;
  for (size_t i = 0; same && i < tensor->dim_count; i++)
    same = (from->dims[i] == tensor->dims[i]) == (i != dim);
  return same;
}

static bool is_new_head(const ls_transfer *self, const ls_tensor *tensor, const ls_foreign_tensor *from)
{
  return strcmp(tensor->layer, self->head) == 0 && differs_in(tensor, from, 0);
}

/* Not in groups: their filters see some of the channels alone. */
static bool has_other_channels(const ls_transfer *self, const ls_tensor *tensor,
                               const ls_foreign_tensor *from)
{
  return strcmp(tensor->layer, self->first) == 0 && tensor->dim_count == 4 &&
         tensor->dims[1] == self->channels && differs_in(tensor, from, 1) &&
         (tensor->dims[1] == 1 || from->dims[1] == 1) && from->dims[1] >= 1 &&
         from->dims[1] <= LS_CHECKPOINT_MAX_CHANNELS;
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
static ls_status check_finite(const ls_foreign_tensor *from, const float *values)
{
  bool all = true;
  for (size_t i = 0; i < from->count; i++) all &= isfinite(values[i]) != 0;
  if (all) return LS_OK;
  return ls_fail(LS_E_INPUT,
                 "%s %s: a value is not finite in float32: the network it is from had diverged, or the "
                 "value is beyond 3.4e38",
                 from->noun, from->place);
}

/* Read all values as they are in the file. */
static ls_status read_values(const ls_foreign_tensor *from, float *values)
{
  LS_PASS(from->read(from, values));
  return check_finite(from, values);
}

static ls_status read_adapted(const ls_foreign_tensor *from, const ls_tensor *tensor, float *values)
{
  float *found;
  LS_PASS(ls_alloc(&found, from->count, sizeof *found, "a tensor"));
  const ls_status status = read_values(from, found);
  if (status == LS_OK) adapt(tensor, from->dims[1], found, values);
  free(found);
  return status;
}

static ls_status check_shape(const ls_foreign_tensor *from, const ls_tensor *tensor)
{
  bool same = tensor->dim_count == from->dim_count;
  for (size_t i = 0; same && i < tensor->dim_count; i++) same = tensor->dims[i] == from->dims[i];
  if (same) return LS_OK;
  char expected[LS_H5_SHAPE_BYTES], found[LS_H5_SHAPE_BYTES];
  ls_h5_shape_text(tensor->dims, tensor->dim_count, expected);
  ls_h5_shape_text(from->dims, from->dim_count, found);
  return ls_fail(LS_E_INPUT,
                 "layer %s of the model is another one (images of the size and channels that the file's "
                 "network was trained on may help, or another name): %s %s: shape %s expected, %s found",
                 tensor->layer, from->noun, from->place, expected, found);
}

static ls_status check_type(const ls_foreign_tensor *from)
{
  if (from->is_real) return LS_OK;
  return ls_fail(LS_E_INPUT, "%s %s: weights are floating-point numbers (in PyTorch: tensor.float())",
                 from->noun, from->place);
}

static ls_status refuse_second(const ls_foreign_tensor *from, const ls_transfer_target *to)
{
  return ls_fail(
      LS_E_INPUT,
      "%ss %s and %s are both %s.%s of the model: give the key of one of the networks that they belong "
      "to, model.init_from: FILE#KEY, or keep one of them in the file",
      from->noun, to->from, from->place, to->tensor->layer, to->tensor->name);
}

/* ---- visits ---- */

/* Forgets what an earlier walk has found. */
static void start_again(void *user)
{
  ls_transfer *self = user;
  for (size_t i = 0; i < self->count; i++) {
    self->targets[i].fate = LS_INITIALIZED;
    self->targets[i].from[0] = '\0';
  }
  self->taken = 0;
  ls_name_list_clear(&self->skipped);
}

static bool wants(void *user, const char *name)
{
  ls_transfer *self = user;
  self->found = ls_tensor_names_find(self->names, self->count, &self->renames, name);
  if (self->found < self->count) return true;
  if (!ls_tensor_names_is_counter(name)) ls_name_list_add(&self->skipped, "", LS_NAMES_SHOWN, name);
  return false;
}

static ls_status take(void *user, const ls_foreign_tensor *from)
{
  ls_transfer *self = user;
  ls_transfer_target *to = &self->targets[self->found];
  LS_PASS(check_type(from));
  if (to->from[0] != '\0') return refuse_second(from, to);
  snprintf(to->from, sizeof to->from, "%s", from->place);
  if (!self->as_it_is && is_new_head(self, to->tensor, from)) return LS_OK;
  self->taken++;
  if (!self->as_it_is && has_other_channels(self, to->tensor, from)) {
    to->fate = LS_ADAPTED;
    return read_adapted(from, to->tensor, to->values);
  }
  LS_PASS(check_shape(from, to->tensor));
  to->fate = LS_LOADED;
  return read_values(from, to->values);
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
  self->channels = ls_model_input(model).c;
  return LS_OK;
}

static ls_status check_taken(const ls_transfer *self)
{
  if (self->taken > 0) return LS_OK;
  return ls_fail(
      LS_E_INPUT,
      "none of its tensors has the name of one of the model's, such as %s.%s; it has: %s (name the "
      "layers so, or use model.rename)",
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

/* FILE#KEY, unless there is a file of the whole name. The key is borrowed from `path`; NULL: none. *file is
 * newly made. */
static ls_status split_key(const char *path, char **file, const char **key)
{
  ls_file_kind kind;
  char *mark = strrchr(path, '#');
  LS_PASS(ls_text_copy(file, path));
  *key = NULL;
  if (!mark || mark == path || mark[1] == '\0') return LS_OK;
  LS_PASS(ls_file_look(&kind, path));
  if (kind != LS_FILE_NONE) return LS_OK;
  (*file)[mark - path] = '\0';
  *key = mark + 1;
  return LS_OK;
}

static ls_status read_file(ls_transfer *self, const char *path, const char *key, char digest[LS_DIGEST_CHARS])
{
  const ls_foreign_visitor visitor = {.start = start_again, .wants = wants, .take = take, .user = self};
  ls_foreign_file file = {.path = path, .key = key};
  for (size_t i = 0; i < self->count; i++) file.work_bytes += self->targets[i].tensor->count * WORK_BYTES;
  LS_PASS(ls_foreign_walk(file, &visitor, digest));
  LS_PASS(check_taken(self));
  return check_frozen(self);
}

static ls_status compile_renames(ls_transfer *self, const ls_text_list *renames)
{
  return renames ? ls_renames_compile(&self->renames, renames) : LS_OK;
}

ls_status ls_transfer_read(const ls_transfer_source *source, const ls_model *model, float *params,
                           float *buffers, ls_transfer_report *report)
{
  ls_transfer self = {.count = 0};
  char *path = NULL, *file = NULL;
  const char *key;
  ls_status status;
  LS_GO(split_key(source->path, &path, &key));
  LS_GO(ls_checkpoint_find(path, &file, &report->lines));
  self.as_it_is = source->as_it_is;
  LS_GO(compile_renames(&self, source->renames));
  LS_GO(list_targets(&self, model, params, buffers));
  LS_GO(ls_checkpoint_advise(read_file(&self, file, key, report->digest), file));
  LS_GO(check_values(model, params, buffers));
  ls_transfer_describe(&self, file, &report->lines);
  ls_transfer_warn(&self, file, &report->warning);
  ls_transfer_list(&self, LS_INITIALIZED, "", "", &report->lacking);
  if (report->lines.failed || report->warning.failed || report->lacking.failed)
    status = ls_fail(LS_E_MEMORY, "no memory to report what was loaded");
done:
  free(path);
  free(file);
  free(self.targets);
  free(self.names);
  ls_renames_fini(&self.renames);
  ls_name_list_clear(&self.skipped);
  if (status == LS_OK) return LS_OK;
  return ls_wrap(status, "model.init_from: cannot take weights from '%s'", source->path);
}

ls_status ls_transfer_try(const ls_transfer_source *source, const ls_model *model, ls_transfer_report *report)
{
  const ls_model_counts *counts = ls_model_count(model);
  float *params = NULL, *buffers = NULL;
  ls_status status;
  LS_GO(ls_alloc(&params, counts->params, sizeof *params, "the parameters"));
  LS_GO(ls_alloc(&buffers, counts->buffers, sizeof *buffers, "the running statistics"));
  LS_GO(ls_transfer_read(source, model, params, buffers, report));
done:
  free(params);
  free(buffers);
  return status;
}

void ls_transfer_report_fini(ls_transfer_report *report)
{
  ls_text_fini(&report->lines);
  ls_text_fini(&report->warning);
  ls_text_fini(&report->lacking);
}
