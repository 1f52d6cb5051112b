/* SPDX-License-Identifier: BSD-3-Clause */
/* HDF5's types in our words. */
#include <stdio.h>

#include "h5/internal.h"

/* HDF5's names of types are calls: they make no constants. */

hid_t ls_h5_file_type(ls_h5_number number)
{
  const hid_t types[LS_H5_NUMBER_COUNT] = {[LS_H5_UINT8] = H5T_STD_U8LE,
                                           [LS_H5_UINT16] = H5T_STD_U16LE,
                                           [LS_H5_UINT64] = H5T_STD_U64LE,
                                           [LS_H5_FLOAT32] = H5T_IEEE_F32LE,
                                           [LS_H5_FLOAT64] = H5T_IEEE_F64LE};
  return types[number];
}

hid_t ls_h5_memory_type(ls_h5_number number)
{
  const hid_t types[LS_H5_NUMBER_COUNT] = {[LS_H5_UINT8] = H5T_NATIVE_UINT8,
                                           [LS_H5_UINT16] = H5T_NATIVE_UINT16,
                                           [LS_H5_UINT64] = H5T_NATIVE_UINT64,
                                           [LS_H5_FLOAT32] = H5T_NATIVE_FLOAT,
                                           [LS_H5_FLOAT64] = H5T_NATIVE_DOUBLE};
  return types[number];
}

ls_h5_number ls_h5_number_of(const ls_field *field)
{
  return field->type == LS_FIELD_COUNT ? LS_H5_UINT64 : LS_H5_FLOAT64;
}

ls_h5_element ls_h5_element_of(hid_t type)
{
  static const ls_h5_class classes[H5T_NCLASSES] = {
      [H5T_INTEGER] = LS_H5_INTEGER, [H5T_FLOAT] = LS_H5_REAL, [H5T_STRING] = LS_H5_TEXT,
      [H5T_COMPOUND] = LS_H5_TABLE,  [H5T_ENUM] = LS_H5_ENUM,  [H5T_ARRAY] = LS_H5_ARRAY,
      [H5T_VLEN] = LS_H5_LISTS};
  const H5T_class_t class = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
  const bool is_known = class >= 0 && class < H5T_NCLASSES;
  ls_h5_element element = {.class = is_known ? classes[class] : LS_H5_OTHER};
  if (type < 0) return element;
  element.bytes = H5Tget_size(type);
  if (class == H5T_INTEGER) element.is_unsigned = H5Tget_sign(type) == H5T_SGN_NONE;
  if (class == H5T_INTEGER || class == H5T_FLOAT)
    element.is_whole = H5Tget_precision(type) == 8 * element.bytes;
  const int columns = class == H5T_COMPOUND ? H5Tget_nmembers(type) : 0;
  if (columns > 0) element.columns = (size_t)columns;
  return element;
}

const char *ls_h5_element_name(const ls_h5_element *element, char name[LS_H5_ELEMENT_BYTES])
{
  static const char *const nouns[LS_H5_CLASS_COUNT] = {
      [LS_H5_OTHER] = "other", [LS_H5_INTEGER] = "int", [LS_H5_REAL] = "float",  [LS_H5_TEXT] = "text",
      [LS_H5_TABLE] = "table", [LS_H5_ENUM] = "enum",   [LS_H5_ARRAY] = "array", [LS_H5_LISTS] = "lists"};
  const char *noun = nouns[element->class];
  if (element->class == LS_H5_INTEGER || element->class == LS_H5_REAL)
    snprintf(name, LS_H5_ELEMENT_BYTES, "%s%s%zu", element->is_unsigned ? "u" : "", noun, 8 * element->bytes);
  else if (element->class == LS_H5_TABLE)
    snprintf(name, LS_H5_ELEMENT_BYTES, "%s of %zu columns", noun, element->columns);
  else
    snprintf(name, LS_H5_ELEMENT_BYTES, "%s", noun);
  return name;
}

void ls_h5_extents(const size_t *dims, size_t count, hsize_t extents[LS_H5_MAX_RANK])
{
  for (size_t i = 0; i < count; i++) extents[i] = dims[i];
}
