/* SPDX-License-Identifier: BSD-3-Clause */
/* safetensors: see store/foreign/safetensors.c, which reads it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/export/tensors.h"

enum { ALIGNMENT = 8 };

typedef struct listing {
  json_t *header;
  size_t offset; /* in the data, of the next tensor */
} listing;

static ls_status list_tensor(void *user, const ls_export_tensor *tensor)
{
  listing *self = user;
  const size_t begin = self->offset;
  self->offset += tensor->tensor->count * sizeof(float);
  json_t *shape = json_array();
  for (size_t i = 0; i < tensor->tensor->dim_count; i++)
    if (json_array_append_new(shape, json_integer((json_int_t)tensor->tensor->dims[i])) != 0) {
      json_decref(shape);
      shape = NULL;
    }
  json_t *about = json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F32", "shape", shape, "data_offsets",
                            (json_int_t)begin, (json_int_t)self->offset);
  if (json_object_set_new(self->header, tensor->name, about) == 0) return LS_OK;
  return ls_fail(LS_E_MEMORY, "no memory for the header of a safetensors file");
}

static ls_status add_values(void *user, const ls_export_tensor *tensor)
{
  ls_text_add_bytes(user, tensor->values, tensor->tensor->count * sizeof(float));
  return LS_OK;
}

/* The header's length, the header, and blanks so that the data are aligned. */
static ls_status add_header(const json_t *header, ls_text *file)
{
  char *text = json_dumps(header, JSON_COMPACT);
  if (!text) return ls_fail(LS_E_MEMORY, "no memory for the header of a safetensors file");
  const size_t chars = strlen(text), blanks = (ALIGNMENT - chars % ALIGNMENT) % ALIGNMENT;
  const uint64_t length = chars + blanks;
  unsigned char bytes[sizeof length];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(length >> 8 * i);
  ls_text_add_bytes(file, bytes, sizeof bytes);
  ls_text_add_bytes(file, text, chars);
  ls_text_add_bytes(file, "        ", blanks);
  free(text);
  return LS_OK;
}

static ls_status make(const ls_export *what, ls_text *file)
{
  listing self = {.header = json_object()};
  json_t *metadata;
  ls_status status;
  LS_GO(ls_export_metadata(what, &metadata));
  if (json_object_set_new(self.header, "__metadata__", metadata) != 0)
    status = ls_fail(LS_E_MEMORY, "no memory for the header of a safetensors file");
  if (status == LS_OK) LS_GO(ls_export_tensors(what, list_tensor, &self));
  if (status == LS_OK) LS_GO(add_header(self.header, file));
  if (status == LS_OK) LS_GO(ls_export_tensors(what, add_values, file));
done:
  json_decref(self.header);
  return status;
}

const ls_export_format ls_export_format_safetensors = {.extension = ".safetensors", .make = make};
