/* SPDX-License-Identifier: BSD-3-Clause */
/* Figures of an attack. */
#include "cli/attack_report.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/show.h"
#include "cli/chart.h"
#include "eval/json.h"
#include "eval/metrics.h"

static double share(uint64_t part, const ls_robustness *figures)
{
  return (double)part / (double)figures->samples;
}

static bool is_targeted(const ls_attack_report *report)
{
  return report->onslaught->target != LS_ANY_CLASS;
}

/* An attack that helps. One that is targeted may: what is mistaken can be made right by it. */
static bool is_above_clean(const ls_attack_report *report, const ls_robustness *figures)
{
  return !is_targeted(report) && figures->correct > figures->clean_correct;
}

/* ---- for people ---- */

static void add_class(const ls_attack_report *report, ls_text *text, const char *what, size_t class)
{
  if (class == LS_ANY_CLASS) return;
  ls_text_add(text, ", %s %zu", what, class);
  if (report->data->class_names) ls_text_show(text, " (%s)", report->data->class_names[class]);
}

static void add_heading(const ls_attack_report *report, ls_text *text)
{
  const ls_onslaught *onslaught = report->onslaught;
  const ls_attack *attack = &onslaught->attack;
  const ls_robustness *figures = &report->results[0].figures;
  ls_text_add(text, "%s", attack->kind->name);
  if (attack->kind->takes_steps) ls_text_add(text, "-%zu", attack->steps);
  if (attack->kind->takes_steps && attack->step_size > 0)
    ls_text_add(text, ", step size %g", attack->step_size);
  if (onslaught->restarts > 1) ls_text_add(text, ", the worst of %zu starts", onslaught->restarts);
  ls_text_show(text, ", on %llu samples of %s, %s", (unsigned long long)figures->samples, report->data->name,
               report->split);
  add_class(report, text, "class", onslaught->source_class);
  add_class(report, text, "to be taken for class", onslaught->target);
  ls_text_add(text, "; without an attack %.2f %%\n\n", 100 * share(figures->clean_correct, figures));
}

static void add_row(const ls_attack_report *report, const ls_attack_result *result, ls_text *text)
{
  const ls_robustness *figures = &result->figures;
  ls_text_add(text, "%9g  %8.2f %%  %8.2f %%", result->epsilon, 100 * share(figures->correct, figures),
              100 * share(figures->correct_8bit, figures));
  if (isnan(figures->confidence_on_errors))
    ls_text_add(text, "  %20s", "no errors");
  else
    ls_text_add(text, "  %18.2f %%", 100 * figures->confidence_on_errors);
  if (is_targeted(report)) ls_text_add(text, "  %12.2f %%", 100 * share(figures->hits, figures));
  ls_text_add(text, "\n");
}

/* What makes the accuracy say less than it seems to. */
static void add_warnings(const ls_attack_report *report, const ls_attack_result *result, ls_text *text)
{
  const ls_robustness *figures = &result->figures;
  if (figures->vanished > 0)
    ls_text_add(
        text,
        "warning: epsilon %g: the gradient vanished (all 0, or not finite) at %llu of %llu samples; %llu "
        "of them are still right, untried by the attack\n",
        result->epsilon, (unsigned long long)figures->vanished, (unsigned long long)figures->samples,
        (unsigned long long)figures->vanished_correct);
  if (is_above_clean(report, figures))
    ls_text_add(
        text,
        "warning: epsilon %g: the accuracy under attack is above that without one: the gradient does not "
        "tell where the loss grows, and the accuracy is no measure of robustness\n",
        result->epsilon);
}

void ls_attack_report_table(const ls_attack_report *report, ls_text *text)
{
  add_heading(report, text);
  ls_text_add(text, "%9s  %10s  %10s  %20s", "epsilon", "accuracy", "in 8 bits", "confidence on errors");
  ls_text_add(text, is_targeted(report) ? "  %14s\n" : "\n", "taken for it");
  for (size_t i = 0; i < report->count; i++) add_row(report, &report->results[i], text);
  for (size_t i = 0; i < report->count; i++) add_warnings(report, &report->results[i], text);
}

