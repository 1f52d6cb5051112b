/* SPDX-License-Identifier: BSD-3-Clause */
/* Names, shapes, types and attributes of an HDF5 file, whoever made it. No dataset is read. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/inspect/inspect_parts.h"

enum { MAX_LINES = 500, MAX_ATTRIBUTES = 100, NAME_BYTES = 64, MAX_VALUES = 16, TEXT_LIMIT_BYTES = 1 << 16 };

/* "uint8", "float32", "text", "table of 6 columns". */
static void add_type(ls_text *text, hid_t type)
{
  static const char *const nouns[H5T_NCLASSES] = {
      [H5T_INTEGER] = "int", [H5T_FLOAT] = "float", [H5T_STRING] = "text", [H5T_COMPOUND] = "table",
      [H5T_ENUM] = "enum",   [H5T_ARRAY] = "array", [H5T_VLEN] = "lists"};
  H5T_class_t class = H5Tget_class(type);
  bool known = class >= 0 && class < H5T_NCLASSES && nouns[class];
  bool number = class == H5T_INTEGER || class == H5T_FLOAT;
  if (class == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_NONE) ls_text_add(text, "u");
  ls_text_add(text, "%s", known ? nouns[class] : "other");
  if (number) ls_text_add(text, "%zu", H5Tget_size(type) * 8);
  if (class == H5T_COMPOUND) ls_text_add(text, " of %d columns", H5Tget_nmembers(type));
}

/* ---- members ---- */

typedef struct list {
  ls_text *text;
  size_t lines;
} list;

static ls_status add_dataset(ls_text *text, const ls_h5_entry *entry)
{
  ls_h5_data data;
  const ls_status status = ls_h5_data_open(&data, entry->parent, entry->name);
  if (status != LS_OK) {
    ls_text_add(text, "cannot be read");
    return status == LS_E_INPUT ? LS_OK : status;
  }
  char shape[LS_H5_SHAPE_BYTES];
  ls_h5_shape_text(data.dims, data.dim_count, shape);
  ls_text_add(text, "%-20s ", shape);
  add_type(text, data.type);
  ls_h5_data_close(&data);
  return LS_OK;
}

static ls_status add_member(void *user, const ls_h5_entry *entry)
{
  static const char *const words[LS_H5_MEMBER_COUNT] = {
      [LS_H5_GROUP] = "group",
      [LS_H5_TYPE] = "named type",
      [LS_H5_AGAIN] = "the same object as one above",
      [LS_H5_LINK] = "link, not followed",
      [LS_H5_BEYOND] = "group, too deep to look into",
  };
  list *self = user;
  if (++self->lines > MAX_LINES) return LS_OK;
  ls_text_show(self->text, "  %-29s ", entry->path);
  ls_status status = LS_OK;
  if (words[entry->type])
    ls_text_add(self->text, "%s", words[entry->type]);
  else
    status = add_dataset(self->text, entry);
  ls_text_add(self->text, "\n");
  return status;
}

ls_status ls_inspect_members(hid_t file, ls_text *text)
{
  list shown = {.text = text};
  LS_PASS(ls_h5_walk(file, add_member, &shown));
  if (shown.lines == 0) ls_text_add(text, "  (empty)\n");
  if (shown.lines > MAX_LINES) ls_text_add(text, "  ... and %zu more\n", shown.lines - MAX_LINES);
  return LS_OK;
}

/* ---- attributes ---- */

static ls_status add_text_value(hid_t file, const char *name, ls_text *text)
{
  char *value;
  LS_PASS(ls_h5_get_text(file, name, TEXT_LIMIT_BYTES, &value));
  ls_text_show(text, "%s", value);
  free(value);
  return LS_OK;
}

static ls_status add_numbers(hid_t file, const char *name, size_t count, ls_text *text)
{
  double values[MAX_VALUES];
  LS_PASS(ls_h5_get_reals(file, name, values, count));
  for (size_t i = 0; i < count; i++) ls_text_add(text, "%s%.9g", i ? ", " : "", values[i]);
  return LS_OK;
}

/* The value, as far as it is short and simple; otherwise its type. */
static ls_status add_value(hid_t file, hid_t attribute, const char *name, ls_text *text)
{
  hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  hssize_t count = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
  H5T_class_t class = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
  ls_status status = LS_OK;
  if (class == H5T_STRING && count == 1)
    status = add_text_value(file, name, text);
  else if ((class == H5T_INTEGER || class == H5T_FLOAT) && count > 0 && count <= MAX_VALUES)
    status = add_numbers(file, name, (size_t)count, text);
  else if (type >= 0) {
    ls_text_add(text, "%lld of ", (long long)count);
    add_type(text, type);
  }
  ls_h5_release(space);
  ls_h5_release(type);
  return status;
}

typedef struct attribute_list {
  ls_text *text;
  size_t count;
  ls_status status; /* why the walk ended early */
} attribute_list;

static ls_status add_attribute(hid_t file, const char *name, ls_text *text)
{
  hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
  if (attribute < 0) return ls_h5_fail(LS_E_INPUT, "attribute '%s': cannot be read", name);
  ls_text_show(text, "  %-13s ", name);
  ls_status status = add_value(file, attribute, name, text);
  ls_text_add(text, "\n");
  ls_h5_release(attribute);
  return status;
}

static herr_t on_attribute(hid_t file, const char *name, const H5A_info_t *info, void *user)
{
  (void)info;
  attribute_list *self = user;
  if (self->count++ == MAX_ATTRIBUTES) return 1; /* enough */
  if (name[0] && strlen(name) < NAME_BYTES) self->status = add_attribute(file, name, self->text);
  return self->status == LS_OK ? 0 : -1;
}

/* Not one by one by their number: HDF5 sorts all of them each time. */
ls_status ls_inspect_attributes(hid_t file, ls_text *text)
{
  attribute_list self = {.text = text, .status = LS_OK};
  if (H5Aiterate2(file, H5_INDEX_NAME, H5_ITER_INC, NULL, on_attribute, &self) >= 0) return LS_OK;
  if (self.status != LS_OK) return self.status;
  return ls_h5_fail(LS_E_INPUT, "its attributes cannot be read");
}
