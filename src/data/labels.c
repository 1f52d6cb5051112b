/* SPDX-License-Identifier: BSD-3-Clause */
/* The labels of a dataset, whatever its format: what all formats have in common is checked here, every label,
 * shapes and class names, once the files have been opened (source.c). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/show.h"
#include "base/size.h"
#include "data/readers/reader.h"
#include "data/source.h"
#include "kernels/normalize.h"

enum { CLASSES_TOLD = 12 };

const uint16_t *ls_source_labels(const ls_source *source, ls_split split)
{
  return source->labels[split];
}

const float *ls_source_values(const ls_source *source, ls_split split)
{
  return source->values[split];
}

ls_status ls_source_copy_labels(const ls_source *source, ls_split split, uint16_t **labels, float **values)
{
  const size_t count = source->info.count[split], row_bytes = source->info.classes * sizeof **values;
  *values = NULL;
  LS_PASS(ls_alloc(labels, count, sizeof **labels, "the labels of a split"));
  if (count == 0) return LS_OK;
  memcpy(*labels, source->labels[split], count * sizeof **labels);
  if (!source->values[split]) return LS_OK;
  LS_PASS(ls_alloc(values, count, row_bytes, "the values of a split"));
  memcpy(*values, source->values[split], count * row_bytes);
  return LS_OK;
}

bool ls_source_has_label(const ls_source *source, ls_split split, size_t sample, size_t class)
{
  const float *values = source->values[split];
  if (!values) return source->labels[split][sample] == class;
  return values[sample * source->info.classes + class] > 0.0F;
}

void ls_source_labels_digest(const ls_source *source, ls_split split, char text[LS_DIGEST_CHARS])
{
  const size_t count = source->info.count[split];
  const float *values = source->values[split];
  if (values)
    ls_digest_of(values, count * source->info.classes * sizeof *values, text);
  else
    ls_digest_of(source->labels[split], count * sizeof *source->labels[split], text);
}

static void add_labels(const ls_source *source, ls_split split, size_t sample, bool *has_some)
{
  for (size_t k = 0; k < source->info.classes; k++)
    has_some[k] = has_some[k] || ls_source_has_label(source, split, sample, k);
}

ls_status ls_source_empty_classes(const ls_source *source, ls_split split, ls_text *text)
{
  const ls_dataset_info *info = &source->info;
  bool *has_some;
  size_t count = 0;
  if (info->labels == LS_LABELS_VALUES) return LS_OK;
  LS_PASS(ls_alloc(&has_some, info->classes, sizeof *has_some, "the classes"));
  for (size_t i = 0; i < info->count[split]; i++)
    if (info->labels == LS_LABELS_CLASS)
      has_some[source->labels[split][i]] = true;
    else
      add_labels(source, split, i, has_some);
  for (size_t k = 0; k < info->classes; k++) {
    if (has_some[k] || count++ >= CLASSES_TOLD) continue;
    ls_text_show(text, count > 1 ? ", %zu" : "%zu", k);
    if (info->class_names) ls_text_show(text, " (%s)", info->class_names[k]);
  }
  if (count > CLASSES_TOLD) ls_text_show(text, " and %zu more", count - CLASSES_TOLD);
  free(has_some);
  return LS_OK;
}

/* ---- what all formats have in common ---- */

/* The smallest and the largest label of both splits. */
typedef struct label_range {
  size_t smallest, largest;
} label_range;

static label_range range_of(const ls_source *source)
{
  label_range range = {LS_MAX_CLASSES, 0};
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++)
    for (size_t i = 0; i < source->info.count[split]; i++) {
      range.smallest = ls_size_min(range.smallest, source->labels[split][i]);
      range.largest = ls_size_max(range.largest, source->labels[split][i]);
    }
  return range;
}

static ls_status fail_label(const ls_source *source, ls_split split, size_t sample)
{
  ls_text where = {0};
  source->reader->locate(source, split, sample, &where);
  const size_t classes = source->info.classes;
  const label_range range = range_of(source);
  const bool may_start_at_1 = range.smallest == 1 && range.largest == classes;
  ls_status status = ls_fail(
      LS_E_INPUT, "%s: label %u found, but there are %zu classes: labels go from 0 to %zu%s",
      ls_text_get(&where), source->labels[split][sample], classes, classes - 1,
      may_start_at_1 ? "; there is no 0: if they start at 1, set data.first_label=1 (--first-label 1)" : "");
  ls_text_fini(&where);
  return status;
}

