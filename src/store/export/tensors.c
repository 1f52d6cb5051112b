/* SPDX-License-Identifier: BSD-3-Clause */
/* Names as PyTorch's modules have them: a block layer1_0 is block 0 of layer1, and its shortcut is called
 * downsample, whose layers are numbered, as torchvision's are. */
#include "store/export/tensors.h"

#include <stdio.h>
#include <string.h>

#include "base/size.h"

static const char SHORTCUT[] = "shortcut", DOWNSAMPLE[] = "downsample";

/* ---- names ---- */

/* Which of the layers of its shortcut is a layer? */
typedef struct placing {
  const char *layer;
  size_t prefix; /* characters of the shortcut's path, with its point */
  size_t place;
  bool is_found;
} placing;

static void count_before(const ls_layer *layer, size_t depth, void *user)
{
  (void)depth;
  placing *self = user;
  if (strncmp(layer->name, self->layer, self->prefix) != 0 || strchr(layer->name + self->prefix, '.')) return;
  self->is_found = self->is_found || strcmp(layer->name, self->layer) == 0;
  self->place += !self->is_found;
}

/* Append a part of a layer's path: the name of a block, or of a layer in one. */
static size_t add_part(char *name, size_t used, const char *part, size_t length)
{
  const char *digits = part + length;
  while (digits > part && digits[-1] >= '0' && digits[-1] <= '9') digits--;
  const bool is_numbered = digits > part + 1 && digits < part + length && digits[-1] == '_';
  const int chars = (int)(is_numbered ? (size_t)(digits - 1 - part) : length);
  const int added = snprintf(name + used, LS_EXPORT_NAME_BYTES - used, "%.*s%s%.*s.", chars, part,
                             is_numbered ? "." : "", is_numbered ? (int)(part + length - digits) : 0, digits);
  return ls_size_min(used + (size_t)added, LS_EXPORT_NAME_BYTES - 1);
}

/* The last part of a path stays as it is, but in a shortcut, where it is a number. */
static void name_tensor(const ls_model *model, ls_export_tensor *out)
{
  const char *layer = out->tensor->layer, *part = layer;
  size_t used = 0;
  bool is_in_shortcut = false;
  for (const char *end = strchr(part, '.'); end; part = end + 1, end = strchr(part, '.')) {
    const size_t length = (size_t)(end - part);
    is_in_shortcut = part > layer && length == strlen(SHORTCUT) && strncmp(part, SHORTCUT, length) == 0;
    used = is_in_shortcut ? add_part(out->name, used, DOWNSAMPLE, strlen(DOWNSAMPLE))
                          : add_part(out->name, used, part, length);
  }
  placing self = {.layer = layer, .prefix = (size_t)(part - layer)};
  if (is_in_shortcut) {
    ls_model_visit(model, count_before, &self);
    snprintf(out->name + used, sizeof out->name - used, "%zu.%s", self.place, out->tensor->name);
  } else {
    snprintf(out->name + used, sizeof out->name - used, "%s.%s", part, out->tensor->name);
  }
}

/* ---- tensors ---- */

static ls_status visit_all(const ls_export *what, bool of_buffers, ls_export_visit visit, void *user)
{
  size_t count;
  const ls_tensor *list =
      of_buffers ? ls_model_buffers(what->model, &count) : ls_model_params(what->model, &count);
  const float *values = of_buffers ? what->buffers : what->params;
  for (size_t i = 0; i < count; i++) {
    ls_export_tensor tensor = {.tensor = &list[i], .values = values + list[i].offset};
    name_tensor(what->model, &tensor);
    LS_PASS(visit(user, &tensor));
  }
  return LS_OK;
}

ls_status ls_export_tensors(const ls_export *what, ls_export_visit visit, void *user)
{
  LS_PASS(visit_all(what, false, visit, user));
  return visit_all(what, true, visit, user);
}

/* ---- metadata ---- */

static bool put_count(json_t *metadata, const char *key, size_t count)
{
  char text[24];
  snprintf(text, sizeof text, "%zu", count);
  return json_object_set_new(metadata, key, json_string(text)) == 0;
}

/* "33.31842,33.31842,33.31842" */
static bool put_reals(json_t *metadata, const char *key, const double *values, size_t count)
{
  ls_text text = {0};
  for (size_t i = 0; i < count; i++) {
    char number[40];
    ls_format(number, sizeof number, "%.9g", values[i]);
    ls_text_add(&text, "%s%s", i > 0 ? "," : "", number);
  }
  const bool done = !text.failed && json_object_set_new(metadata, key, json_string(ls_text_get(&text))) == 0;
  ls_text_fini(&text);
  return done;
}

/* Names that are no UTF-8 are left out: JSON cannot say them. */
static bool put_names(json_t *metadata, const char *names)
{
  if (!names) return true;
  json_t *text = json_string(names);
  return !text || json_object_set_new(metadata, "class_names", text) == 0;
}

/* What the outputs are, where they are not of classes. */
static bool put_labels(json_t *metadata, ls_label_form labels)
{
  return labels == LS_LABELS_CLASS ||
         json_object_set_new(metadata, "labels", json_string(ls_label_words[labels])) == 0;
}

static bool fill(json_t *metadata, const ls_export *what)
{
  const ls_checkpoint_info *info = what->info;
  char digest[LS_DIGEST_CHARS];
  ls_weights_digest(what->model, what->params, what->buffers, digest);
  return json_object_set_new(metadata, "format", json_string("pt")) == 0 &&
         json_object_set_new(metadata, "lockstep_version", json_string(LS_VERSION)) == 0 &&
         json_object_set_new(metadata, "weights_digest", json_string(digest)) == 0 &&
         put_count(metadata, "channels", info->channels) && put_count(metadata, "height", info->height) &&
         put_count(metadata, "width", info->width) && put_count(metadata, "classes", info->classes) &&
         put_labels(metadata, info->labels) && put_reals(metadata, "mean", info->mean, info->channels) &&
         put_reals(metadata, "deviation", info->deviation, info->channels) &&
         put_names(metadata, info->class_names);
}

ls_status ls_export_metadata(const ls_export *what, json_t **metadata)
{
  *metadata = json_object();
  if (*metadata && fill(*metadata, what)) {
    json_t *dataset = json_string(what->info->dataset);
    if (!dataset || json_object_set_new(*metadata, "dataset", dataset) == 0) return LS_OK;
  }
  json_decref(*metadata);
  return ls_fail(LS_E_MEMORY, "no memory for what is said of the network");
}
