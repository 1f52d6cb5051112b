/* SPDX-License-Identifier: BSD-3-Clause */
/* The metrics of the epochs, in memory and as HDF5 tables. */
#include "store/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* There is a row per epoch: growing by one each time is cheap enough to need no capacity. */
ls_status ls_history_add(ls_history *history, const ls_epoch_metrics *row)
{
  ls_epoch_metrics *rows;
  LS_PASS(ls_alloc(&rows, history->count + 1, sizeof *rows, "the metrics of the run"));
  if (history->count > 0) memcpy(rows, history->rows, history->count * sizeof *rows);
  rows[history->count++] = *row;
  free(history->rows);
  history->rows = rows;
  return LS_OK;
}

void ls_history_fini(ls_history *history)
{
  free(history->rows);
  *history = (ls_history){0};
}

const ls_epoch_metrics *ls_history_find(const ls_history *history, uint64_t epoch)
{
  for (size_t i = 0; i < history->count; i++)
    if (history->rows[i].epoch == epoch) return &history->rows[i];
  return NULL;
}

/* ---- as tables ---- */

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define COLUMN_LIST(X)                                                                                       \
  X(epoch, H5T_STD_U64LE, H5T_NATIVE_UINT64)                                                                 \
  X(step, H5T_STD_U64LE, H5T_NATIVE_UINT64)                                                                  \
  X(loss, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE)                                                                 \
  X(accuracy, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE)                                                             \
  X(learning_rate, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE)                                                        \
  X(seconds, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE)

/* Of an evaluation alone; older files lack them. */
#define EXTRA_LIST(X)                                                                                        \
  X(brier, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE)                                                                \
  X(ece, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE)                                                                  \
  X(macro_precision, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE)                                                      \
  X(macro_recall, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE)                                                         \
  X(macro_f1, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE)

/* A row on disk (little-endian, members in the order of the struct) or in memory. */
static hid_t make_type(bool in_memory, bool has_extras)
{
  const size_t bytes = has_extras || in_memory ? sizeof(ls_epoch_metrics) : offsetof(ls_epoch_metrics, brier);
  hid_t type = H5Tcreate(H5T_COMPOUND, bytes);
  bool complete = type >= 0;
#define COLUMN_INSERT(name, file_type, memory_type)                                                          \
  complete = complete && H5Tinsert(type, #name, offsetof(ls_epoch_metrics, name),                            \
                                   in_memory ? memory_type : file_type) >= 0;
  COLUMN_LIST(COLUMN_INSERT)
  if (has_extras) {
    EXTRA_LIST(COLUMN_INSERT)
  }
#undef COLUMN_INSERT
  if (complete) return type;
  ls_h5_release(type);
  return H5I_INVALID_HID;
}

static ls_status write_table(hid_t group, const char *name, const ls_history *history, bool has_extras)
{
  hid_t file_type = make_type(false, has_extras), memory_type = make_type(true, has_extras);
  ls_h5_data data = {.id = H5I_INVALID_HID, .type = H5I_INVALID_HID};
  size_t dims[1] = {history->count};
  ls_status status;
  LS_GO(file_type < 0 || memory_type < 0 ? ls_h5_fail(LS_E_MEMORY, "cannot make the type of a table")
                                         : LS_OK);
  LS_GO(ls_h5_data_make(&data, group, name, file_type, dims, 1));
  LS_GO(ls_h5_data_write(&data, memory_type, history->rows));
done:
  status = ls_h5_close(data.id, status);
  ls_h5_release(memory_type);
  ls_h5_release(file_type);
  return status;
}

ls_status ls_histories_write(hid_t *group, hid_t file, const ls_history *train, const ls_history *validation)
{
  LS_PASS(ls_h5_group_make(group, file, "metrics"));
  LS_PASS(write_table(*group, "train", train, false));
  return write_table(*group, "validation", validation, true);
}

/* Every column must be there, as a number: HDF5 itself leaves out what it does not find. */
static ls_status check_columns(const ls_h5_data *data, bool has_extras)
{
#define COLUMN_NAME(name, file_type, memory_type) #name,
  static const char *const columns[] = {COLUMN_LIST(COLUMN_NAME) EXTRA_LIST(COLUMN_NAME)};
  static const char *const extras[] = {EXTRA_LIST(COLUMN_NAME)};
#undef COLUMN_NAME
  const size_t count = COUNT(columns) - (has_extras ? 0 : COUNT(extras));
  if (H5Tget_class(data->type) != H5T_COMPOUND || data->dim_count != 1)
    return ls_fail(LS_E_INPUT, "dataset %s: a table with one row per epoch expected, something else found",
                   data->path);
  for (size_t i = 0; i < count; i++) {
    int index = H5Tget_member_index(data->type, columns[i]);
    H5T_class_t class = index < 0 ? H5T_NO_CLASS : H5Tget_member_class(data->type, (unsigned)index);
    if (class != H5T_INTEGER && class != H5T_FLOAT)
      return ls_fail(LS_E_INPUT, "dataset %s: column '%s' is missing or no number", data->path, columns[i]);
  }
  return LS_OK;
}

static ls_status read_rows(const ls_h5_data *data, ls_history *history)
{
  const bool has_extras =
      H5Tget_class(data->type) == H5T_COMPOUND && H5Tget_member_index(data->type, "brier") >= 0;
  LS_PASS(check_columns(data, has_extras));
  LS_PASS(ls_h5_data_check_plain(data));
  hid_t type = make_type(true, has_extras);
  if (type < 0) return ls_h5_fail(LS_E_MEMORY, "cannot make the type of a table");
  ls_epoch_metrics *rows = NULL;
  ls_status status;
  LS_GO(ls_alloc(&rows, data->count, sizeof *rows, "the metrics of the run"));
  LS_GO(ls_h5_data_read(data, type, rows));
  *history = (ls_history){.rows = rows, .count = data->count};
  rows = NULL;
done:
  free(rows);
  ls_h5_release(type);
  return status;
}

static ls_status read_table(hid_t group, const char *name, ls_history *history)
{
  ls_h5_data data;
  LS_PASS(ls_h5_data_open(&data, group, name));
  ls_status status = read_rows(&data, history);
  ls_h5_data_close(&data);
  return status;
}

ls_status ls_histories_read(hid_t file, ls_history *train, ls_history *validation)
{
  *train = *validation = (ls_history){0};
  hid_t group;
  ls_status status;
  LS_GO(ls_h5_group_open(&group, file, "metrics"));
  LS_GO(read_table(group, "train", train));
  LS_GO(read_table(group, "validation", validation));
done:
  ls_h5_release(group);
  if (status == LS_OK) return LS_OK;
  ls_history_fini(train);
  ls_history_fini(validation);
  return status;
}
