/* SPDX-License-Identifier: BSD-3-Clause */
/* What labels are follows from their type and shape alone: no value is looked at to guess it. */
#include "data/readers/h5set_arrays.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"

void ls_h5set_shape(const ls_h5_data *data, char text[LS_H5SET_SHAPE_CHARS])
{
  size_t length = 0;
  text[0] = '\0';
  for (size_t i = 0; i < data->dim_count && length < LS_H5SET_SHAPE_CHARS; i++)
    length +=
        (size_t)snprintf(text + length, LS_H5SET_SHAPE_CHARS - length, i > 0 ? "x%zu" : "%zu", data->dims[i]);
}

static ls_status check_type(const ls_h5_data *data, const ls_h5set_expectation *expected)
{
  const ls_h5_element *element = &data->element;
  char found[LS_H5_ELEMENT_BYTES];
  if (element->class == LS_H5_INTEGER && element->is_unsigned && element->is_whole &&
      element->bytes <= expected->bytes)
    return LS_OK;
  return ls_fail(LS_E_INPUT, "%s has the wrong type, %s: expected %s", data->path,
                 ls_h5_element_name(element, found), expected->type);
}

static ls_status check_shape(const ls_h5_data *data, const ls_h5set_expectation *expected)
{
  char shape[LS_H5SET_SHAPE_CHARS];
  ls_h5set_shape(data, shape);
  if (data->dim_count != expected->rank)
    return ls_fail(LS_E_INPUT, "%s has %zu dimensions (%s): expected %s", data->path, data->dim_count, shape,
                   expected->dims);
  return data->count > 0 ? LS_OK : ls_fail(LS_E_INPUT, "%s is empty", data->path);
}

static ls_status open_data(ls_h5_data *data, ls_h5_id group, ls_split split, const char *name)
{
  bool has;
  LS_PASS(ls_h5_has(group, name, &has));
  if (!has)
    return ls_fail(LS_E_INPUT,
                   "it has no /%s/%s: a dataset holds /train/images, /train/labels and the same in /test",
                   ls_split_words[split], name);
  return ls_h5_data_open(data, group, name);
}

ls_status ls_h5set_open_array(ls_h5_data *data, ls_h5_id group, ls_split split,
                              const ls_h5set_expectation *expected)
{
  LS_PASS(open_data(data, group, split, expected->name));
  LS_PASS(check_type(data, expected));
  return check_shape(data, expected);
}

/* ---- labels ---- */

/* Types and shapes of labels, and what these mean. */
static const struct {
  ls_label_form form;
  bool is_real;
  ls_h5set_expectation expected;
} layouts[] = {
    {LS_LABELS_SEVERAL, false, {"labels", 1, "uint8, 0 or 1 for each label", 2, NULL}},
    {LS_LABELS_CLASS,
     false,
     {"labels", 2, "uint8 or uint16 for classes, float32 for numbers", 1,
      "1: samples; in NumPy, labels.ravel(). Several labels of an image are [samples, labels], 0 or 1"}},
    {LS_LABELS_VALUES, true, {"labels", 0, NULL, 1, NULL}},
    {LS_LABELS_VALUES, true, {"labels", 0, NULL, 2, "1 or 2: samples, values"}},
};

/* The layout that labels have, or the last one of their type. */
static size_t layout_of(const ls_h5_data *data)
{
  const bool is_real = data->element.class == LS_H5_REAL;
  size_t last = 0;
  for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
    if (is_real != layouts[i].is_real) continue;
    last = i;
    if (data->dim_count == layouts[i].expected.rank) return i;
  }
  return last;
}

static ls_status check_layout(const ls_h5_data *data, size_t layout)
{
  if (!layouts[layout].is_real) LS_PASS(check_type(data, &layouts[layout].expected));
  return check_shape(data, &layouts[layout].expected);
}

/* The form, and the number of labels or values of a sample; of both splits the same. */
static ls_status set_form(ls_source *source, ls_split split, const ls_h5_data *data, ls_label_form form)
{
  ls_dataset_info *info = &source->info;
  const size_t columns = data->dim_count > 1 ? data->dims[1] : 1;
  const bool is_second = split == LS_SPLIT_TEST && info->count[LS_SPLIT_TRAIN] > 0;
  if (is_second && form != info->labels)
    return ls_fail(LS_E_INPUT, "%s is of another type or shape than the labels of the training split",
                   data->path);
  info->labels = form;
  if (form == LS_LABELS_CLASS) return LS_OK;
  if (columns > LS_MAX_CLASSES)
    return ls_fail(LS_E_INPUT, "%s has %zu columns: at most %d are supported", data->path, columns,
                   LS_MAX_CLASSES);
  if (info->classes > 0 && info->classes != columns)
    return ls_fail(LS_E_INPUT, "%s has %zu column%s, but %s says %zu", data->path, columns,
                   ls_plural(columns), is_second ? "the training split" : "the attribute classes",
                   info->classes);
  info->classes = columns;
  return LS_OK;
}

static bool is_flag(float value)
{
  return value == 0.0F || value == 1.0F;
}

static bool is_number(float value)
{
  return (bool)isfinite(value);
}

static ls_status check_values(const ls_source *source, ls_split split, const ls_h5_data *data)
{
  static bool (*const fits[])(float) = {[LS_LABELS_SEVERAL] = is_flag, [LS_LABELS_VALUES] = is_number};
  static const char *const expected[] = {
      [LS_LABELS_SEVERAL] =
          "0 or 1 for each label; where they are numbers of classes, labels.ravel() in NumPy",
      [LS_LABELS_VALUES] = "finite numbers in the range of float32"};
  const ls_label_form form = source->info.labels;
  const size_t columns = source->info.classes;
  const float *values = source->values[split];
  for (size_t i = 0; i < source->info.count[split] * columns; i++)
    if (!fits[form](values[i]))
      return ls_fail(LS_E_INPUT, "%s, sample %zu, column %zu: %g found, expected %s", data->path, i / columns,
                     i % columns, (double)values[i], expected[form]);
  return LS_OK;
}

static ls_status read_labels(ls_source *source, ls_split split, ls_h5_data *data)
{
  const size_t count = source->info.count[split];
  LS_PASS(ls_h5_data_check_storage(data));
  if (data->dims[0] != count)
    return ls_fail(LS_E_INPUT, "%s has %zu labels, but there are %zu images", data->path, data->dims[0],
                   count);
  LS_PASS(ls_alloc(&source->labels[split], count, sizeof *source->labels[split], "the labels"));
  if (source->info.labels == LS_LABELS_CLASS)
    return ls_h5_data_read(data, LS_H5_UINT16, source->labels[split]);
  LS_PASS(ls_alloc(&source->values[split], data->count, sizeof *source->values[split], "the labels"));
  LS_PASS(ls_h5_data_read(data, LS_H5_FLOAT32, source->values[split]));
  return check_values(source, split, data);
}

ls_status ls_h5set_read_labels(ls_source *source, ls_split split, ls_h5_id group)
{
  ls_h5_data data = LS_H5_DATA_CLOSED;
  ls_status status;
  LS_GO(open_data(&data, group, split, "labels"));
  const size_t layout = layout_of(&data);
  LS_GO(check_layout(&data, layout));
  LS_GO(set_form(source, split, &data, layouts[layout].form));
  status = read_labels(source, split, &data);
done:
  ls_h5_data_close(&data);
  return status;
}
