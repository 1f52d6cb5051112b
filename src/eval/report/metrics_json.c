/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics as JSON: the form of summary.json and of `eval --json`. Building goes on after a failed allocation,
 * since jansson's functions pass NULL through; the root is checked once, at the end. */
#include "eval/report/metrics_report.h"

#include <math.h>
#include <string.h>

#include "eval/report/json.h"

/* JSON has no NaN. */
static json_t *real_or_null(double value)
{
  return isfinite(value) ? json_real(value) : json_null();
}

/* The object, or NULL in place of one that is incomplete. */
static json_t *kept(json_t *json, bool is_complete)
{
  if (is_complete) return json;
  json_decref(json);
  return NULL;
}

static bool add_class_figures(json_t *json, const ls_metrics *metrics, const ls_class_metrics *class)
{
  bool fine = json != NULL;
  for (const ls_class_figure *row = ls_class_figures(metrics->labels); row->name && fine; row++)
    fine = json_object_set_new(json, row->name, real_or_null(ls_class_figure_of(class, row))) == 0;
  return fine;
}

static json_t *macro_json(const ls_metrics *metrics)
{
  json_t *json = json_object();
  return kept(json, add_class_figures(json, metrics, &metrics->macro));
}

static json_t *class_json(const ls_metrics *metrics, size_t i, const char *const *class_names)
{
  const ls_class_metrics *class = &metrics->per_class[i];
  const bool has_values = metrics->labels == LS_LABELS_VALUES;
  json_t *json = json_pack("{s:I}", has_values ? "value" : "class", (json_int_t)i);
  bool fine = add_class_figures(json, metrics, class);
  if (fine && !has_values)
    fine = json_object_set_new(json, "support", json_integer((json_int_t) class->support)) == 0;
  if (fine && class_names)
    fine = json_object_set_new(json, "label",
                               ls_json_takes(class_names[i], strlen(class_names[i]))
                                   ? json_string(class_names[i])
                                   : json_null()) == 0;
  return kept(json, fine);
}

static json_t *per_class_json(const ls_metrics *metrics, const char *const *class_names)
{
  json_t *array = json_array();
  for (size_t i = 0; i < metrics->classes; i++) {
    if (json_array_append_new(array, class_json(metrics, i, class_names)) != 0) {
      json_decref(array);
      return NULL;
    }
  }
  return array;
}

static json_t *row_json(const uint64_t *counts, size_t classes)
{
  json_t *row = json_array();
  for (size_t i = 0; i < classes; i++) {
    if (json_array_append_new(row, json_integer((json_int_t)counts[i])) != 0) {
      json_decref(row);
      return NULL;
    }
  }
  return row;
}

static json_t *confusion_json(const ls_metrics *metrics)
{
  json_t *rows = json_array();
  for (size_t i = 0; i < metrics->classes; i++) {
    const uint64_t *counts = metrics->confusion + i * metrics->classes;
    if (json_array_append_new(rows, row_json(counts, metrics->classes)) != 0) {
      json_decref(rows);
      return NULL;
    }
  }
  return rows;
}

static json_t *lines_json(const char *text)
{
  json_t *lines = json_array();
  for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
    if (json_array_append_new(lines, json_stringn(text, (size_t)(end - text))) != 0) {
      json_decref(lines);
      return NULL;
    }
  }
  return lines;
}

static json_t *notes_json(const ls_metrics *metrics, const char *const *class_names)
{
  ls_text notes = {0};
  ls_metrics_notes(metrics, class_names, &notes);
  json_t *json = notes.failed ? NULL : lines_json(ls_text_get(&notes));
  ls_text_fini(&notes);
  return json;
}

json_t *ls_metrics_json(const ls_metrics *metrics, const char *const *class_names)
{
  json_t *json = json_object();
  bool fine = json != NULL;
  for (const ls_split_figure *row = ls_split_figures(metrics->labels); row->name && fine; row++)
    fine = json_object_set_new(json, row->name, real_or_null(ls_split_figure_of(metrics, row))) == 0;
  fine = fine && json_object_set_new(json, "samples", json_integer((json_int_t)metrics->samples)) == 0;
  if (fine && metrics->labels != LS_LABELS_VALUES)
    fine = json_object_set_new(json, "macro", macro_json(metrics)) == 0;
  const char *each = metrics->labels == LS_LABELS_VALUES ? "per_value" : "per_class";
  fine = fine && json_object_set_new(json, each, per_class_json(metrics, class_names)) == 0;
  if (fine && metrics->confusion) fine = json_object_set_new(json, "confusion", confusion_json(metrics)) == 0;
  fine = fine && json_object_set_new(json, "notes", notes_json(metrics, class_names)) == 0;
  return kept(json, fine);
}