static ls_status check_labels(const ls_source *source)
{
  const ls_dataset_info *info = &source->info;
  if (info->classes > LS_MAX_CLASSES)
    return ls_fail(LS_E_INPUT,
                   "dataset '%s', with labels up to %zu, is to have %zu classes: at most %d are supported "
                   "(data.classes)",
                   info->name, range_of(source).largest, info->classes, LS_MAX_CLASSES);
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++)
    for (size_t i = 0; i < info->count[split]; i++)
      if (source->labels[split][i] >= info->classes) return fail_label(source, (ls_split)split, i);
  return LS_OK;
}

static ls_status check_shape(const ls_dataset_info *info)
{
  if (info->count[LS_SPLIT_TRAIN] == 0 && info->count[LS_SPLIT_TEST] == 0)
    return ls_fail(LS_E_INPUT, "dataset '%s' has no samples", info->name);
  if (info->channels > LS_MAX_CHANNELS)
    return ls_fail(LS_E_INPUT, "dataset '%s' has images of %zu channels: at most %d are supported",
                   info->name, info->channels, LS_MAX_CHANNELS);
  return LS_OK;
}

/* Names from the catalogue, where the files have none. */
static ls_status name_classes(ls_dataset_info *info, const ls_catalogue_entry *entry)
{
  if (info->class_names || !entry || !entry->class_names || entry->classes != info->classes) return LS_OK;
  LS_PASS(ls_alloc(&info->class_names, info->classes, sizeof *info->class_names, "the class names"));
  for (size_t k = 0; k < info->classes; k++)
    snprintf(info->class_names[k], sizeof info->class_names[k], "%s", entry->class_names[k]);
  return LS_OK;
}

/* The error for labels from 1 on where nothing says whether class 0 exists. */
static ls_status fail_first_label(const ls_source *source, size_t largest)
{
  return ls_fail(LS_E_INPUT,
                 "dataset '%s': labels go from 1 to %zu, and none is 0: either they start at 1 and there are "
                 "%zu classes "
                 "(data.first_label=1), or class 0 has no sample and there are %zu (data.first_label=0); "
                 "where there is no configuration, --first-label says it",
                 source->info.name, largest, largest, largest + 1);
}

/* Is the files' number of class 0 known? Where the files state their classes, it is 0. */
static ls_status find_first_label(ls_source *source, const ls_reading *reading)
{
  ls_dataset_info *info = &source->info;
  const bool is_given = reading->first_label.word < 0;
  const bool is_reported = info->classes > 0;
  if (is_given && is_reported && reading->first_label.count != 0)
    return ls_fail(
        LS_E_INPUT,
        "data.first_label: '%s' (%s) says itself that it has %zu classes, which start at 0: the key is for "
        "datasets that do not",
        info->name, info->format, info->classes);
  if (is_given)
    info->first_label = reading->first_label.count;
  else if (source->entry && source->reader->follows_layout)
    info->first_label = source->entry->first_label;
  const label_range range = range_of(source);
  if (is_given || is_reported || source->entry || reading->classes > 0 || range.smallest != 1) return LS_OK;
  return fail_first_label(source, range.largest);
}

/* Number the classes from 0. */
static ls_status number_from_0(ls_source *source)
{
  const size_t first = source->info.first_label;
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++)
    for (size_t i = 0; i < source->info.count[split]; i++) {
      uint16_t *label = &source->labels[split][i];
      if (*label < first) {
        ls_text where = {0};
        source->reader->locate(source, (ls_split)split, i, &where);
        const ls_status status =
            ls_fail(LS_E_INPUT, "%s: label %u found, but the labels of this dataset start with %zu",
                    ls_text_get(&where), *label, first);
        ls_text_fini(&where);
        return status;
      }
      *label = (uint16_t)(*label - first);
    }
  return LS_OK;
}

