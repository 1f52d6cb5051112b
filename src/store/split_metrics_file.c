/* SPDX-License-Identifier: BSD-3-Clause */
/* Figures as HDF5: a single number is an attribute, a number for each class a dataset, so that
 * f["test/f1"][:] is all that h5py needs. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "store/internal.h"

static const char *const split_words[LS_METRICS_COUNT] = {
    [LS_METRICS_VALIDATION] = "validation", [LS_METRICS_TEST] = "test"};

/* ---- the columns ---- */

/* The attributes: what is one number. */
static const ls_field figures[] = {
    LS_COUNT_FIELD(ls_metrics, epoch),
    LS_COUNT_FIELD(ls_metrics, samples),
    LS_COUNT_FIELD(ls_metrics, correct),
    LS_REAL_FIELD(ls_metrics, loss),
    LS_REAL_FIELD(ls_metrics, nll),
    LS_REAL_FIELD(ls_metrics, accuracy),
    LS_REAL_FIELD(ls_metrics, brier),
    LS_REAL_FIELD(ls_metrics, ece),
    {"macro_precision", LS_FIELD_REAL, offsetof(ls_metrics, macro.precision)},
    {"macro_recall", LS_FIELD_REAL, offsetof(ls_metrics, macro.recall)},
    {"macro_f1", LS_FIELD_REAL, offsetof(ls_metrics, macro.f1)},
};

static const ls_fields all_figures = {figures, sizeof figures / sizeof *figures};

/* The datasets with a value for each class. */
static const ls_field columns[] = {
    LS_REAL_FIELD(ls_class_metrics, precision),  LS_REAL_FIELD(ls_class_metrics, recall),
    LS_REAL_FIELD(ls_class_metrics, f1),         LS_COUNT_FIELD(ls_class_metrics, support),
    LS_COUNT_FIELD(ls_class_metrics, predicted),
};

enum { COLUMN_COUNT = sizeof columns / sizeof *columns };

static ls_h5_number number_of(ls_field_type type)
{
  return type == LS_FIELD_COUNT ? LS_H5_UINT64 : LS_H5_FLOAT64;
}

static unsigned char *cell(ls_class_metrics *rows, size_t i, const ls_field *of)
{
  return (unsigned char *)&rows[i] + of->offset;
}

/* ---- writing ---- */

static ls_status write_columns(ls_h5_id group, const ls_metrics *metrics)
{
  const size_t dims[] = {metrics->classes, metrics->classes};
  uint64_t *values;
  ls_status status;
  LS_PASS(ls_alloc(&values, metrics->classes, sizeof *values, "the metrics of each class"));
  for (size_t c = 0; c < COLUMN_COUNT; c++) {
    for (size_t i = 0; i < metrics->classes; i++)
      memcpy(&values[i], cell(metrics->per_class, i, &columns[c]), sizeof values[i]);
    const ls_h5_plan plan = {.number = number_of(columns[c].type), .dims = dims, .dim_count = 1};
    LS_GO(ls_h5_data_put(group, columns[c].name, &plan, values));
  }
  status =
      ls_h5_data_put(group, "confusion", &(ls_h5_plan){.number = LS_H5_UINT64, .dims = dims, .dim_count = 2},
                     metrics->confusion);
done:
  free(values);
  return status;
}

static ls_status write_split(ls_h5_id group, const ls_metrics *metrics, const char *class_names)
{
  LS_PASS(ls_h5_put_fields(group, all_figures, metrics));
  if (class_names) LS_PASS(ls_h5_put_text(group, "class_names", class_names));
  return write_columns(group, metrics);
}

ls_status ls_split_metrics_write(ls_h5_id parent, const ls_split_metrics *split_metrics,
                                 const char *class_names)
{
  for (size_t i = 0; i < LS_METRICS_COUNT; i++) {
    ls_h5_id group;
    if (!split_metrics->splits[i]) continue;
    LS_PASS(ls_h5_group_make(&group, parent, split_words[i]));
    LS_PASS(ls_h5_close(group, write_split(group, split_metrics->splits[i], class_names)));
  }
  return LS_OK;
}

/* ---- reading ---- */

/* Open a dataset of numbers that is to have this shape. */
static ls_status open_values(ls_h5_data *data, ls_h5_id group, const char *name, ls_field_type type,
                             const size_t *dims, size_t dim_count)
{
  ls_status status;
  LS_PASS(ls_h5_data_open(data, group, name));
  LS_GO(ls_h5_data_check_shape(data, dims, dim_count));
  LS_GO(ls_h5_data_check_plain(data));
  if (data->element.class == (type == LS_FIELD_COUNT ? LS_H5_INTEGER : LS_H5_REAL)) return LS_OK;
  status = ls_fail(LS_E_INPUT, "dataset %s: numbers of another type expected", data->path);
done:
  ls_h5_data_close(data);
  return status;
}

