/* SPDX-License-Identifier: BSD-3-Clause */
/* The metrics of the epochs, in memory and as HDF5 tables. */
#include "store/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* There is one row per epoch, so the array grows by one: that is cheap enough. */
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

/* The columns of both tables. */
#define SHARED_COLUMNS                                                                                       \
  LS_COUNT_FIELD(ls_epoch_metrics, epoch), LS_COUNT_FIELD(ls_epoch_metrics, step),                           \
      LS_REAL_FIELD(ls_epoch_metrics, loss), LS_REAL_FIELD(ls_epoch_metrics, accuracy),                      \
      LS_REAL_FIELD(ls_epoch_metrics, learning_rate), LS_REAL_FIELD(ls_epoch_metrics, seconds)

#define MACRO_COLUMNS                                                                                        \
  LS_REAL_FIELD(ls_epoch_metrics, macro_precision), LS_REAL_FIELD(ls_epoch_metrics, macro_recall),           \
      LS_REAL_FIELD(ls_epoch_metrics, macro_f1)
static const ls_field class_columns[] = {SHARED_COLUMNS, LS_REAL_FIELD(ls_epoch_metrics, brier),
                                         LS_REAL_FIELD(ls_epoch_metrics, ece), MACRO_COLUMNS};
static const ls_field several_columns[] = {SHARED_COLUMNS, MACRO_COLUMNS,
                                           LS_REAL_FIELD(ls_epoch_metrics, micro_f1),
                                           LS_REAL_FIELD(ls_epoch_metrics, mean_average_precision)};
static const ls_field values_columns[] = {SHARED_COLUMNS, LS_REAL_FIELD(ls_epoch_metrics, mae),
                                          LS_REAL_FIELD(ls_epoch_metrics, rmse),
                                          LS_REAL_FIELD(ls_epoch_metrics, r2)};

enum { SHARED_COUNT = 6 };

/* The others are of evaluations alone, as their labels have them, and older files lack them. */
#define COLUMNS(list)                                                                                        \
  {                                                                                                          \
    .fields = {list, sizeof(list) / sizeof *(list)}, .required = SHARED_COUNT,                               \
    .row_bytes = sizeof(ls_epoch_metrics)                                                                    \
  }

static const ls_h5_columns train_columns = {
    .fields = {class_columns, SHARED_COUNT}, .required = SHARED_COUNT, .row_bytes = sizeof(ls_epoch_metrics)};
static const ls_h5_columns validation_columns[] = {[LS_LABELS_CLASS] = COLUMNS(class_columns),
                                                   [LS_LABELS_SEVERAL] = COLUMNS(several_columns),
                                                   [LS_LABELS_VALUES] = COLUMNS(values_columns)};

ls_status ls_histories_write(ls_h5_id *group, ls_h5_id file, const ls_state *state)
{
  const ls_history *train = &state->train, *validation = &state->validation;
  LS_PASS(ls_h5_group_make(group, file, "metrics"));
  LS_PASS(ls_labels_write(*group, state->labels));
  LS_PASS(ls_h5_table_write(*group, "train", &train_columns, train->rows, train->count));
  return ls_h5_table_write(*group, "validation", &validation_columns[state->labels], validation->rows,
                           validation->count);
}

static ls_status read_table(ls_h5_id group, const char *name, const ls_h5_columns *of, ls_history *history)
{
  void *rows;
  LS_PASS(ls_h5_table_read(group, name, of, &rows, &history->count));
  history->rows = rows;
  return LS_OK;
}

ls_status ls_histories_read(ls_h5_id file, ls_history *train, ls_history *validation)
{
  *train = *validation = (ls_history){0};
  ls_h5_id group;
  ls_label_form labels;
  ls_status status;
  LS_GO(ls_h5_group_open(&group, file, "metrics"));
  LS_GO(ls_labels_read(group, &labels));
  LS_GO(read_table(group, "train", &train_columns, train));
  LS_GO(read_table(group, "validation", &validation_columns[labels], validation));
done:
  ls_h5_release(group);
  if (status == LS_OK) return LS_OK;
  ls_history_fini(train);
  ls_history_fini(validation);
  return status;
}
