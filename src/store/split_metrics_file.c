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

#define MEAN_FIELD(mean, member)                                                                             \
  {                                                                                                          \
#mean "_" #member, LS_FIELD_REAL, offsetof(ls_metrics, mean.member)                                      \
  }

/* The attributes: what is one number. */
static const ls_field class_figures[] = {
    LS_COUNT_FIELD(ls_metrics, epoch),
    LS_COUNT_FIELD(ls_metrics, samples),
    LS_COUNT_FIELD(ls_metrics, correct),
    LS_REAL_FIELD(ls_metrics, loss),
    LS_REAL_FIELD(ls_metrics, nll),
    LS_REAL_FIELD(ls_metrics, accuracy),
    LS_REAL_FIELD(ls_metrics, brier),
    LS_REAL_FIELD(ls_metrics, ece),
    MEAN_FIELD(macro, precision),
    MEAN_FIELD(macro, recall),
    MEAN_FIELD(macro, f1),
};

static const ls_field several_figures[] = {
    LS_COUNT_FIELD(ls_metrics, epoch),
    LS_COUNT_FIELD(ls_metrics, samples),
    LS_COUNT_FIELD(ls_metrics, correct),
    LS_REAL_FIELD(ls_metrics, loss),
    LS_REAL_FIELD(ls_metrics, accuracy),
    MEAN_FIELD(micro, precision),
    MEAN_FIELD(micro, recall),
    MEAN_FIELD(micro, f1),
    MEAN_FIELD(macro, precision),
    MEAN_FIELD(macro, recall),
    MEAN_FIELD(macro, f1),
    {"mean_average_precision", LS_FIELD_REAL, offsetof(ls_metrics, macro.average_precision)},
};

static const ls_field values_figures[] = {
    LS_COUNT_FIELD(ls_metrics, epoch),
    LS_COUNT_FIELD(ls_metrics, samples),
    LS_REAL_FIELD(ls_metrics, loss),
    {"mae", LS_FIELD_REAL, offsetof(ls_metrics, macro.mae)},
    {"rmse", LS_FIELD_REAL, offsetof(ls_metrics, macro.rmse)},
    {"r2", LS_FIELD_REAL, offsetof(ls_metrics, macro.r2)},
};

/* The datasets with a value for each class, or label, or value. */
static const ls_field class_columns[] = {
    LS_REAL_FIELD(ls_class_metrics, precision),  LS_REAL_FIELD(ls_class_metrics, recall),
    LS_REAL_FIELD(ls_class_metrics, f1),         LS_COUNT_FIELD(ls_class_metrics, support),
    LS_COUNT_FIELD(ls_class_metrics, predicted), LS_REAL_FIELD(ls_class_metrics, average_precision),
};

static const ls_field values_columns[] = {
    LS_REAL_FIELD(ls_class_metrics, mae),
    LS_REAL_FIELD(ls_class_metrics, rmse),
    LS_REAL_FIELD(ls_class_metrics, r2),
};

#define FIELDS(list)                                                                                         \
  {                                                                                                          \
    list, sizeof(list) / sizeof *(list)                                                                      \
  }

/* By the form of the labels. */
static const struct {
  ls_fields figures, columns;
} forms[] = {
    [LS_LABELS_CLASS] = {FIELDS(class_figures), {class_columns, 5}}, /* but average_precision */
    [LS_LABELS_SEVERAL] = {FIELDS(several_figures), FIELDS(class_columns)},
    [LS_LABELS_VALUES] = {FIELDS(values_figures), FIELDS(values_columns)},
};

static ls_h5_number number_of(ls_field_type type)
{
  return type == LS_FIELD_COUNT ? LS_H5_UINT64 : LS_H5_FLOAT64;
}

static unsigned char *cell(ls_class_metrics *rows, size_t i, const ls_field *of)
{
  return (unsigned char *)&rows[i] + of->offset;
}

/* Write or read a column; `values` has room for it. */
typedef ls_status (*column_use)(ls_h5_id group, ls_metrics *metrics, const ls_field *column,
                                uint64_t *values);

static ls_status for_columns(ls_h5_id group, ls_metrics *metrics, column_use use)
{
  const ls_fields *columns = &forms[metrics->labels].columns;
  uint64_t *values;
  ls_status status = LS_OK;
  LS_PASS(ls_alloc(&values, metrics->classes, sizeof *values, "the metrics of each class"));
  for (size_t c = 0; c < columns->count && status == LS_OK; c++)
    status = use(group, metrics, &columns->list[c], values);
  free(values);
  return status;
}

/* ---- writing ---- */