/* Labels that are not classes say themselves how many there are. */
static ls_status check_columns(const ls_source *source, const ls_reading *reading)
{
  const ls_dataset_info *info = &source->info;
  if (reading->first_label.word < 0)
    return ls_fail(LS_E_INPUT, "data.first_label: the labels of '%s' are no classes, which could be numbered",
                   info->name);
  if (reading->classes == 0 || reading->classes == info->classes) return LS_OK;
  return ls_fail(LS_E_INPUT, "dataset '%s' has %zu labels or values for each image, not %zu (data.classes)",
                 info->name, info->classes, reading->classes);
}

/* Set the number of classes: the one asked for, else the files' own, else the catalogue's, else the one that
 * the labels show. */
ls_status ls_source_resolve(ls_source *source, const ls_reading *reading)
{
  ls_dataset_info *info = &source->info;
  LS_PASS(check_shape(info));
  info->stated_classes = info->classes;
  if (info->labels != LS_LABELS_CLASS) return check_columns(source, reading);
  LS_PASS(find_first_label(source, reading));
  LS_PASS(number_from_0(source));
  info->stated_classes = info->classes > 0 ? info->classes : source->entry ? source->entry->classes : 0;
  info->classes = reading->classes > 0       ? reading->classes
                  : info->stated_classes > 0 ? info->stated_classes
                                             : range_of(source).largest + 1;
  LS_PASS(check_labels(source));
  if (info->class_names && info->stated_classes != info->classes) { /* names for another number of classes */
    free(info->class_names);
    info->class_names = NULL;
  }
  return name_classes(info, source->entry);
}

/* ---- labels of another form ---- */

/* What images have, and how labels are stored that are so. */
static const struct {
  const char *what, *stored;
} forms[] = {
    [LS_LABELS_CLASS] = {"one class", "uint8 or uint16 [N], the number of the class"},
    [LS_LABELS_SEVERAL] = {"several labels, 0 or 1 each", "uint8 [N, labels]"},
    [LS_LABELS_VALUES] = {"numbers", "float32 [N] or [N, values]"},
};

static bool are_flags(const ls_source *source)
{
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++)
    for (size_t i = 0; i < source->info.count[split] * source->info.classes; i++)
      if (source->values[split][i] != 0.0F && source->values[split][i] != 1.0F) return false;
  return true;
}

ls_status ls_source_check_labels(const ls_source *source, ls_label_form needed)
{
  const ls_label_form found = source->info.labels;
  if (found == needed || (needed == LS_LABELS_SEVERAL && found == LS_LABELS_VALUES && are_flags(source)))
    return LS_OK;
  return ls_fail(
      LS_E_INPUT,
      "it is for images that have %s, but those of '%s' have %s; try: another loss, or labels of an HDF5 "
      "dataset as %s",
      forms[needed].what, source->info.name, forms[found].what, forms[needed].stored);
}

/* ---- the scale of values ---- */

/* What losses are summed with is fixed (eval/loss_total.h, train/sums): made for values near 1. */
static const double SMALLEST_DEVIATION = 0.01, LARGEST = 100.0;

static double mean_of(const float *values, size_t count, size_t columns, size_t k)
{
  double sum = 0.0;
  for (size_t i = 0; i < count; i++) sum += (double)values[i * columns + k];
  return sum / (double)count;
}

ls_status ls_source_check_scale(const ls_source *source)
{
  const float *values = source->values[LS_SPLIT_TRAIN];
  const size_t count = source->info.count[LS_SPLIT_TRAIN], columns = source->info.classes;
  double squares = 0.0, deviations = 0.0;
  if (source->info.labels != LS_LABELS_VALUES || count == 0) return LS_OK;
  for (size_t k = 0; k < columns; k++) {
    const double mean = mean_of(values, count, columns, k);
    for (size_t i = 0; i < count; i++) {
      const double value = (double)values[i * columns + k];
      squares += value * value;
      deviations += (value - mean) * (value - mean);
    }
  }
  const double all = (double)count * (double)columns;
  const double size = sqrt(squares / all), deviation = sqrt(deviations / all);
  if (deviation >= SMALLEST_DEVIATION && size <= LARGEST) return LS_OK;
  return ls_fail(
      LS_E_INPUT,
      "the values of '%s' have a standard deviation of %.3g and a root mean square of %.3g; losses "
      "are summed with a fixed resolution, for a deviation of at least %g and a root mean square of "
      "at most %g: scale the labels, best to mean 0 and deviation 1",
      source->info.name, deviation, size, SMALLEST_DEVIATION, LARGEST);
}
