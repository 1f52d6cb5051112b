/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics as JSON: the form of summary.json and of `eval --json`. Building goes on after a failed allocation,
 * since jansson's functions pass NULL through; the root is checked once, at the end. */
#include "eval/report/metrics.h"

#include <math.h>
#include <string.h>

#include "eval/report/json.h"

/* JSON has no NaN. */
static json_t *real_or_null(double value)
{
  return isfinite(value) ? json_real(value) : json_null();
}

static json_t *class_json(const ls_class_metrics *class, size_t i, const char *const *class_names)
{
  json_t *json = json_pack("{s:I, s:f, s:f, s:f, s:I}", "class", (json_int_t)i, "precision", class->precision,
                           "recall", class->recall, "f1", class->f1, "support", (json_int_t) class->support);
  if (!json || !class_names) return json;
  json_t *label =
      ls_json_takes(class_names[i], strlen(class_names[i])) ? json_string(class_names[i]) : json_null();
  if (json_object_set_new(json, "label", label) == 0) return json;
  json_decref(json);
  return NULL;
}

static json_t *per_class_json(const ls_metrics *metrics, const char *const *class_names)
{
  json_t *array = json_array();
  for (size_t i = 0; i < metrics->classes; i++) {
    if (json_array_append_new(array, class_json(&metrics->per_class[i], i, class_names)) != 0) {
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
  const ls_class_metrics *macro = &metrics->macro;
  return json_pack("{s:f, s:o, s:o, s:f, s:f, s:I, s:{s:f, s:f, s:f}, s:o, s:o, s:o}", "accuracy",
                   metrics->accuracy, "loss", real_or_null(metrics->loss), "nll", real_or_null(metrics->nll),
                   "brier", metrics->brier, "ece", metrics->ece, "samples", (json_int_t)metrics->samples,
                   "macro", "precision", macro->precision, "recall", macro->recall, "f1", macro->f1,
                   "per_class", per_class_json(metrics, class_names), "confusion", confusion_json(metrics),
                   "notes", notes_json(metrics, class_names));
}