/* ---- for programs ---- */

static json_t *real_or_null(double value)
{
  return isfinite(value) ? json_real(value) : json_null();
}

static json_t *class_or_null(size_t class)
{
  return class == LS_ANY_CLASS ? json_null() : json_integer((json_int_t) class);
}

static json_t *result_json(const ls_attack_report *report, const ls_attack_result *result)
{
  const ls_robustness *figures = &result->figures;
  return json_pack("{s:f, s:f, s:f, s:o, s:f, s:o, s:I, s:I, s:I, s:I, s:b}", "epsilon", result->epsilon,
                   "accuracy", share(figures->correct, figures), "accuracy_8bit",
                   share(figures->correct_8bit, figures), "mean_confidence_on_errors",
                   real_or_null(figures->confidence_on_errors), "clean_accuracy",
                   share(figures->clean_correct, figures), "target_rate",
                   is_targeted(report) ? json_real(share(figures->hits, figures)) : json_null(), "samples",
                   (json_int_t)figures->samples, "correct", (json_int_t)figures->correct,
                   "vanished_gradients", (json_int_t)figures->vanished, "vanished_correct",
                   (json_int_t)figures->vanished_correct, "above_clean", is_above_clean(report, figures));
}

static json_t *results_json(const ls_attack_report *report)
{
  json_t *list = json_array();
  for (size_t i = 0; i < report->count; i++)
    if (json_array_append_new(list, result_json(report, &report->results[i])) != 0) {
      json_decref(list);
      return NULL;
    }
  return list;
}

/* What an attack of one step has none of. */
static json_t *step_or_null(const ls_attack *attack, json_t *value)
{
  if (attack->kind->takes_steps) return value;
  json_decref(value);
  return json_null();
}

ls_status ls_attack_report_json(const ls_attack_report *report, char **text)
{
  const ls_onslaught *onslaught = report->onslaught;
  const ls_attack *attack = &onslaught->attack;
  json_t *step_size = attack->step_size > 0 ? json_real(attack->step_size) : json_null();
  json_t *document = json_pack(
      "{s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:o}", "checkpoint",
      ls_json_text(report->checkpoint), "dataset", ls_json_text(report->data->name), "split", report->split,
      "method", attack->kind->name, "steps", step_or_null(attack, json_integer((json_int_t)attack->steps)),
      "step_size", step_or_null(attack, step_size), "restarts",
      step_or_null(attack, json_integer((json_int_t)onslaught->restarts)), "target",
      class_or_null(onslaught->target), "source_class", class_or_null(onslaught->source_class), "seed",
      (json_int_t)attack->seed, "results", results_json(report));
  return ls_json_take(document, JSON_INDENT(2) | JSON_REAL_PRECISION(10), text);
}

/* ---- the curve ---- */

static int by_x(const void *a, const void *b)
{
  const ls_chart_point *p = a, *q = b;
  return (p->x > q->x) - (p->x < q->x);
}

void ls_attack_report_curve(const ls_attack_report *report, ls_text *svg)
{
  ls_chart_point points[LS_ATTACK_MAX_EPSILONS];
  char title[96];
  double largest = 0;
  for (size_t i = 0; i < report->count; i++) {
    const ls_attack_result *result = &report->results[i];
    points[i] = (ls_chart_point){.x = result->epsilon, .y = share(result->figures.correct, &result->figures)};
    largest = fmax(largest, result->epsilon);
  }
  qsort(points, report->count, sizeof *points, by_x);
  snprintf(title, sizeof title, "accuracy under %s, %s", report->onslaught->attack.kind->name, report->split);
  ls_chart_svg(&(ls_chart){.title = title,
                           .x_label = "epsilon (black is 0, white is 1)",
                           .largest_x = largest > 0 ? largest : 1,
                           .points = points,
                           .count = report->count},
               svg);
}
