/* SPDX-License-Identifier: BSD-3-Clause */
/* Figures of an attack, for programs. The figures at the top are the only network's, the first one's, or the
 * vote's; with several methods those of the worst. */
#include <jansson.h>
#include <math.h>

#include "cli/attack/report.h"
#include "eval/report/json.h"

static json_t *real_or_null(double value)
{
  return isfinite(value) ? json_real(value) : json_null();
}

static json_t *class_or_null(size_t class)
{
  return class == LS_ANY_CLASS ? json_null() : json_integer((json_int_t) class);
}

static json_t *result_json(const ls_attack_report *report, double epsilon, const ls_robustness *figures)
{
  return json_pack(
      "{s:f, s:f, s:f, s:o, s:f, s:o, s:I, s:I, s:I, s:I, s:b}", "epsilon", epsilon, "accuracy",
      ls_attack_share(figures->correct, figures), "accuracy_8bit",
      ls_attack_share(figures->correct_8bit, figures), "mean_confidence_on_errors",
      real_or_null(figures->confidence_on_errors), "clean_accuracy",
      ls_attack_share(figures->clean_correct, figures), "target_rate",
      ls_attack_is_targeted(report) ? json_real(ls_attack_share(figures->hits, figures)) : json_null(),
      "samples", (json_int_t)figures->samples, "correct", (json_int_t)figures->correct, "vanished_gradients",
      (json_int_t)figures->vanished, "vanished_correct", (json_int_t)figures->vanished_correct, "above_clean",
      ls_attack_is_above_clean(report, figures));
}

/* A series of figures, by epsilon. */
static json_t *results_json(const ls_attack_report *report, const ls_attack_subject *subject, size_t series)
{
  json_t *list = json_array();
  for (size_t i = 0; i < report->count; i++) {
    const ls_attack_result *result = &subject->results[i];
    json_array_append_new(list,
                          result_json(report, result->epsilon, ls_attack_series_at(report, result, series)));
  }
  return ls_json_complete(list, report->count);
}

/* Each of several methods. */
static json_t *methods_json(const ls_attack_report *report, const ls_attack_subject *subject)
{
  const ls_robustness_options *attacks = report->attacks;
  json_t *list = json_array();
  for (size_t m = 0; m < attacks->method_count; m++)
    json_array_append_new(list, json_pack("{s:s, s:o}", "method", attacks->methods[m]->schema.name, "results",
                                          results_json(report, subject, m)));
  return ls_json_complete(list, attacks->method_count);
}

/* The figures of a network: the worst ones, and those of each method where there are several. */
static bool add_figures(const ls_attack_report *report, const ls_attack_subject *subject, json_t *object)
{
  const size_t methods = report->attacks->method_count;
  bool fine = json_object_set_new(object, "results", results_json(report, subject, methods)) == 0;
  if (methods > 1) fine &= json_object_set_new(object, "methods", methods_json(report, subject)) == 0;
  return fine;
}

/* Each of several networks. */
static json_t *networks_json(const ls_attack_report *report)
{
  json_t *list = json_array();
  for (size_t k = 0; k < report->subject_count; k++) {
    const ls_attack_subject *subject = &report->subjects[k];
    json_t *network =
        json_pack("{s:o, s:I}", "checkpoint", ls_json_text(subject->name), "seed", (json_int_t)subject->seed);
    bool fine = !report->has_examples ||
                json_object_set_new(network, "folder", json_sprintf(LS_ATTACK_FOLDER, k + 1)) == 0;
    fine &= add_figures(report, subject, network);
    if (fine)
      json_array_append_new(list, network);
    else
      json_decref(network);
  }
  return ls_json_complete(list, report->subject_count);
}

/* The checkpoints of a vote. */
static json_t *members_json(const ls_attack_report *report)
{
  json_t *list = json_array();
  for (size_t i = 0; i < report->checkpoint_count; i++)
    json_array_append_new(list, ls_json_text(report->checkpoints[i]));
  return ls_json_complete(list, report->checkpoint_count);
}

/* What was asked for. */
static json_t *heading_json(const ls_attack_report *report)
{
  const ls_robustness_options *attacks = report->attacks;
  const ls_attack *attack = &attacks->attack;
  const bool takes_steps = ls_attack_takes_steps(attacks);
  return json_pack(
      "{s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:I}", "checkpoint",
      ls_json_text(report->subjects[0].name), "dataset", ls_json_text(report->data->name), "split",
      report->split, "method", attacks->method_count > 1 ? "worst" : attacks->methods[0]->schema.name,
      "steps", takes_steps ? json_integer((json_int_t)attack->steps) : json_null(), "step_size",
      takes_steps && attack->step_size > 0 ? json_real(attack->step_size) : json_null(), "restarts",
      ls_attack_is_random(attacks) ? json_integer((json_int_t)attacks->restarts) : json_null(), "target",
      class_or_null(attacks->target), "source_class", class_or_null(attacks->source_class), "seed",
      (json_int_t)report->subjects[0].seed);
}

ls_status ls_attack_report_json(const ls_attack_report *report, char **text)
{
  json_t *document = heading_json(report);
  bool fine = add_figures(report, &report->subjects[0], document);
  if (report->checkpoint_count > report->subject_count)
    fine &= json_object_set_new(document, "vote", members_json(report)) == 0;
  if (report->subject_count > 1)
    fine &= json_object_set_new(document, "networks", networks_json(report)) == 0;
  if (!fine) {
    json_decref(document);
    document = NULL;
  }
  return ls_json_take(document, JSON_INDENT(2) | JSON_REAL_PRECISION(10), text);
}
