/* SPDX-License-Identifier: BSD-3-Clause */
/* Predictions for people and for programs, as their labels are: the most probable class, the labels that
 * hold, or values. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/show.h"
#include "cli/predict/predict.h"
#include "cli/print.h"
#include "eval/report/json.h"
#include "nn/argmax.h"
#include "nn/loss.h"

static const float half = 0.5F; /* the probability above which a label holds */

static ls_label_form labels_of(const ls_predict_session *session)
{
  return ls_predict_network(session)->network.loss.kind->labels;
}

static size_t count_classes(const ls_predict_session *session)
{
  return ls_predict_network(session)->info.classes;
}

/* The kind of picture as a word. */
static const char *way_word(const ls_predict_session *session)
{
  return session->way.whole ? "raw" : ls_picture_words[session->way.kind];
}

/* The two most probable classes. */
typedef struct leaders {
  size_t best, second;
} leaders;

static leaders find_leaders(const float *p, size_t classes)
{
  leaders found = {.best = ls_argmax_f32(p, classes)};
  found.second = found.best == 0 && classes > 1 ? 1 : 0;
  for (size_t k = 0; k < classes; k++)
    if (k != found.best && p[k] > p[found.second]) found.second = k;
  return found;
}

/* ---- for people ---- */

static void name_class(const ls_predict_session *session, size_t class, ls_text *text)
{
  ls_text_add(text, "%zu", class);
  if (session->labels) ls_text_show(text, " (%s)", session->labels[class]);
}

static void add_class(const ls_predict_session *session, const float *p, ls_text *text)
{
  const leaders found = find_leaders(p, count_classes(session));
  name_class(session, found.best, text);
  ls_text_add(text, ", %.2f %%; next ", 100 * (double)p[found.best]);
  name_class(session, found.second, text);
  ls_text_add(text, ", %.2f %%\n", 100 * (double)p[found.second]);
}

static void add_several(const ls_predict_session *session, const float *p, ls_text *text)
{
  const char *before = "";
  const size_t classes = count_classes(session), best = ls_argmax_f32(p, classes);
  if (!(p[best] > half)) {
    ls_text_add(text, "no label; next ");
    name_class(session, best, text);
    ls_text_add(text, ", %.2f %%\n", 100 * (double)p[best]);
    return;
  }
  for (size_t k = 0; k < classes; k++) {
    if (!(p[k] > half)) continue;
    ls_text_add(text, "%s", before);
    name_class(session, k, text);
    ls_text_add(text, ", %.2f %%", 100 * (double)p[k]);
    before = "; ";
  }
  ls_text_add(text, "\n");
}

static void add_values(const ls_predict_session *session, const float *values, ls_text *text)
{
  for (size_t k = 0; k < count_classes(session); k++) {
    ls_text_add(text, "%s", k > 0 ? ", " : "");
    if (session->labels) ls_text_show(text, "%s ", session->labels[k]);
    ls_text_add(text, "%.6g", (double)values[k]);
  }
  ls_text_add(text, "\n");
}

ls_status ls_predict_print_lines(const ls_predict_session *session)
{
  static void (*const adds[])(const ls_predict_session *, const float *, ls_text *) = {
      [LS_LABELS_CLASS] = add_class, [LS_LABELS_SEVERAL] = add_several, [LS_LABELS_VALUES] = add_values};
  ls_text lines = {0};
  ls_text_show(&lines, "pictures: %s (%s)\n", way_word(session),
               session->way.whole ? "all of each, scaled" : ls_intake_doc(session->way.kind));
  for (size_t i = 0; i < session->arguments->count; i++) {
    const ls_prediction_made *made = &session->predictions[i];
    if (made->error) continue;
    ls_text_show(&lines, "%s: ", session->arguments->images[i]);
    adds[labels_of(session)](session, made->outputs, &lines);
  }
  return ls_print_text(&lines);
}

/* ---- for programs ---- */

