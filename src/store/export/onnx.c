/* SPDX-License-Identifier: BSD-3-Clause */
/* ONNX: graph and weights; onnx/write.h has the format. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/export/tensors.h"

enum { PROPERTIES_MAX = 24 };

/* What is given to the writer, as it is collected. */
typedef struct collection {
  ls_onnx_tensor *tensors;             /* owned */
  char (*names)[LS_EXPORT_NAME_BYTES]; /* owned */
  size_t count;
  ls_onnx_property properties[PROPERTIES_MAX]; /* borrowed from the metadata */
  size_t property_count;
} collection;

static ls_status collect(void *user, const ls_export_tensor *tensor)
{
  collection *self = user;
  char *name = self->names[self->count];
  memcpy(name, tensor->name, sizeof tensor->name);
  self->tensors[self->count++] =
      (ls_onnx_tensor){.tensor = tensor->tensor, .values = tensor->values, .name = name};
  return LS_OK;
}

static ls_status collect_tensors(const ls_export *what, collection *self)
{
  size_t params, buffers;
  ls_model_params(what->model, &params);
  ls_model_buffers(what->model, &buffers);
  LS_PASS(ls_alloc(&self->tensors, params + buffers, sizeof *self->tensors, "the tensors"));
  LS_PASS(ls_alloc(&self->names, params + buffers, sizeof *self->names, "their names"));
  return ls_export_tensors(what, collect, self);
}

/* `input` says what the graph takes. */
static ls_status collect_properties(const ls_export *what, json_t *metadata, collection *self)
{
  const char *key, *input = what->options.raw_pixels ? "pixels from 0 to 255" : "normalized pixels";
  json_t *value;
  json_object_del(metadata, "format");
  if (json_object_set_new(metadata, "input", json_string(input)) != 0)
    return ls_fail(LS_E_MEMORY, "no memory for what is said of the network");
  json_object_foreach(metadata, key, value)
  {
    if (self->property_count < PROPERTIES_MAX)
      self->properties[self->property_count++] = (ls_onnx_property){key, json_string_value(value)};
  }
  return LS_OK;
}

static ls_status make(const ls_export *what, ls_text *file)
{
  collection self = {.tensors = NULL};
  json_t *metadata;
  ls_status status;
  LS_PASS(ls_export_metadata(what, &metadata));
  LS_GO(collect_properties(what, metadata, &self));
  LS_GO(collect_tensors(what, &self));
  const ls_onnx_source source = {.model = what->model,
                                 .tensors = self.tensors,
                                 .tensor_count = self.count,
                                 .properties = self.properties,
                                 .property_count = self.property_count,
                                 .mean = what->info->mean,
                                 .deviation = what->info->deviation,
                                 .options = what->options};
  LS_GO(ls_onnx_write(&source, file));
done:
  free(self.tensors);
  free(self.names);
  json_decref(metadata);
  return status;
}

const ls_export_format ls_export_format_onnx = {.extension = ".onnx", .holds_graph = true, .make = make};
