/* SPDX-License-Identifier: BSD-3-Clause */
/* NumPy's archives: a zip archive of NAME.npy, each a header, which is the text of a Python dict, and the
 * numbers (NEP 1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "store/foreign/reader.h"
#include "store/foreign/zip.h"

static const char SUFFIX[] = ".npy";

enum { HEADER_MAX = 1 << 16, NUMBER_BYTES = 24 };

typedef struct array {
  ls_layout layout;
  ls_bytes numbers;
} array;

/* The value of a key of the header: what follows "'key':"; NULL: there is none. */
static const char *find_value(const char *header, const char *key)
{
  const char *at = strstr(header, key);
  if (!at) return NULL;
  at += strlen(key);
  return at + strspn(at, ": ");
}

/* '<f4', '|u1'; a type of several columns is a list. */
static ls_status read_type(const char *header, ls_layout *layout)
{
  const char *type = find_value(header, "'descr'");
  const size_t length = type && type[0] == '\'' ? strcspn(type + 1, "'") : 0;
  if (length > 2 && (type[1] == '<' || type[1] == '|'))
    layout->element = ls_element_of_numpy(type + 2, length - 1);
  if (layout->element) return LS_OK;
  return ls_fail(LS_E_INPUT, "its numbers are of type %.*s, which is not read (in NumPy: .astype('<f4'))",
                 (int)(length > 0 && length < NUMBER_BYTES ? length : 0), length > 0 ? type + 1 : "");
}

/* (3, 4), (5,), () */
static ls_status read_shape(const char *header, ls_layout *layout)
{
  const char *at = find_value(header, "'shape'");
  if (!at || *at++ != '(') return ls_fail(LS_E_INPUT, "its header has no shape");
  for (;;) {
    char number[NUMBER_BYTES];
    uint64_t value;
    at += strspn(at, ", ");
    if (*at == ')') return LS_OK;
    const size_t length = strspn(at, "0123456789");
    if (length == 0 || length >= sizeof number || layout->dim_count == LS_FOREIGN_MAX_RANK)
      return ls_fail(LS_E_INPUT, "its header's shape is none");
    memcpy(number, at, length);
    number[length] = '\0';
    if (!ls_parse_count(number, &value)) return ls_fail(LS_E_INPUT, "its header's shape is none");
    layout->dims[layout->dim_count++] = value;
    at += length;
  }
}

static ls_status read_header(const char *header, array *out)
{
  const char *order = find_value(header, "'fortran_order'");
  LS_PASS(read_type(header, &out->layout));
  LS_PASS(read_shape(header, &out->layout));
  return ls_layout_pack(&out->layout, order && strncmp(order, "True", strlen("True")) == 0);
}

/* \x93NUMPY, a version, the length of the header in 2 or 4 bytes, the header, the numbers. */
static ls_status parse(ls_bytes file, array *out)
{
  static const char magic[] = "\x93NUMPY";
  const size_t start = strlen(magic) + 2;
  *out = (array){.numbers = {NULL, 0}};
  const bool is_long = file.count > start && file.at[strlen(magic)] > 1;
  const size_t length_bytes = is_long ? 4 : 2;
  if (file.count < start + length_bytes || memcmp(file.at, magic, strlen(magic)) != 0)
    return ls_fail(LS_E_INPUT, "it is no .npy file");
  size_t length = 0;
  for (size_t i = 0; i < length_bytes; i++) length |= (size_t)file.at[start + i] << 8 * i;
  const size_t before = start + length_bytes;
  if (length > file.count - before || length > HEADER_MAX)
    return ls_fail(LS_E_INPUT, "its header is cut off");
  char *header;
  LS_PASS(ls_alloc(&header, length + 1, 1, "the header of an array"));
  memcpy(header, file.at + before, length);
  const ls_status status = read_header(header, out);
  free(header);
  out->numbers = (ls_bytes){file.at + before + length, file.count - before - length};
  return status;
}

static ls_status read_array(const ls_foreign_tensor *tensor, float *values)
{
  const array *self = tensor->source;
  LS_TRY(ls_layout_read(&self->layout, self->numbers, values), "tensor %s", tensor->place);
  return LS_OK;
}

/* Only what is wanted is read: it has to be expanded before its shape is known. */
static ls_status offer_member(const ls_foreign_file *file, const ls_foreign_visitor *visitor,
                              const ls_zip *zip, const char *member)
{
  char name[LS_FOREIGN_NAME_BYTES];
  array found;
  unsigned char *bytes;
  size_t count;
  const size_t length = strlen(member), suffix = strlen(SUFFIX);
  if (length <= suffix || length - suffix >= sizeof name || strcmp(member + length - suffix, SUFFIX) != 0)
    return LS_OK;
  memcpy(name, member, length - suffix);
  name[length - suffix] = '\0';
  const char *selected = ls_foreign_select(file, name);
  if (!selected || !visitor->wants(visitor->user, selected)) return LS_OK;
  LS_PASS(ls_zip_read(zip, member, &bytes, &count));
  ls_status status = parse((ls_bytes){bytes, count}, &found);
  if (status != LS_OK) status = ls_wrap(status, "tensor %s", name);
  const ls_foreign_tensor how = {.read = read_array, .source = &found};
  if (status == LS_OK) status = ls_foreign_take(visitor, name, &found.layout, &how);
  free(bytes);
  return status;
}

static ls_status walk(const ls_foreign_file *file, const ls_foreign_visitor *visitor)
{
  ls_zip *zip;
  visitor->start(visitor->user);
  LS_PASS(ls_zip_open(&zip, file));
  ls_status status = LS_OK;
  const size_t count = ls_zip_count(zip);
  for (size_t i = 0; i < count && status == LS_OK; i++)
    status = offer_member(file, visitor, zip, ls_zip_name(zip, i));
  ls_zip_close(zip);
  return status;
}

static const char *const extensions[] = {".npz", NULL};

const ls_foreign_reader ls_foreign_reader_npz = {
    .name = "NumPy's archive", .extensions = extensions, .recognises = ls_zip_recognises, .walk = walk};
