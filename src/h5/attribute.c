/* SPDX-License-Identifier: BSD-3-Clause */
/* Attributes: scalars, short vectors and texts. Texts are written as variable-length UTF-8, which h5py shows
 * as str, or in slots of a fixed length; both are read. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "h5/internal.h"

enum { LONGEST_PADDED = 1024, MOST_VISITED = 100 };

/* ---- writing ---- */

static ls_status put(hid_t object, const char *name, hid_t file_type, hid_t memory_type, hid_t space,
                     const void *value)
{
  hid_t attribute = H5Acreate2(object, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT);
  bool written = attribute >= 0 && H5Awrite(attribute, memory_type, value) >= 0;
  ls_status status = LS_OK;
  if (!written) status = ls_h5_fail(LS_E_MEMORY, "cannot write attribute '%s'", name);
  return ls_h5_close(attribute, status);
}

static ls_status put_scalar(hid_t object, const char *name, hid_t file_type, hid_t memory_type,
                            const void *value)
{
  hid_t space = H5Screate(H5S_SCALAR);
  ls_status status = put(object, name, file_type, memory_type, space, value);
  ls_h5_release(space);
  return status;
}

ls_status ls_h5_put_text(ls_h5_id object, const char *name, const char *text)
{
  hid_t type = H5Tcopy(H5T_C_S1);
  ls_status status;
  if (type < 0 || H5Tset_size(type, H5T_VARIABLE) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0)
    status = ls_h5_fail(LS_E_MEMORY, "cannot make the type of attribute '%s'", name);
  else
    status = put_scalar(object, name, type, type, &text);
  ls_h5_release(type);
  return status;
}

ls_status ls_h5_put_count(ls_h5_id object, const char *name, uint64_t value)
{
  return put_scalar(object, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, &value);
}

