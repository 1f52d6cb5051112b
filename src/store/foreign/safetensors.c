/* SPDX-License-Identifier: BSD-3-Clause */
/* safetensors: the length of a header in 8 bytes, the header, a JSON object of {dtype, shape, data_offsets}
 * by name, and the numbers. No two tensors share a byte, as the format demands. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "store/foreign/reader.h"

enum { LENGTH_BYTES = 8, HEADER_MAX = 1 << 24 };

/* A tensor whose numbers are wanted. */
typedef struct found {
  ls_layout layout;
  ls_bytes numbers;
} found;

typedef struct span {
  size_t begin, end;
} span;

static uint64_t header_length(const ls_foreign_file *file)
{
  uint64_t length = 0;
  for (size_t i = 0; i < LENGTH_BYTES; i++) length |= (uint64_t)file->bytes[i] << 8 * i;
  return length;
}

static bool recognises(const ls_foreign_file *file)
{
  return file->count > LENGTH_BYTES && file->bytes[LENGTH_BYTES] == '{' && header_length(file) < UINT32_MAX;
}

static ls_status get_size(const json_t *value, size_t *size)
{
  if (!json_is_integer(value) || json_integer_value(value) < 0)
    return ls_fail(LS_E_INPUT, "its shape and offsets are not all whole numbers from 0 on");
  *size = (size_t)json_integer_value(value);
  return LS_OK;
}

static ls_status get_layout(const json_t *about, ls_layout *layout)
{
  const json_t *shape = json_object_get(about, "shape"), *type = json_object_get(about, "dtype");
  const char *word = json_is_string(type) ? json_string_value(type) : "none";
  layout->element = ls_element_of_safetensors(word, strlen(word));
  if (!layout->element) return ls_fail(LS_E_INPUT, "its numbers are of type %s, which is not read", word);
  if (!json_is_array(shape) || json_array_size(shape) > LS_FOREIGN_MAX_RANK)
    return ls_fail(LS_E_INPUT, "its shape is no list of up to %d numbers", LS_FOREIGN_MAX_RANK);
  layout->dim_count = json_array_size(shape);
  for (size_t i = 0; i < layout->dim_count; i++)
    LS_PASS(get_size(json_array_get(shape, i), &layout->dims[i]));
  return ls_layout_pack(layout, false);
}

/* Where in `data` they lie: just as many bytes as the shape says. */
static ls_status get_span(const json_t *about, const ls_layout *layout, ls_bytes data, span *out)
{
  const json_t *offsets = json_object_get(about, "data_offsets");
  size_t count, reach, bytes;
  if (!json_is_array(offsets) || json_array_size(offsets) != 2)
    return ls_fail(LS_E_INPUT, "its data_offsets are no two numbers");
  LS_PASS(get_size(json_array_get(offsets, 0), &out->begin));
  LS_PASS(get_size(json_array_get(offsets, 1), &out->end));
  LS_PASS(ls_layout_measure(layout, &count, &reach));
  if (out->begin > out->end || out->end > data.count)
    return ls_fail(LS_E_INPUT, "its data_offsets [%zu, %zu] are not within the %zu bytes of the file's data",
                   out->begin, out->end, data.count);
  if (!ls_size_mul(count, layout->element->bytes, &bytes) || bytes != out->end - out->begin)
    return ls_fail(LS_E_INPUT, "its shape takes another number of bytes than its data_offsets [%zu, %zu]",
                   out->begin, out->end);
  return LS_OK;
}

static ls_status read_tensor(const ls_foreign_tensor *tensor, float *values)
{
  const found *self = tensor->source;
  LS_TRY(ls_layout_read(&self->layout, self->numbers, values), "tensor %s", tensor->place);
  return LS_OK;
}

