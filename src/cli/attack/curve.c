/* SPDX-License-Identifier: BSD-3-Clause */
/* Accuracy over epsilon, drawn and as CSV. Of several networks under several methods the picture has the
 * worst method alone, the file all. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/show.h"
#include "base/size.h"
#include "cli/attack/report.h"
#include "draw/chart.h"

/* ---- CSV ---- */

/* Nothing where there is none. */
static void add_real(ls_text *csv, double value)
{
  ls_text_add(csv, ",");
  if (isfinite(value)) ls_text_add(csv, "%.9g", value);
}

static void add_csv_row(const ls_attack_report *report, size_t k, const ls_attack_result *result,
                        size_t series, ls_text *csv)
{
  const ls_robustness *figures = ls_attack_series_at(report, result, series);
  const bool is_targeted = ls_attack_is_targeted(report);
  if (report->checkpoint_count > report->subject_count)
    ls_text_add(csv, "vote");
  else
    ls_text_add_csv(csv, report->subjects[k].name);
  ls_text_add(csv, ",");
  ls_attack_series_name(report, series, csv);
  add_real(csv, result->epsilon);
  add_real(csv, ls_attack_share(figures->clean_correct, figures));
  add_real(csv, ls_attack_share(figures->correct, figures));
  add_real(csv, ls_attack_share(figures->correct_8bit, figures));
  add_real(csv, figures->confidence_on_errors);
  add_real(csv, is_targeted ? ls_attack_share(figures->hits, figures) : NAN);
  ls_text_add(csv, "\n");
}

void ls_attack_report_csv(const ls_attack_report *report, ls_text *csv)
{
  ls_text_add(csv, "network,method,epsilon,clean_accuracy,accuracy,accuracy_8bit,mean_confidence_on_errors,"
                   "target_rate\n");
  for (size_t k = 0; k < report->subject_count; k++)
    for (size_t m = 0; m < ls_attack_series_count(report); m++)
      for (size_t i = 0; i < report->count; i++)
        add_csv_row(report, k, &report->subjects[k].results[i], m, csv);
}

/* ---- the picture ---- */

static int by_x(const void *a, const void *b)
{
  const ls_chart_point *p = a, *q = b;
  return (p->x > q->x) - (p->x < q->x);
}

/* Lines of a chart, and what they borrow. */
typedef struct curves {
  ls_chart_line *lines;   /* [count] */
  ls_chart_point *points; /* [count, epsilons] */
  ls_text *labels;        /* [count] */
  size_t count;
} curves;

static ls_status make(curves *self, size_t count, size_t epsilons)
{
  self->count = count;
  LS_PASS(ls_alloc(&self->lines, count, sizeof *self->lines, "the curves"));
  LS_PASS(ls_alloc(&self->labels, count, sizeof *self->labels, "the curves"));
  return ls_alloc(&self->points, count * epsilons, sizeof *self->points, "the curves");
}

static void fini(curves *self)
{
  for (size_t i = 0; self->labels && i < self->count; i++) ls_text_fini(&self->labels[i]);
  free(self->labels);
  free(self->points);
  free(self->lines);
}

/* The line of a series of network k; a line that may hide others has gaps. */
static void fill(curves *self, size_t line, const ls_attack_report *report, size_t k, size_t series)
{
  ls_chart_point *points = self->points + line * report->count;
  for (size_t i = 0; i < report->count; i++) {
    const ls_attack_result *result = &report->subjects[k].results[i];
    const ls_robustness *figures = ls_attack_series_at(report, result, series);
    points[i] = (ls_chart_point){.x = result->epsilon, .y = ls_attack_share(figures->correct, figures)};
  }
  qsort(points, report->count, sizeof *points, by_x);
  const bool is_worst = series == report->attacks->method_count && report->subject_count == 1;
  self->lines[line] = (ls_chart_line){.points = points, .count = report->count, .is_dashed = is_worst};
}

/* One network: a line for each method. Several: one for each of them. */
static void fill_all(curves *self, const ls_attack_report *report)
{
  for (size_t i = 0; i < self->count; i++) {
    if (report->subject_count > 1) {
      fill(self, i, report, i, report->attacks->method_count);
      ls_text_add(&self->labels[i], "%zu: %s", i + 1, report->subjects[i].name);
    } else {
      fill(self, i, report, 0, i);
      ls_attack_series_name(report, i, &self->labels[i]);
    }
    if (self->count > 1) self->lines[i].label = ls_text_get(&self->labels[i]);
  }
}

static double largest_epsilon(const ls_attack_report *report)
{
  double largest = 0;
  for (size_t i = 0; i < report->count; i++) largest = fmax(largest, report->subjects[0].results[i].epsilon);
  return largest > 0 ? largest : 1;
}

static void add_title(const ls_attack_report *report, ls_text *title)
{
  ls_text_add(title, "accuracy under ");
  if (report->subject_count > 1 && report->attacks->method_count > 1) ls_text_add(title, "the worst of ");
  for (size_t m = 0; m < report->attacks->method_count; m++) {
    ls_text_add(title, "%s", m > 0 ? ", " : "");
    ls_attack_series_name(report, m, title);
  }
  if (report->checkpoint_count > report->subject_count)
    ls_text_add(title, " on the vote of %zu", report->checkpoint_count);
  ls_text_add(title, ", %s", report->split);
}

ls_status ls_attack_report_curve(const ls_attack_report *report, ls_text *svg)
{
  curves all = {.count = 0};
  ls_text title = {0};
  ls_status status;
  LS_GO(make(&all, report->subject_count > 1 ? report->subject_count : ls_attack_series_count(report),
             report->count));
  fill_all(&all, report);
  add_title(report, &title);
  ls_chart_svg(&(ls_chart){.title = ls_text_get(&title),
                           .x_label = "epsilon (black is 0, white is 1)",
                           .y_label = "accuracy",
                           .largest_x = largest_epsilon(report),
                           .lines = all.lines,
                           .count = all.count},
               svg);
  svg->failed = svg->failed || title.failed;
  for (size_t i = 0; i < all.count; i++) svg->failed = svg->failed || all.labels[i].failed;
done:
  ls_text_fini(&title);
  fini(&all);
  return status;
}
