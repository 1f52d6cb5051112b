/* SPDX-License-Identifier: BSD-3-Clause */
/* Figures of an attack, for people. One network under one method has a table with all figures; several
 * networks or methods have one of their accuracies, side by side. */
#include "cli/attack/report.h"

#include <math.h>
#include <stdio.h>

#include "base/show.h"

size_t ls_attack_series_count(const ls_attack_report *report)
{
  const size_t methods = report->attacks->method_count;
  return methods > 1 ? methods + 1 : 1;
}

bool ls_attack_takes_steps(const ls_robustness_options *attacks)
{
  for (size_t m = 0; m < attacks->method_count; m++)
    if (attacks->methods[m]->takes_steps) return true;
  return false;
}

bool ls_attack_is_random(const ls_robustness_options *attacks)
{
  for (size_t m = 0; m < attacks->method_count; m++)
    if (attacks->methods[m]->is_random) return true;
  return false;
}

const ls_robustness *ls_attack_series_at(const ls_attack_report *report, const ls_attack_result *result,
                                         size_t series)
{
  return series < report->attacks->method_count ? &result->each[series] : &result->figures;
}

void ls_attack_series_name(const ls_attack_report *report, size_t series, ls_text *text)
{
  const ls_robustness_options *attacks = report->attacks;
  if (series == attacks->method_count) {
    ls_text_add(text, "worst");
    return;
  }
  const ls_attack_kind *kind = attacks->methods[series];
  ls_text_add(text, "%s", kind->schema.name);
  if (kind->takes_steps) ls_text_add(text, "-%zu", attacks->attack.steps);
}

bool ls_attack_is_targeted(const ls_attack_report *report)
{
  return report->attacks->target != LS_ANY_CLASS;
}

bool ls_attack_is_above_clean(const ls_attack_report *report, const ls_robustness *figures)
{
  return !ls_attack_is_targeted(report) && figures->correct > figures->clean_correct;
}

/* ---- heading ---- */

static void add_class(const ls_attack_report *report, ls_text *text, const char *what, size_t class)
{
  if (class == LS_ANY_CLASS) return;
  ls_text_add(text, ", %s %zu", what, class);
  if (report->data->class_names) ls_text_show(text, " (%s)", report->data->class_names[class]);
}

static void add_methods(const ls_attack_report *report, ls_text *text)
{
  const ls_robustness_options *attacks = report->attacks;
  const bool takes_steps = ls_attack_takes_steps(attacks);
  for (size_t m = 0; m < attacks->method_count; m++) {
    ls_text_add(text, "%s", m > 0 ? ", " : "");
    ls_attack_series_name(report, m, text);
  }
  if (takes_steps && attacks->attack.step_size > 0)
    ls_text_add(text, ", step size %g", attacks->attack.step_size);
  if (ls_attack_is_random(attacks) && attacks->restarts > 1)
    ls_text_add(text, ", the worst of %zu %s", attacks->restarts, takes_steps ? "starts" : "draws");
}

static void add_clean(const ls_attack_subject *subject, ls_text *text)
{
  const ls_robustness *figures = &subject->results[0].figures;
  ls_text_add(text, "; without an attack %.2f %%\n", 100 * ls_attack_share(figures->clean_correct, figures));
}

static void add_heading(const ls_attack_report *report, ls_text *text)
{
  const ls_robustness_options *attacks = report->attacks;
  add_methods(report, text);
  if (report->checkpoint_count > report->subject_count)
    ls_text_add(text, ", on the vote of %zu networks", report->checkpoint_count);
  const uint64_t samples = report->subjects[0].results[0].figures.samples;
  ls_text_show(text, ", on %llu sample%s of %s, %s", (unsigned long long)samples, ls_plural(samples),
               report->data->name, report->split);
  add_class(report, text, "class", attacks->source_class);
  add_class(report, text, "to be taken for class", attacks->target);
  if (report->subject_count == 1)
    add_clean(&report->subjects[0], text);
  else
    ls_text_add(text, "\n");
  for (size_t k = 0; report->subject_count > 1 && k < report->subject_count; k++) {
    ls_text_show(text, "network %zu: %s", k + 1, report->subjects[k].name);
    add_clean(&report->subjects[k], text);
  }
}

/* ---- one network under one method ---- */

static void add_row(const ls_attack_report *report, const ls_attack_result *result, ls_text *text)
{
  const ls_robustness *figures = &result->figures;
  ls_text_add(text, "%9g  %8.2f %%  %8.2f %%", result->epsilon,
              100 * ls_attack_share(figures->correct, figures),
              100 * ls_attack_share(figures->correct_8bit, figures));
  if (isnan(figures->confidence_on_errors))
    ls_text_add(text, "  %20s", "no errors");
  else
    ls_text_add(text, "  %18.2f %%", 100 * figures->confidence_on_errors);
  if (ls_attack_is_targeted(report))
    ls_text_add(text, "  %12.2f %%", 100 * ls_attack_share(figures->hits, figures));
  ls_text_add(text, "\n");
}

static void add_details(const ls_attack_report *report, ls_text *text)
{
  ls_text_add(text, "\n%9s  %10s  %10s  %20s", "epsilon", "accuracy", "in 8 bits", "confidence on errors");
  ls_text_add(text, ls_attack_is_targeted(report) ? "  %14s\n" : "\n", "taken for it");
  for (size_t i = 0; i < report->count; i++) add_row(report, &report->subjects[0].results[i], text);
}