static ls_status write_column(ls_h5_id group, ls_metrics *metrics, const ls_field *column, uint64_t *values)
{
  const ls_h5_plan plan = {.number = number_of(column->type), .dims = &metrics->classes, .dim_count = 1};
  for (size_t i = 0; i < metrics->classes; i++)
    memcpy(&values[i], cell(metrics->per_class, i, column), sizeof values[i]);
  return ls_h5_data_put(group, column->name, &plan, values);
}

static ls_status write_columns(ls_h5_id group, ls_metrics *metrics)
{
  const size_t dims[] = {metrics->classes, metrics->classes};
  const ls_h5_plan plan = {.number = LS_H5_UINT64, .dims = dims, .dim_count = 2};
  LS_PASS(for_columns(group, metrics, write_column));
  return metrics->confusion ? ls_h5_data_put(group, "confusion", &plan, metrics->confusion) : LS_OK;
}

static ls_status write_split(ls_h5_id group, ls_metrics *metrics, const char *class_names)
{
  LS_PASS(ls_labels_write(group, metrics->labels));
  LS_PASS(ls_h5_put_fields(group, forms[metrics->labels].figures, metrics));
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
static ls_status check_classes(ls_h5_id group, ls_label_form labels, size_t classes)
{
  const size_t dims[] = {classes, classes};
  const ls_fields *columns = &forms[labels].columns;
  for (size_t c = 0; c < columns->count; c++)
    LS_PASS(check_values(group, columns->list[c].name, columns->list[c].type, dims, 1));
  return labels == LS_LABELS_CLASS ? check_values(group, "confusion", LS_FIELD_COUNT, dims, 2) : LS_OK;
}

static ls_status read_column(ls_h5_id group, ls_metrics *metrics, const ls_field *column, uint64_t *values)
{
  LS_PASS(read_values(group, column->name, column->type, &metrics->classes, 1, values));
  for (size_t i = 0; i < metrics->classes; i++)
    memcpy(cell(metrics->per_class, i, column), &values[i], sizeof values[i]);
  return LS_OK;
}

static ls_status read_columns(ls_h5_id group, ls_metrics *metrics)
{
  const size_t dims[] = {metrics->classes, metrics->classes};
  LS_PASS(for_columns(group, metrics, read_column));
  if (!metrics->confusion) return LS_OK;
  return read_values(group, "confusion", LS_FIELD_COUNT, dims, 2, metrics->confusion);
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
  ls_label_form labels;
  LS_PASS(ls_labels_read(group, &labels));
  LS_PASS(check_classes(group, labels, self->classes));
  LS_PASS(ls_metrics_make(&self->out->splits[split], labels, self->classes));
  LS_PASS(ls_h5_get_fields(group, forms[labels].figures, self->out->splits[split]));
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

static void add_class_figures(const ls_metrics *found, ls_text *text)
{
  ls_text_add(text, "accuracy %.4f, loss %.5f, Brier score %.4f, calibration error %.4f, macro F1 %.4f\n",
              found->accuracy, found->loss, found->brier, found->ece, found->macro.f1);
}

static void add_several_figures(const ls_metrics *found, ls_text *text)
{
  ls_text_add(text,
              "exact match %.4f, loss %.5f, micro F1 %.4f, macro F1 %.4f, mean average precision %.4f\n",
              found->accuracy, found->loss, found->micro.f1, found->macro.f1, found->macro.average_precision);
}

static void add_values_figures(const ls_metrics *found, ls_text *text)
{
  ls_text_add(text, "loss %.5f, mean absolute error %.5g, root mean square error %.5g, R2 %.4f\n",
              found->loss, found->macro.mae, found->macro.rmse, found->macro.r2);
}

static ls_status report_split(ls_h5_id group, ls_metrics_split split, void *user)
{
  static void (*const adds[])(const ls_metrics *, ls_text *) = {[LS_LABELS_CLASS] = add_class_figures,
                                                                [LS_LABELS_SEVERAL] = add_several_figures,
                                                                [LS_LABELS_VALUES] = add_values_figures};
  ls_metrics found = {.epoch = 0};
  LS_PASS(ls_labels_read(group, &found.labels));
  LS_PASS(ls_h5_get_fields(group, forms[found.labels].figures, &found));
  ls_text_add(user, "  %-10s after epoch %zu: ", split_words[split], (size_t)found.epoch);
  adds[found.labels](&found, user);
  return LS_OK;
}

ls_status ls_split_metrics_describe(ls_h5_id file, bool is_checkpoint, ls_text *text)
{
  return is_checkpoint ? use_checkpoint(file, report_split, text) : use_splits(file, report_split, text);
}