static json_t *label_json(const ls_predict_session *session, size_t class)
{
  char number[24];
  snprintf(number, sizeof number, "%zu", class);
  const char *label = session->labels ? session->labels[class] : number;
  return json_string(ls_json_takes(label, strlen(label)) ? label : number);
}

static json_t *warnings_json(const ls_text *warnings)
{
  json_t *list = json_array();
  bool is_complete = list != NULL;
  for (const char *line = ls_text_get(warnings); *line && is_complete; line += strcspn(line, "\n") + 1)
    is_complete = json_array_append_new(list, json_stringn(line, strcspn(line, "\n"))) == 0;
  if (is_complete) return list;
  json_decref(list);
  return NULL;
}

static json_t *outputs_json(const ls_predict_session *session, const float *outputs)
{
  json_t *all = json_array();
  for (size_t k = 0; k < count_classes(session); k++)
    json_array_append_new(all, json_real((double)outputs[k]));
  return ls_json_complete(all, count_classes(session));
}

static json_t *class_json(const ls_predict_session *session, const char *file, const float *p,
                          json_t *warnings)
{
  const leaders found = find_leaders(p, count_classes(session));
  return json_pack("{s:o, s:I, s:o, s:f, s:{s:I, s:o, s:f}, s:o, s:o}", "file", ls_json_text(file), "class",
                   (json_int_t)found.best, "label", label_json(session, found.best), "probability",
                   (double)p[found.best], "runner_up", "class", (json_int_t)found.second, "label",
                   label_json(session, found.second), "probability", (double)p[found.second], "probabilities",
                   outputs_json(session, p), "warnings", warnings);
}

static json_t *several_json(const ls_predict_session *session, const char *file, const float *p,
                            json_t *warnings)
{
  json_t *list = json_array();
  size_t count = 0;
  for (size_t k = 0; k < count_classes(session); k++) {
    if (!(p[k] > half)) continue;
    count++;
    json_array_append_new(list, json_pack("{s:I, s:o, s:f}", "class", (json_int_t)k, "label",
                                          label_json(session, k), "probability", (double)p[k]));
  }
  return json_pack("{s:o, s:o, s:o, s:o}", "file", ls_json_text(file), "labels",
                   ls_json_complete(list, count), "probabilities", outputs_json(session, p), "warnings",
                   warnings);
}

static json_t *values_json(const ls_predict_session *session, const char *file, const float *values,
                           json_t *warnings)
{
  return json_pack("{s:o, s:o, s:o}", "file", ls_json_text(file), "values", outputs_json(session, values),
                   "warnings", warnings);
}

static json_t *prediction_json(const ls_predict_session *session, size_t i)
{
  static json_t *(*const of_form[])(const ls_predict_session *, const char *, const float *, json_t *) = {
      [LS_LABELS_CLASS] = class_json, [LS_LABELS_SEVERAL] = several_json, [LS_LABELS_VALUES] = values_json};
  const ls_prediction_made *made = &session->predictions[i];
  return of_form[labels_of(session)](session, session->arguments->images[i], made->outputs,
                                     warnings_json(&made->warnings));
}

ls_status ls_predict_print_json(const ls_predict_session *session)
{
  json_t *predictions = json_array(), *errors = json_array();
  bool is_complete = predictions && errors;
  for (size_t i = 0; i < session->arguments->count && is_complete; i++) {
    const char *error = session->predictions[i].error;
    json_t *entry = !error ? prediction_json(session, i)
                           : json_pack("{s:o, s:o}", "file", ls_json_text(session->arguments->images[i]),
                                       "error", ls_json_text(error));
    is_complete = json_array_append_new(error ? errors : predictions, entry) == 0;
  }
  json_t *document = json_pack("{s:s, s:o, s:o}", "picture", way_word(session), "predictions", predictions,
                               "errors", errors);
  if (!is_complete) {
    json_decref(document);
    document = NULL;
  }
  return ls_print_document(document, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
}
