/* SPDX-License-Identifier: BSD-3-Clause */
/* Figures as HDF5: what is one number is an attribute, what there is of each class a dataset, so that
 * f["test/f1"][:] is all that h5py needs. */
#include "store/split_metrics_h5.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "base/text.h"
#include "h5/h5.h"

static const char *const split_words[LS_METRICS_COUNT] = {
    [LS_METRICS_VALIDATION] = "validation", [LS_METRICS_TEST] = "test"};

/* ---- in memory ---- */

static ls_status allocate(ls_metrics *metrics, size_t classes)
{
  size_t cells;
  metrics->classes = classes;
  LS_PASS(ls_alloc(&metrics->per_class, classes, sizeof metrics->per_class[0], "the metrics of each class"));
  if (!ls_size_mul(classes, classes, &cells))
    return ls_fail(LS_E_MEMORY, "no memory for the confusion matrix of %zu classes", classes);
  return ls_alloc(&metrics->confusion, cells, sizeof metrics->confusion[0], "the confusion matrix");
}

ls_status ls_metrics_make(ls_metrics **out, size_t classes)
{
  LS_PASS(ls_alloc(out, 1, sizeof **out, "metrics"));
  const ls_status status = allocate(*out, classes);
  if (status == LS_OK) return LS_OK;
  ls_metrics_free(*out);
  *out = NULL;
  return status;
}

void ls_metrics_free(ls_metrics *metrics)
{
  if (!metrics) return;
  free(metrics->per_class);
  free(metrics->confusion);
  free(metrics);
}

void ls_split_metrics_set(ls_split_metrics *split_metrics, ls_metrics_split split, ls_metrics *metrics)
{
  ls_metrics_free(split_metrics->splits[split]);
  split_metrics->splits[split] = metrics;
}

void ls_split_metrics_fini(ls_split_metrics *split_metrics)
{
  for (size_t i = 0; i < LS_METRICS_COUNT; i++)
    ls_split_metrics_set(split_metrics, (ls_metrics_split)i, NULL);
}

/* ---- the columns ---- */

/* The attributes that are numbers with a fraction: name, member. */
#define REAL_LIST(X)                                                                                         \
  X(loss, loss)                                                                                              \
  X(nll, nll)                                                                                                \
  X(accuracy, accuracy)                                                                                      \
  X(brier, brier)                                                                                            \
  X(ece, ece)                                                                                                \
  X(macro_precision, macro.precision)                                                                        \
  X(macro_recall, macro.recall)                                                                              \
  X(macro_f1, macro.f1)

#define COUNT_LIST(X)                                                                                        \
  X(epoch)                                                                                                   \
  X(samples)                                                                                                 \
  X(correct)

/* A dataset with a value for each class. */
typedef struct column {
  const char *name;
  size_t offset; /* in ls_class_metrics */
  bool is_count; /* uint64_t; otherwise double */
} column;

_Static_assert(sizeof(double) == sizeof(uint64_t), "a value of a column is as large as another");

static const column columns[] = {
    {"precision", offsetof(ls_class_metrics, precision), false},
    {"recall", offsetof(ls_class_metrics, recall), false},
    {"f1", offsetof(ls_class_metrics, f1), false},
    {"support", offsetof(ls_class_metrics, support), true},
    {"predicted", offsetof(ls_class_metrics, predicted), true},
};

enum { COLUMN_COUNT = sizeof columns / sizeof *columns };

static hid_t file_type(bool is_count)
{
  return is_count ? H5T_STD_U64LE : H5T_IEEE_F64LE;
}

static hid_t memory_type(bool is_count)
{
  return is_count ? H5T_NATIVE_UINT64 : H5T_NATIVE_DOUBLE;
}

static unsigned char *cell(ls_class_metrics *rows, size_t i, const column *of)
{
  return (unsigned char *)&rows[i] + of->offset;
}

/* ---- writing ---- */

static ls_status write_values(hid_t group, const char *name, bool is_count, const size_t *dims,
                              size_t dim_count, const void *values)
{
  ls_h5_data data = {.id = H5I_INVALID_HID, .type = H5I_INVALID_HID};
  ls_status status;
  LS_GO(ls_h5_data_make(&data, group, name, file_type(is_count), dims, dim_count));
  LS_GO(ls_h5_data_write(&data, memory_type(is_count), values));
done:
  return ls_h5_close(data.id, status);
}

static ls_status write_columns(hid_t group, const ls_metrics *metrics)
{
  const size_t dims[] = {metrics->classes, metrics->classes};
  uint64_t *values;
  ls_status status;
  LS_PASS(ls_alloc(&values, metrics->classes, sizeof *values, "the metrics of each class"));
  for (size_t c = 0; c < COLUMN_COUNT; c++) {
    for (size_t i = 0; i < metrics->classes; i++)
      memcpy(&values[i], cell(metrics->per_class, i, &columns[c]), sizeof values[i]);
    LS_GO(write_values(group, columns[c].name, columns[c].is_count, dims, 1, values));
  }
  status = write_values(group, "confusion", true, dims, 2, metrics->confusion);
done:
  free(values);
  return status;
}

static ls_status write_split(hid_t group, const ls_metrics *metrics, const char *class_names)
{
#define WRITE_COUNT(name) LS_PASS(ls_h5_put_count(group, #name, metrics->name));
  COUNT_LIST(WRITE_COUNT)
#undef WRITE_COUNT
#define WRITE_REAL(name, member) LS_PASS(ls_h5_put_real(group, #name, metrics->member));
  REAL_LIST(WRITE_REAL)
#undef WRITE_REAL
  if (class_names) LS_PASS(ls_h5_put_text(group, "class_names", class_names));
  return write_columns(group, metrics);
}

