/* SPDX-License-Identifier: BSD-3-Clause */
/* Names, shapes, types and attributes of any HDF5 file. No dataset is read. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/inspect/internal.h"

enum { MAX_LINES = 500, NAME_BYTES = 64, MAX_VALUES = 16, TEXT_LIMIT_BYTES = 1 << 16 };

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
  char shape[LS_H5_SHAPE_BYTES], element[LS_H5_ELEMENT_BYTES];
  ls_h5_shape_text(data.dims, data.dim_count, shape);
  ls_text_add(text, "%-20s %s", shape, ls_h5_element_name(&data.element, element));
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

ls_status ls_inspect_members(ls_h5_id file, ls_text *text)
{
  list shown = {.text = text};
  LS_PASS(ls_h5_walk(file, add_member, &shown));
  if (shown.lines == 0) ls_text_add(text, "  (empty)\n");
  if (shown.lines > MAX_LINES) ls_text_add(text, "  ... and %zu more\n", shown.lines - MAX_LINES);
  return LS_OK;
}

/* ---- attributes ---- */

static ls_status add_text_value(ls_h5_id file, const char *name, ls_text *text)
{
  char *value;
  LS_PASS(ls_h5_get_text(file, name, TEXT_LIMIT_BYTES, &value));
  ls_text_show(text, "%s", value);
  free(value);
  return LS_OK;
}

static ls_status add_numbers(ls_h5_id file, const char *name, size_t count, ls_text *text)
{
  double values[MAX_VALUES];
  LS_PASS(ls_h5_get_reals(file, name, values, count));
  for (size_t i = 0; i < count; i++) ls_text_add(text, "%s%.9g", i ? ", " : "", values[i]);
  return LS_OK;
}

/* The value, as far as it is short and simple; otherwise its type. */
static ls_status add_value(ls_h5_id file, const ls_h5_attribute *attribute, ls_text *text)
{
  const ls_h5_class class = attribute->element.class;
  const int64_t count = attribute->count;
  if (class == LS_H5_TEXT && count == 1) return add_text_value(file, attribute->name, text);
  if ((class == LS_H5_INTEGER || class == LS_H5_REAL) && count > 0 && count <= MAX_VALUES)
    return add_numbers(file, attribute->name, (size_t)count, text);
  char element[LS_H5_ELEMENT_BYTES];
  ls_text_add(text, "%lld of %s", (long long)count, ls_h5_element_name(&attribute->element, element));
  return LS_OK;
}

static ls_status add_attribute(void *user, ls_h5_id file, const ls_h5_attribute *attribute)
{
  ls_text *text = user;
  if (attribute->name[0] == '\0' || strlen(attribute->name) >= NAME_BYTES) return LS_OK;
  ls_text_show(text, "  %-13s ", attribute->name);
  const ls_status status = add_value(file, attribute, text);
  ls_text_add(text, "\n");
  return status;
}

ls_status ls_inspect_attributes(ls_h5_id file, ls_text *text)
{
  return ls_h5_attributes_visit(file, add_attribute, text);
}