ls_status ls_h5_put_real(ls_h5_id object, const char *name, double value)
{
  return put_scalar(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
}

ls_status ls_h5_put_reals(ls_h5_id object, const char *name, const double *values, size_t count)
{
  hsize_t dims[1] = {count};
  hid_t space = H5Screate_simple(1, dims, NULL);
  ls_status status = put(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, space, values);
  ls_h5_release(space);
  return status;
}

ls_status ls_h5_put_slots(ls_h5_id object, const char *name, const char *slots, size_t bytes, size_t count)
{
  const hsize_t dims[1] = {count};
  hid_t type = H5Tcopy(H5T_C_S1), space = count > 0 ? H5Screate_simple(1, dims, NULL) : H5Screate(H5S_SCALAR);
  ls_status status;
  if (type < 0 || H5Tset_size(type, bytes) < 0 || H5Tset_strpad(type, H5T_STR_NULLPAD) < 0 ||
      H5Tset_cset(type, H5T_CSET_UTF8) < 0)
    status = ls_h5_fail(LS_E_MEMORY, "cannot make the type of attribute '%s'", name);
  else
    status = put(object, name, type, type, space, slots);
  ls_h5_release(space);
  ls_h5_release(type);
  return status;
}

ls_status ls_h5_put_fields(ls_h5_id object, ls_fields fields, const void *values)
{
  for (size_t i = 0; i < fields.count; i++) {
    const ls_field *field = &fields.list[i];
    const ls_h5_number number = ls_h5_number_of(field);
    LS_PASS(put_scalar(object, field->name, ls_h5_file_type(number), ls_h5_memory_type(number),
                       (const unsigned char *)values + field->offset));
  }
  return LS_OK;
}

/* ---- reading ---- */

typedef struct attribute {
  hid_t id, type;
  ls_h5_element element;
  char path[LS_H5_PATH_BYTES]; /* "/progress@step", for messages */
} attribute;

static void close_attribute(attribute *self)
{
  ls_h5_release(self->type);
  ls_h5_release(self->id);
}

ls_status ls_h5_has_attribute(ls_h5_id object, const char *name, bool *has)
{
  const htri_t found = H5Aexists(object, name);
  *has = found > 0;
  return found >= 0 ? LS_OK : ls_h5_fail(LS_E_INPUT, "cannot look for attribute '%s'", name);
}

/* Elements of an open attribute; -1 if it has no simple shape. */
static hssize_t count_elements(hid_t id)
{
  hid_t space = H5Aget_space(id);
  hssize_t count = space >= 0 && H5Sis_simple(space) > 0 ? H5Sget_simple_extent_npoints(space) : -1;
  ls_h5_release(space);
  return count;
}

/* Open an attribute that has `count` elements. Released by close_attribute(), on error too. */
static ls_status open_attribute(attribute *self, hid_t object, const char *name, size_t count)
{
  *self = (attribute){.id = H5I_INVALID_HID, .type = H5I_INVALID_HID};
  ssize_t length = H5Iget_name(object, self->path, sizeof self->path / 2);
  snprintf(self->path + (length < 0 ? 0 : strlen(self->path)), sizeof self->path / 2, "@%s", name);
  bool has;
  LS_PASS(ls_h5_has_attribute(object, name, &has));
  if (!has) return ls_fail(LS_E_INPUT, "attribute %s: missing", self->path);
  self->id = H5Aopen(object, name, H5P_DEFAULT);
  self->type = self->id < 0 ? H5I_INVALID_HID : H5Aget_type(self->id);
  if (self->type < 0) return ls_h5_fail(LS_E_INPUT, "attribute %s", self->path);
  self->element = ls_h5_element_of(self->type);
  hssize_t found = count_elements(self->id);
  if (found < 0) return ls_h5_fail(LS_E_INPUT, "attribute %s: it has no shape", self->path);
  if (found != (hssize_t)count)
    return ls_fail(LS_E_INPUT, "attribute %s: %zu values expected, %lld found", self->path, count,
                   (long long)found);
  return LS_OK;
}

static ls_status read_attribute(const attribute *self, hid_t type, void *out)
{
  if (H5Aread(self->id, type, out) < 0)
    return ls_h5_fail(LS_E_INPUT, "attribute %s: cannot be read", self->path);
  return LS_OK;
}

/* The destination of texts: slots, or memory of its own for a single one. */
typedef struct text_target {
  size_t limit; /* bytes of a text, without its terminator */
  char *slots;  /* [limit + 1] each; NULL: the text is copied */
  char *copy;   /* owned by the caller */
} text_target;

static ls_status take_text(const attribute *self, text_target *target, size_t i, const char *text,
                           size_t bytes)
{
  size_t length = text ? strnlen(text, bytes) : 0;
  while (target->slots && length > 0 && text[length - 1] == ' ') length--;
  if (length > target->limit)
    return ls_fail(LS_E_INPUT, "attribute %s: longer than %zu bytes", self->path, target->limit);
  char *slot = target->slots ? target->slots + i * (target->limit + 1) : NULL;
  if (!slot) LS_PASS(ls_alloc(&target->copy, length + 1, 1, "an attribute"));
  if (!slot) slot = target->copy;
  if (length > 0) memcpy(slot, text, length);
  slot[length] = '\0';
  return LS_OK;
}

/* As h5py writes them. What HDF5 has allocated goes back to it. */
static ls_status read_variable_texts(const attribute *self, hid_t type, size_t count, text_target *target)
{
  char **texts;
  if (H5Tset_size(type, H5T_VARIABLE) < 0) return ls_h5_fail(LS_E_INPUT, "attribute %s", self->path);
  LS_PASS(ls_alloc(&texts, count, sizeof *texts, "an attribute"));
  ls_status status = read_attribute(self, type, texts);
  for (size_t i = 0; i < count && status == LS_OK; i++)
    status = take_text(self, target, i, texts[i], texts[i] ? strlen(texts[i]) : 0);
  for (size_t i = 0; i < count; i++) (void)H5free_memory(texts[i]);
  free(texts);
  return status;
}

/* Blanks that pad a text do not count, so that it may be longer than its slot. */
static ls_status read_fixed_texts(const attribute *self, hid_t type, size_t count, text_target *target)
{
  const size_t bytes = self->element.bytes, most = ls_size_max(target->limit + 1, LONGEST_PADDED);
  char *texts;
  if (bytes > most)
    return ls_fail(LS_E_INPUT, "attribute %s: longer than %zu bytes", self->path, target->limit);
  if (H5Tset_size(type, bytes + 1) < 0) return ls_h5_fail(LS_E_INPUT, "attribute %s", self->path);
  LS_PASS(ls_alloc(&texts, count, bytes + 1, "an attribute"));
  ls_status status = read_attribute(self, type, texts);
  for (size_t i = 0; i < count && status == LS_OK; i++)
    status = take_text(self, target, i, texts + i * (bytes + 1), bytes);
  free(texts);
  return status;
}

static ls_status read_texts(ls_h5_id object, const char *name, size_t count, text_target *target)
{
  attribute self;
  hid_t type = LS_H5_NONE;
  ls_status status;
  LS_GO(open_attribute(&self, object, name, count));
  if (self.element.class != LS_H5_TEXT)
    LS_GO(ls_fail(LS_E_INPUT, "attribute %s: a text expected, another type found", self.path));
  type = H5Tcopy(H5T_C_S1);
  if (type < 0 || H5Tset_cset(type, H5Tget_cset(self.type)) < 0)
    status = ls_h5_fail(LS_E_INPUT, "attribute %s", self.path);
  else if (H5Tis_variable_str(self.type) > 0)
    status = read_variable_texts(&self, type, count, target);
  else
    status = read_fixed_texts(&self, type, count, target);
done:
  ls_h5_release(type);
  close_attribute(&self);
  return status;
}

ls_status ls_h5_get_text(ls_h5_id object, const char *name, size_t limit, char **text)
{
  text_target target = {.limit = limit};
  LS_PASS(read_texts(object, name, 1, &target));
  *text = target.copy;
  return LS_OK;
}

ls_status ls_h5_get_short_text(ls_h5_id object, const char *name, char *text, size_t bytes)
{
  char *read;
  LS_PASS(ls_h5_get_text(object, name, bytes - 1, &read));
  snprintf(text, bytes, "%s", read);
  free(read);
  return LS_OK;
}

ls_status ls_h5_get_slots(ls_h5_id object, const char *name, char *slots, size_t bytes, size_t count)
{
  text_target target = {.limit = bytes - 1, .slots = slots};
  return read_texts(object, name, count, &target);
}

ls_status ls_h5_get_count(ls_h5_id object, const char *name, uint64_t low, uint64_t high, uint64_t *value)
{
  attribute self;
  ls_status status;
  LS_GO(open_attribute(&self, object, name, 1));
  if (self.element.class != LS_H5_INTEGER) {
    status = ls_fail(LS_E_INPUT, "attribute %s: an integer expected, another type found", self.path);
    goto done;
  }
  LS_GO(read_attribute(&self, H5T_NATIVE_UINT64, value));
  if (*value < low || *value > high)
    status = ls_fail(LS_E_INPUT, "attribute %s: %" PRIu64 " to %" PRIu64 " expected, %" PRIu64 " found",
                     self.path, low, high, *value);
done:
  close_attribute(&self);
  return status;
}

ls_status ls_h5_get_reals(ls_h5_id object, const char *name, double *values, size_t count)
{
  attribute self;
  ls_status status;
  LS_GO(open_attribute(&self, object, name, count));
  if (self.element.class != LS_H5_REAL && self.element.class != LS_H5_INTEGER)
    status = ls_fail(LS_E_INPUT, "attribute %s: numbers expected, another type found", self.path);
  else
    status = read_attribute(&self, H5T_NATIVE_DOUBLE, values);
done:
  close_attribute(&self);
  return status;
}

ls_status ls_h5_get_real(ls_h5_id object, const char *name, double *value)
{
  return ls_h5_get_reals(object, name, value, 1);
}

ls_status ls_h5_get_fields(ls_h5_id object, ls_fields fields, void *values)
{
  for (size_t i = 0; i < fields.count; i++) {
    const ls_field *field = &fields.list[i];
    void *value = (unsigned char *)values + field->offset;
    LS_PASS(field->type == LS_FIELD_COUNT ? ls_h5_get_count(object, field->name, 0, UINT64_MAX, value)
                                          : ls_h5_get_real(object, field->name, value));
  }
  return LS_OK;
}

/* ---- all of them ---- */

typedef struct visiting {
  ls_h5_attribute_visit visit;
  void *user;
  size_t count;
  ls_status status; /* why it ended early */
} visiting;

static ls_status visit_attribute(const visiting *self, hid_t object, const char *name)
{
  ls_h5_attribute found = {.name = name};
  hid_t opened = H5Aopen(object, name, H5P_DEFAULT);
  if (opened < 0) return ls_h5_fail(LS_E_INPUT, "attribute '%s': cannot be read", name);
  hid_t type = H5Aget_type(opened);
  found.element = ls_h5_element_of(type);
  found.count = count_elements(opened);
  const ls_status status = self->visit(self->user, object, &found);
  ls_h5_release(type);
  ls_h5_release(opened);
  return status;
}

static herr_t on_attribute(hid_t object, const char *name, const H5A_info_t *info, void *user)
{
  (void)info;
  visiting *self = user;
  if (self->count++ == MOST_VISITED) return 1; /* enough */
  self->status = visit_attribute(self, object, name);
  return self->status == LS_OK ? 0 : -1;
}

/* Not one by one by their number: HDF5 sorts all of them each time. */
ls_status ls_h5_attributes_visit(ls_h5_id object, ls_h5_attribute_visit visit, void *user)
{
  visiting self = {.visit = visit, .user = user, .status = LS_OK};
  if (H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, on_attribute, &self) >= 0) return LS_OK;
  if (self.status != LS_OK) return self.status;
  return ls_h5_fail(LS_E_INPUT, "its attributes cannot be read");
}
