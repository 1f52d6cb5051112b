/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables: datasets of a compound type with a column for each field of a struct, as
 * pandas.DataFrame(f["metrics/train"][:]) wants it. On disk the columns lie as in the struct. */
#include <stdlib.h>

#include "base/memory.h"
#include "h5/internal.h"

/* A row of the first `count` columns on disk, where it ends with the last of them, or in memory; negative if
 * there is no memory. */
static hid_t make_type(const ls_h5_columns *columns, size_t count, bool in_memory)
{
  const ls_field *last = &columns->fields.list[count - 1];
  const size_t bytes = in_memory ? columns->row_bytes : last->offset + LS_FIELD_BYTES;
  hid_t type = H5Tcreate(H5T_COMPOUND, bytes);
  bool is_complete = type >= 0;
  for (size_t i = 0; is_complete && i < count; i++) {
    const ls_field *field = &columns->fields.list[i];
    const ls_h5_number number = ls_h5_number_of(field);
    hid_t column = in_memory ? ls_h5_memory_type(number) : ls_h5_file_type(number);
    is_complete = H5Tinsert(type, field->name, field->offset, column) >= 0;
  }
  if (is_complete) return type;
  ls_h5_release(type);
  return LS_H5_NONE;
}

ls_status ls_h5_table_write(ls_h5_id group, const char *name, const ls_h5_columns *columns, const void *rows,
                            size_t count)
{
  const ls_h5_plan plan = {.dims = &count, .dim_count = 1};
  hid_t file_type = make_type(columns, columns->fields.count, false);
  hid_t memory_type = make_type(columns, columns->fields.count, true);
  ls_h5_data data = LS_H5_DATA_CLOSED;
  ls_status status;
  LS_GO(file_type < 0 || memory_type < 0 ? ls_h5_fail(LS_E_MEMORY, "cannot make the type of a table")
                                         : LS_OK);
  LS_GO(ls_h5_data_make_of(&data, group, name, file_type, &plan));
  LS_GO(ls_h5_data_write_as(&data, memory_type, rows));
done:
  status = ls_h5_close(data.id, status);
  ls_h5_release(memory_type);
  ls_h5_release(file_type);
  return status;
}

/* How many of the columns a table has: all, or those that it must have. */
static size_t count_columns(const ls_h5_data *data, const ls_h5_columns *columns)
{
  const size_t required = columns->required, all = columns->fields.count;
  if (required == all || data->element.class != LS_H5_TABLE) return required;
  return H5Tget_member_index(data->type, columns->fields.list[required].name) < 0 ? required : all;
}

/* Every column must be there, as a number: HDF5 itself leaves out what it does not find. */
static ls_status check_columns(const ls_h5_data *data, const ls_h5_columns *columns, size_t count)
{
  if (data->element.class != LS_H5_TABLE || data->dim_count != 1)
    return ls_fail(LS_E_INPUT, "dataset %s: a table of one dimension expected, something else found",
                   data->path);
  for (size_t i = 0; i < count; i++) {
    const char *name = columns->fields.list[i].name;
    const int index = H5Tget_member_index(data->type, name);
    const H5T_class_t class = index < 0 ? H5T_NO_CLASS : H5Tget_member_class(data->type, (unsigned)index);
    if (class != H5T_INTEGER && class != H5T_FLOAT)
      return ls_fail(LS_E_INPUT, "dataset %s: column '%s' is missing or no number", data->path, name);
  }
  return LS_OK;
}

static ls_status read_rows(ls_h5_data *data, const ls_h5_columns *columns, void **rows, size_t *count)
{
  const size_t present = count_columns(data, columns);
  LS_PASS(check_columns(data, columns, present));
  LS_PASS(ls_h5_data_check_plain(data));
  hid_t type = make_type(columns, present, true);
  if (type < 0) return ls_h5_fail(LS_E_MEMORY, "cannot make the type of a table");
  void *read = NULL;
  ls_status status;
  LS_GO(ls_alloc(&read, data->count, columns->row_bytes, "a table"));
  LS_GO(ls_h5_data_read_as(data, type, read));
  *rows = read;
  *count = data->count;
  read = NULL;
done:
  free(read);
  ls_h5_release(type);
  return status;
}

ls_status ls_h5_table_read(ls_h5_id group, const char *name, const ls_h5_columns *columns, void **rows,
                           size_t *count)
{
  ls_h5_data data;
  LS_PASS(ls_h5_data_open(&data, group, name));
  const ls_status status = read_rows(&data, columns, rows, count);
  ls_h5_data_close(&data);
  return status;
}