ls_status ls_split_metrics_write(hid_t parent, const ls_split_metrics *split_metrics, const char *class_names)
{
  for (size_t i = 0; i < LS_METRICS_COUNT; i++) {
    hid_t group;
    if (!split_metrics->splits[i]) continue;
    LS_PASS(ls_h5_group_make(&group, parent, split_words[i]));
    LS_PASS(ls_h5_close(group, write_split(group, split_metrics->splits[i], class_names)));
  }
  return LS_OK;
}

/* ---- reading ---- */

/* Open a dataset of numbers that is to have this shape. */
static ls_status open_values(ls_h5_data *data, hid_t group, const char *name, bool is_count,
                             const size_t *dims, size_t dim_count)
{
  ls_status status;
  LS_PASS(ls_h5_data_open(data, group, name));
  LS_GO(ls_h5_data_check_shape(data, dims, dim_count));
  LS_GO(ls_h5_data_check_plain(data));
  if (H5Tget_class(data->type) == (is_count ? H5T_INTEGER : H5T_FLOAT)) return LS_OK;
  status = ls_fail(LS_E_INPUT, "dataset %s: numbers of another type expected", data->path);
done:
  ls_h5_data_close(data);
  return status;
}

static ls_status check_values(hid_t group, const char *name, bool is_count, const size_t *dims,
                              size_t dim_count)
{
  ls_h5_data data;
  LS_PASS(open_values(&data, group, name, is_count, dims, dim_count));
  ls_h5_data_close(&data);
  return LS_OK;
}

/* Read them, of 8 bytes each in memory. */
static ls_status read_values(hid_t group, const char *name, bool is_count, const size_t *dims,
                             size_t dim_count, void *values)
{
  ls_h5_data data;
  LS_PASS(open_values(&data, group, name, is_count, dims, dim_count));
  const ls_status status = ls_h5_data_read(&data, memory_type(is_count), values);
  ls_h5_data_close(&data);
  return status;
}

/* Are there so many classes? Before memory is taken for what an attribute alone says. */
static ls_status check_classes(hid_t group, size_t classes)
{
  const size_t dims[] = {classes, classes};
  for (size_t c = 0; c < COLUMN_COUNT; c++)
    LS_PASS(check_values(group, columns[c].name, columns[c].is_count, dims, 1));
  return check_values(group, "confusion", true, dims, 2);
}

static ls_status read_columns(hid_t group, ls_metrics *metrics)
{
  const size_t dims[] = {metrics->classes, metrics->classes};
  uint64_t *values;
  ls_status status;
  LS_PASS(ls_alloc(&values, metrics->classes, sizeof *values, "the metrics of each class"));
  for (size_t c = 0; c < COLUMN_COUNT; c++) {
    LS_GO(read_values(group, columns[c].name, columns[c].is_count, dims, 1, values));
    for (size_t i = 0; i < metrics->classes; i++)
      memcpy(cell(metrics->per_class, i, &columns[c]), &values[i], sizeof values[i]);
  }
  status = read_values(group, "confusion", true, dims, 2, metrics->confusion);
done:
  free(values);
  return status;
}

/* What is one number. */
static ls_status read_figures(hid_t group, ls_metrics *metrics)
{
#define READ_COUNT(name) LS_PASS(ls_h5_get_count(group, #name, 0, UINT64_MAX, &metrics->name));
  COUNT_LIST(READ_COUNT)
#undef READ_COUNT
#define READ_REAL(name, member) LS_PASS(ls_h5_get_real(group, #name, &metrics->member));
  REAL_LIST(READ_REAL)
#undef READ_REAL
  return LS_OK;
}

/* What is done with the group of a split that is there. */
typedef ls_status (*split_use)(hid_t group, ls_metrics_split split, void *user);

static ls_status use_splits(hid_t parent, split_use use, void *user)
{
  for (size_t i = 0; i < LS_METRICS_COUNT; i++) {
    hid_t group;
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
static ls_status use_checkpoint(hid_t file, split_use use, void *user)
{
  hid_t metrics, splits = H5I_INVALID_HID;
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

static ls_status read_split(hid_t group, ls_metrics_split split, void *user)
{
  const reading *self = user;
  LS_PASS(check_classes(group, self->classes));
  LS_PASS(ls_metrics_make(&self->out->splits[split], self->classes));
  LS_PASS(read_figures(group, self->out->splits[split]));
  return read_columns(group, self->out->splits[split]);
}

ls_status ls_split_metrics_read(hid_t file, size_t classes, ls_split_metrics *out)
{
  *out = (ls_split_metrics){{NULL}};
  const ls_status status = use_checkpoint(file, read_split, &(reading){classes, out});
  if (status != LS_OK) ls_split_metrics_fini(out);
  return status;
}

/* ---- for people ---- */

static ls_status report_split(hid_t group, ls_metrics_split split, void *user)
{
  ls_metrics figures = {.epoch = 0};
  LS_PASS(read_figures(group, &figures));
  ls_text_add(user,
              "  %-10s after epoch %zu: accuracy %.4f, loss %.5f, Brier score %.4f, calibration error %.4f, "
              "macro F1 %.4f\n",
              split_words[split], (size_t)figures.epoch, figures.accuracy, figures.loss, figures.brier,
              figures.ece, figures.macro.f1);
  return LS_OK;
}

ls_status ls_split_metrics_describe(hid_t file, bool is_checkpoint, ls_text *text)
{
  return is_checkpoint ? use_checkpoint(file, report_split, text) : use_splits(file, report_split, text);
}