/* ---- several, beside each other ---- */

/* Accuracy, or how many were taken for the target. */
static uint64_t right(const ls_robustness *figures)
{
  return figures->correct;
}

static uint64_t taken(const ls_robustness *figures)
{
  return figures->hits;
}

static void add_cell(ls_text *text, const ls_robustness *figures, uint64_t (*part)(const ls_robustness *))
{
  ls_text_add(text, "  %9.2f %%", 100 * ls_attack_share(part(figures), figures));
}

/* A network's figures by method, and the worst. */
static void add_by_method(const ls_attack_report *report, size_t k, uint64_t (*part)(const ls_robustness *),
                          ls_text *text)
{
  ls_text_add(text, "%9s", "epsilon");
  for (size_t m = 0; m < ls_attack_series_count(report); m++) {
    ls_text name = {0};
    ls_attack_series_name(report, m, &name);
    ls_text_add(text, "  %11s", ls_text_get(&name));
    text->failed = text->failed || name.failed;
    ls_text_fini(&name);
  }
  ls_text_add(text, "\n");
  for (size_t i = 0; i < report->count; i++) {
    const ls_attack_result *result = &report->subjects[k].results[i];
    ls_text_add(text, "%9g", result->epsilon);
    for (size_t m = 0; m < ls_attack_series_count(report); m++)
      add_cell(text, ls_attack_series_at(report, result, m), part);
    ls_text_add(text, "\n");
  }
}

/* All networks by their worst method. */
static void add_by_network(const ls_attack_report *report, uint64_t (*part)(const ls_robustness *),
                           ls_text *text)
{
  ls_text_add(text, "%9s", "epsilon");
  for (size_t k = 0; k < report->subject_count; k++) {
    char name[32];
    snprintf(name, sizeof name, "network %zu", k + 1);
    ls_text_add(text, "  %11s", name);
  }
  ls_text_add(text, "\n");
  for (size_t i = 0; i < report->count; i++) {
    ls_text_add(text, "%9g", report->subjects[0].results[i].epsilon);
    for (size_t k = 0; k < report->subject_count; k++)
      add_cell(text, &report->subjects[k].results[i].figures, part);
    ls_text_add(text, "\n");
  }
}

static void add_comparison(const ls_attack_report *report, const char *what,
                           uint64_t (*part)(const ls_robustness *), ls_text *text)
{
  const bool has_methods = report->attacks->method_count > 1, has_networks = report->subject_count > 1;
  for (size_t k = 0; has_methods && k < report->subject_count; k++) {
    ls_text_add(text, "\n%s", what);
    if (has_networks) ls_text_add(text, ", network %zu", k + 1);
    ls_text_add(text, "\n");
    add_by_method(report, k, part, text);
  }
  if (!has_networks) return;
  ls_text_add(text, "\n%s%s\n", what, has_methods ? ", under the worst method for each sample" : "");
  add_by_network(report, part, text);
}

/* ---- warnings ---- */

/* Notes on why the accuracy may mislead. Under noise it may by chance be above the accuracy without it. */
static void add_warnings(const ls_attack_report *report, const char *whose, double epsilon,
                         const ls_robustness *figures, ls_text *text)
{
  if (figures->vanished > 0)
    ls_text_add(text,
                "warning: %sepsilon %g: the gradient vanished (all 0, or not finite) at %llu of %llu "
                "samples; %llu of them are still right, untried by the attack\n",
                whose, epsilon, (unsigned long long)figures->vanished, (unsigned long long)figures->samples,
                (unsigned long long)figures->vanished_correct);
  if (ls_attack_is_above_clean(report, figures))
    ls_text_add(text,
                "warning: %sepsilon %g: the accuracy under attack is above that without one: the gradient "
                "does not show where the loss grows, and the accuracy is no measure of robustness\n",
                whose, epsilon);
}

/* Of one method on one network. */
static void add_warnings_of(const ls_attack_report *report, size_t k, size_t m, ls_text *text)
{
  ls_text whose = {0};
  if (!report->attacks->methods[m]->follows_gradient) return;
  if (report->subject_count > 1) ls_text_add(&whose, "network %zu: ", k + 1);
  if (report->attacks->method_count > 1) {
    ls_attack_series_name(report, m, &whose);
    ls_text_add(&whose, ": ");
  }
  for (size_t i = 0; i < report->count; i++) {
    const ls_attack_result *result = &report->subjects[k].results[i];
    add_warnings(report, ls_text_get(&whose), result->epsilon, &result->each[m], text);
  }
  text->failed = text->failed || whose.failed;
  ls_text_fini(&whose);
}

void ls_attack_report_table(const ls_attack_report *report, ls_text *text)
{
  const size_t methods = report->attacks->method_count;
  add_heading(report, text);
  if (report->subject_count == 1 && methods == 1)
    add_details(report, text);
  else {
    add_comparison(report, "accuracy", right, text);
    if (ls_attack_is_targeted(report)) add_comparison(report, "taken for the target", taken, text);
  }
  for (size_t k = 0; k < report->subject_count; k++)
    for (size_t m = 0; m < methods; m++) add_warnings_of(report, k, m, text);
}