static ls_status examine(const json_t *about, ls_bytes data, found *tensor, span *place)
{
  LS_PASS(get_layout(about, &tensor->layout));
  LS_PASS(get_span(about, &tensor->layout, data, place));
  tensor->numbers = (ls_bytes){data.at + place->begin, place->end - place->begin};
  return LS_OK;
}

static int compare(const void *a, const void *b)
{
  const span *x = a, *y = b;
  if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
  return (x->end > y->end) - (x->end < y->end);
}

static ls_status check_overlap(span *spans, size_t count)
{
  qsort(spans, count, sizeof *spans, compare);
  for (size_t i = 1; i < count; i++)
    if (spans[i].begin < spans[i - 1].end)
      return ls_fail(LS_E_INPUT, "two of its tensors share the bytes from %zu to %zu of its data",
                     spans[i].begin, ls_size_min(spans[i].end, spans[i - 1].end));
  return LS_OK;
}

/* All places are looked at before the first tensor is taken. */
static ls_status check_places(json_t *header, ls_bytes data)
{
  const char *name;
  json_t *about;
  span *spans;
  size_t count = 0;
  ls_status status = LS_OK;
  LS_PASS(ls_alloc(&spans, json_object_size(header), sizeof *spans, "the places of tensors"));
  json_object_foreach(header, name, about)
  {
    found tensor = {.numbers = {NULL, 0}};
    status = examine(about, data, &tensor, &spans[count++]);
    if (status != LS_OK) {
      status = ls_wrap(status, "tensor %s", name);
      break;
    }
  }
  if (status == LS_OK) status = check_overlap(spans, count);
  free(spans);
  return status;
}

static ls_status offer(const ls_foreign_file *file, const ls_foreign_visitor *visitor, json_t *header,
                       ls_bytes data)
{
  const char *name;
  json_t *about;
  json_object_del(header, "__metadata__");
  LS_PASS(check_places(header, data));
  json_object_foreach(header, name, about)
  {
    found tensor = {.numbers = {NULL, 0}};
    span place;
    LS_PASS(examine(about, data, &tensor, &place));
    const ls_foreign_tensor how = {.read = read_tensor, .source = &tensor};
    LS_PASS(ls_foreign_offer(file, visitor, name, &tensor.layout, &how));
  }
  return LS_OK;
}

static ls_status parse_header(ls_bytes text, json_t **header)
{
  json_error_t error;
  *header = json_loadb((const char *)text.at, text.count, JSON_REJECT_DUPLICATES, &error);
  if (!*header && json_error_code(&error) == json_error_out_of_memory)
    return ls_fail(LS_E_MEMORY, "no memory for the header of a safetensors file");
  if (!*header) return ls_fail(LS_E_INPUT, "its header is no JSON: %s", error.text);
  if (json_is_object(*header)) return LS_OK;
  json_decref(*header);
  return ls_fail(LS_E_INPUT, "its header is no JSON object");
}

static ls_status walk(const ls_foreign_file *file, const ls_foreign_visitor *visitor)
{
  json_t *header;
  visitor->start(visitor->user);
  if (file->count < LENGTH_BYTES) return ls_fail(LS_E_INPUT, "it is no safetensors file: it has no header");
  const uint64_t length = header_length(file);
  const size_t left = file->count - LENGTH_BYTES;
  if (length > left || length > HEADER_MAX)
    return ls_fail(LS_E_INPUT,
                   "its header is of %zu bytes, and the file of %zu: it is cut off or no "
                   "safetensors file",
                   (size_t)length, file->count);
  const unsigned char *start = file->bytes + LENGTH_BYTES;
  LS_PASS(parse_header((ls_bytes){start, length}, &header));
  const ls_status status = offer(file, visitor, header, (ls_bytes){start + length, left - length});
  json_decref(header);
  return status;
}

static const char *const extensions[] = {".safetensors", NULL};

const ls_foreign_reader ls_foreign_reader_safetensors = {
    .name = "safetensors", .extensions = extensions, .recognises = recognises, .walk = walk};