static ls_status check_values(ls_h5_id group, const char *name, ls_field_type type, const size_t *dims,
                              size_t dim_count)
{
  ls_h5_data data;
  LS_PASS(open_values(&data, group, name, type, dims, dim_count));
  ls_h5_data_close(&data);
  return LS_OK;
}

/* Read them, of 8 bytes each in memory. */
static ls_status read_values(ls_h5_id group, const char *name, ls_field_type type, const size_t *dims,
                             size_t dim_count, void *values)
{
  ls_h5_data data;
  LS_PASS(open_values(&data, group, name, type, dims, dim_count));
  const ls_status status = ls_h5_data_read(&data, number_of(type), values);
  ls_h5_data_close(&data);
  return status;
}

/* Are there so many classes? Checked before memory is allocated for a number that only an attribute states.
 */
static ls_status check_classes(ls_h5_id group, size_t classes)
{
  const size_t dims[] = {classes, classes};
  for (size_t c = 0; c < COLUMN_COUNT; c++)
    LS_PASS(check_values(group, columns[c].name, columns[c].type, dims, 1));
  return check_values(group, "confusion", LS_FIELD_COUNT, dims, 2);
}

static ls_status read_columns(ls_h5_id group, ls_metrics *metrics)
{
  const size_t dims[] = {metrics->classes, metrics->classes};
  uint64_t *values;
  ls_status status;
  LS_PASS(ls_alloc(&values, metrics->classes, sizeof *values, "the metrics of each class"));
  for (size_t c = 0; c < COLUMN_COUNT; c++) {
    LS_GO(read_values(group, columns[c].name, columns[c].type, dims, 1, values));
    for (size_t i = 0; i < metrics->classes; i++)
      memcpy(cell(metrics->per_class, i, &columns[c]), &values[i], sizeof values[i]);
  }
  status = read_values(group, "confusion", LS_FIELD_COUNT, dims, 2, metrics->confusion);
done:
  free(values);
  return status;
}

/* What is done with the group of a split that is there. */
typedef ls_status (*split_use)(ls_h5_id group, ls_metrics_split split, void *user);

static ls_status use_splits(ls_h5_id parent, split_use use, void *user)
{
  for (size_t i = 0; i < LS_METRICS_COUNT; i++) {
    ls_h5_id group;
    bool has;
    LS_PASS(ls_h5_has(parent, split_words[i], &has));
    if (!has) continue;
    LS_PASS(ls_h5_group_open(&group, parent, split_words[i]));
    const ls_status status = use(group, (ls_metrics_split)i, user);
    ls_h5_release(group);
    LS_PASS(status);
  }
  return LS_OK;
}

/* Of a checkpoint, which may be older and have none. */
static ls_status use_checkpoint(ls_h5_id file, split_use use, void *user)
{
  ls_h5_id metrics, splits = LS_H5_NONE;
  bool has;
  ls_status status;
  LS_PASS(ls_h5_group_open(&metrics, file, "metrics"));
  LS_GO(ls_h5_has(metrics, LS_SPLIT_METRICS_GROUP, &has));
  if (!has) goto done;
  LS_GO(ls_h5_group_open(&splits, metrics, LS_SPLIT_METRICS_GROUP));
  status = use_splits(splits, use, user);
done:
  ls_h5_release(splits);
  ls_h5_release(metrics);
  return status;
}

typedef struct reading {
  size_t classes;
  ls_split_metrics *out;
} reading;

static ls_status read_split(ls_h5_id group, ls_metrics_split split, void *user)
{
  const reading *self = user;
  LS_PASS(check_classes(group, self->classes));
  LS_PASS(ls_metrics_make(&self->out->splits[split], self->classes));
  LS_PASS(ls_h5_get_fields(group, all_figures, self->out->splits[split]));
  return read_columns(group, self->out->splits[split]);
}

ls_status ls_split_metrics_read(ls_h5_id file, size_t classes, ls_split_metrics *out)
{
  *out = (ls_split_metrics){{NULL}};
  const ls_status status = use_checkpoint(file, read_split, &(reading){classes, out});
  if (status != LS_OK) ls_split_metrics_fini(out);
  return status;
}

/* ---- for people ---- */

static ls_status report_split(ls_h5_id group, ls_metrics_split split, void *user)
{
  ls_metrics found = {.epoch = 0};
  LS_PASS(ls_h5_get_fields(group, all_figures, &found));
  ls_text_add(user,
              "  %-10s after epoch %zu: accuracy %.4f, loss %.5f, Brier score %.4f, calibration error %.4f, "
              "macro F1 %.4f\n",
              split_words[split], (size_t)found.epoch, found.accuracy, found.loss, found.brier, found.ece,
              found.macro.f1);
  return LS_OK;
}

ls_status ls_split_metrics_describe(ls_h5_id file, bool is_checkpoint, ls_text *text)
{
  return is_checkpoint ? use_checkpoint(file, report_split, text) : use_splits(file, report_split, text);
}
