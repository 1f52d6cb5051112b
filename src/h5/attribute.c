/* SPDX-License-Identifier: BSD-3-Clause */
/* Attributes: scalars, short vectors and texts. Texts are written as variable-length UTF-8, which h5py shows
 * as str; fixed-length ones are read as well. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "h5/h5.h"

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

ls_status ls_h5_put_text(hid_t object, const char *name, const char *text)
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

ls_status ls_h5_put_count(hid_t object, const char *name, uint64_t value)
{
  return put_scalar(object, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, &value);
}

ls_status ls_h5_put_real(hid_t object, const char *name, double value)
{
  return put_scalar(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
}

ls_status ls_h5_put_reals(hid_t object, const char *name, const double *values, size_t count)
{
  hsize_t dims[1] = {count};
  hid_t space = H5Screate_simple(1, dims, NULL);
  ls_status status = put(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, space, values);
  ls_h5_release(space);
  return status;
}

/* ---- reading ---- */

typedef struct attribute {
  hid_t id, type;
  char path[LS_H5_PATH_BYTES]; /* "/progress@step", for messages */
} attribute;

static void close_attribute(attribute *self)
{
  ls_h5_release(self->type);
  ls_h5_release(self->id);
}

ls_status ls_h5_has_attribute(hid_t object, const char *name, bool *has)
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

static ls_status read_variable_text(const attribute *self, hid_t type, size_t limit, char **text)
{
  char *read = NULL;
  if (H5Tset_size(type, H5T_VARIABLE) < 0) return ls_h5_fail(LS_E_INPUT, "attribute %s", self->path);
  LS_PASS(read_attribute(self, type, &read));
  ls_status status;
  if (read && strlen(read) > limit)
    status = ls_fail(LS_E_INPUT, "attribute %s: longer than %zu bytes", self->path, limit);
  else
    status = ls_text_copy(text, read ? read : "");
  (void)H5free_memory(read);
  return status;
}

static ls_status read_fixed_text(const attribute *self, hid_t type, size_t limit, char **text)
{
  size_t bytes = H5Tget_size(self->type);
  if (bytes > limit + 1) return ls_fail(LS_E_INPUT, "attribute %s: longer than %zu bytes", self->path, limit);
  char *read;
  LS_PASS(ls_alloc(&read, bytes + 1, 1, "an attribute"));
  ls_status status;
  if (H5Tset_size(type, bytes + 1) < 0)
    status = ls_h5_fail(LS_E_INPUT, "attribute %s", self->path);
  else
    status = read_attribute(self, type, read);
  if (status == LS_OK)
    *text = read;
  else
    free(read);
  return status;
}

static ls_status read_text(const attribute *self, size_t limit, char **text)
{
  if (H5Tget_class(self->type) != H5T_STRING)
    return ls_fail(LS_E_INPUT, "attribute %s: a text expected, another type found", self->path);
  hid_t type = H5Tcopy(H5T_C_S1);
  ls_status status;
  if (type < 0 || H5Tset_cset(type, H5Tget_cset(self->type)) < 0)
    status = ls_h5_fail(LS_E_INPUT, "attribute %s", self->path);
  else if (H5Tis_variable_str(self->type) > 0)
    status = read_variable_text(self, type, limit, text);
  else
    status = read_fixed_text(self, type, limit, text);
  ls_h5_release(type);
  return status;
}

ls_status ls_h5_get_text(hid_t object, const char *name, size_t limit, char **text)
{
  attribute self;
  ls_status status;
  LS_GO(open_attribute(&self, object, name, 1));
  LS_GO(read_text(&self, limit, text));
done:
  close_attribute(&self);
  return status;
}

ls_status ls_h5_get_short_text(hid_t object, const char *name, char *text, size_t bytes)
{
  char *read;
  LS_PASS(ls_h5_get_text(object, name, bytes - 1, &read));
  snprintf(text, bytes, "%s", read);
  free(read);
  return LS_OK;
}

ls_status ls_h5_get_count(hid_t object, const char *name, uint64_t low, uint64_t high, uint64_t *value)
{
  attribute self;
  ls_status status;
  LS_GO(open_attribute(&self, object, name, 1));
  if (H5Tget_class(self.type) != H5T_INTEGER) {
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

ls_status ls_h5_get_reals(hid_t object, const char *name, double *values, size_t count)
{
  attribute self;
  ls_status status;
  LS_GO(open_attribute(&self, object, name, count));
  H5T_class_t class = H5Tget_class(self.type);
  if (class != H5T_FLOAT && class != H5T_INTEGER)
    status = ls_fail(LS_E_INPUT, "attribute %s: numbers expected, another type found", self.path);
  else
    status = read_attribute(&self, H5T_NATIVE_DOUBLE, values);
done:
  close_attribute(&self);
  return status;
}

ls_status ls_h5_get_real(hid_t object, const char *name, double *value)
{
  return ls_h5_get_reals(object, name, value, 1);
}
