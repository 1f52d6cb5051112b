/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics as text for people: figures, a table per class, the confusion matrix, the most confused pairs,
 * notes.
 *
 * Columns are as wide as their widest number, and class names give way, so that ten classes stay within
 * LINE_WIDTH columns. */
#include "eval/report/metrics_report.h"

#include <stdio.h>
#include <string.h>

#include "base/show.h"
#include "base/size.h"

enum {
  LINE_WIDTH = 100,
  MATRIX_MAX_CLASSES = 30, /* above: no matrix, which no terminal would hold */
  FIGURE_WIDTH = 9,
  NAME_MIN_WIDTH = 8,
  NAME_MAX_WIDTH = 24,
  MAX_PAIRS = 20 /* most confused pairs shown: as many as there are classes, but no more than this */
};

static size_t digit_count(uint64_t number)
{
  size_t count = 1;
  for (; number >= 10; number /= 10) count++;
  return count;
}

/* Append "3" or "3 dress" in a column of `width` columns of a terminal. */
static void add_class_label(ls_text *text, const ls_metrics *metrics, const char *const *class_names,
                            size_t i, size_t width)
{
  const size_t digits = digit_count(metrics->classes - 1);
  ls_text_add(text, "%*zu", (int)digits, i);
  if (width <= digits) return;
  ls_text_add(text, " ");
  ls_text_show_column(text, class_names ? class_names[i] : "", width - digits - 1);
}

/* Width of the column that add_class_label() writes, at most `limit`. */
static size_t label_width(const ls_metrics *metrics, const char *const *class_names, size_t limit)
{
  size_t longest = 0;
  for (size_t i = 0; class_names && i < metrics->classes; i++)
    longest = ls_size_max(longest, ls_shown_columns(class_names[i]));
  const size_t needed = digit_count(metrics->classes - 1) + (longest > 0 ? longest + 1 : 0);
  return ls_size_max(strlen("class"), ls_size_min(needed, limit));
}

/* A column is as wide as its head, and 9 at least. */
static int column_width(const ls_class_figure *figure)
{
  return (int)ls_size_max(strlen(figure->name), FIGURE_WIDTH);
}

/* Values have no number of samples of their own. */
static void add_class_row(ls_text *text, const ls_metrics *metrics, const ls_class_metrics *class)
{
  for (const ls_class_figure *row = ls_class_figures(metrics->labels); row->name; row++)
    if (row->is_fraction)
      ls_text_add(text, "  %*.2f %%", column_width(row) - 2, 100 * ls_class_figure_of(class, row));
    else
      ls_text_add(text, "  %*.4g", column_width(row), ls_class_figure_of(class, row));
  if (metrics->labels != LS_LABELS_VALUES) ls_text_add(text, "  %9llu", (unsigned long long)class->support);
  ls_text_add(text, "\n");
}

static void add_class_table(ls_text *text, const ls_metrics *metrics, const char *const *class_names)
{
  static const char *const heads[] = {
      [LS_LABELS_CLASS] = "class", [LS_LABELS_SEVERAL] = "label", [LS_LABELS_VALUES] = "value"};
  const bool has_values = metrics->labels == LS_LABELS_VALUES;
  const size_t width = label_width(metrics, class_names, NAME_MAX_WIDTH);
  ls_text_show_column(text, heads[metrics->labels], width);
  for (const ls_class_figure *row = ls_class_figures(metrics->labels); row->name; row++)
    ls_text_add(text, "  %*s", column_width(row), row->name);
  ls_text_add(text, has_values ? "\n" : "  %9s\n", "support");
  for (size_t i = 0; i < metrics->classes; i++) {
    add_class_label(text, metrics, class_names, i, width);
    add_class_row(text, metrics, &metrics->per_class[i]);
  }
  ls_text_show_column(text, has_values ? "mean" : "macro", width);
  add_class_row(text, metrics, &metrics->macro);
}

/* Digits of the widest number in the matrix's columns: a class index or a total. */
static size_t cell_digits(const ls_metrics *metrics)
{
  size_t width = digit_count(metrics->classes - 1);
  for (size_t i = 0; i < metrics->classes; i++)
    width = ls_size_max(width, digit_count(metrics->per_class[i].predicted));
  return width;
}

static void add_matrix(ls_text *text, const ls_metrics *metrics, const char *const *class_names)
{
  const size_t classes = metrics->classes;
  const size_t total_width = ls_size_max(strlen("total"), digit_count(metrics->samples)) + 2;
  const size_t wanted = label_width(metrics, class_names, NAME_MAX_WIDTH) + total_width;
  const size_t digits = cell_digits(metrics);
  const size_t gap = wanted + classes * (digits + 2) <= LINE_WIDTH ? 2 : 1;
  const size_t used = classes * (digits + gap) + total_width;
  const size_t space = used + NAME_MIN_WIDTH < LINE_WIDTH ? LINE_WIDTH - used : NAME_MIN_WIDTH;
  const size_t width = label_width(metrics, class_names, ls_size_min(space, NAME_MAX_WIDTH));
  const int cell = (int)(digits + gap);
  const int total = (int)total_width;

  ls_text_add(text, "confusion matrix (rows: actual class, columns: predicted class)\n");
  ls_text_show_column(text, "", width);
  for (size_t i = 0; i < classes; i++) ls_text_add(text, "%*zu", cell, i);
  ls_text_add(text, "%*s\n", total, "total");
  for (size_t i = 0; i < classes; i++) {
    add_class_label(text, metrics, class_names, i, width);
    for (size_t j = 0; j < classes; j++)
      ls_text_add(text, "%*llu", cell, (unsigned long long)metrics->confusion[i * classes + j]);
    ls_text_add(text, "%*llu\n", total, (unsigned long long)metrics->per_class[i].support);
  }
  ls_text_show_column(text, "total", width);
  for (size_t i = 0; i < classes; i++)
    ls_text_add(text, "%*llu", cell, (unsigned long long)metrics->per_class[i].predicted);
  ls_text_add(text, "%*llu\n", total, (unsigned long long)metrics->samples);
}

typedef struct pair {
  size_t actual, predicted;
  uint64_t count;
} pair;

/* The most confused pairs, by falling count; the earlier one stays ahead on ties. */
typedef struct pair_list {
  pair pairs[MAX_PAIRS];
  size_t most; /* of them are wanted */
} pair_list;

static void insert_pair(pair_list *list, pair new_pair)
{
  size_t at = list->most;
  while (at > 0 && list->pairs[at - 1].count < new_pair.count) at--;
  if (at == list->most) return;
  memmove(&list->pairs[at + 1], &list->pairs[at], (list->most - 1 - at) * sizeof(pair));
  list->pairs[at] = new_pair;
}

static pair_list find_pairs(const ls_metrics *metrics)
{
  const size_t classes = metrics->classes;
  pair_list list = {.most = ls_size_min(classes, MAX_PAIRS)};
  for (size_t i = 0; i < classes * classes; i++) {
    const pair found = {i / classes, i % classes, metrics->confusion[i]};
    if (found.actual != found.predicted) insert_pair(&list, found);
  }
  return list;
}

static void add_class(ls_text *text, const char *const *class_names, size_t i)
{
  ls_text_add(text, "%zu", i);
  if (class_names) ls_text_show(text, " (%s)", class_names[i]);
}

static void add_pairs(ls_text *text, const ls_metrics *metrics, const char *const *class_names)
{
  const pair_list list = find_pairs(metrics);
  if (list.pairs[0].count == 0) return;
  ls_text_add(text, "\nmost confused\n");
  for (size_t i = 0; i < list.most && list.pairs[i].count > 0; i++) {
    const pair *shown = &list.pairs[i];
    const uint64_t support = metrics->per_class[shown->actual].support;
    ls_text_add(text, "true ");
    add_class(text, class_names, shown->actual);
    ls_text_add(text, " predicted ");
    add_class(text, class_names, shown->predicted);
    ls_text_add(text, ": %llu %s, %.1f %% of its samples\n", (unsigned long long)shown->count,
                shown->count == 1 ? "time" : "times", 100 * (double)shown->count / (double)support);
  }
}

/* ---- notes ---- */

static const char *class_note(const ls_metrics *metrics, const ls_class_metrics *class)
{
  if (metrics->labels == LS_LABELS_VALUES) return NULL;

  if (class->support + class->predicted == 0) return "no samples, never predicted: not in the macro means";
  if (class->support == 0) return "no samples: recall taken as 0";
  if (class->predicted == 0) return "never predicted: precision taken as 0";
  return NULL;
}

void ls_metrics_notes(const ls_metrics *metrics, const char *const *class_names, ls_text *text)
{
  if (metrics->samples == 0) {
    ls_text_add(text, "no samples: all figures are 0\n");
    return;
  }
  for (size_t i = 0; i < metrics->classes; i++) {
    const char *note = class_note(metrics, &metrics->per_class[i]);
    if (!note) continue;
    ls_text_add(text, "%s %zu", metrics->labels == LS_LABELS_CLASS ? "class" : "label", i);
    if (class_names) ls_text_show(text, " (%s)", class_names[i]);
    ls_text_add(text, ": %s\n", note);
  }
}

/* ---- the whole ---- */

/* Figures that have a phrase, on a line of their own. */
static void add_figures(ls_text *text, const ls_metrics *metrics, int indent)
{
  const char *before = "";
  ls_text_add(text, "%*s", indent, "");
  for (const ls_split_figure *row = ls_split_figures(metrics->labels); row->name; row++) {
    if (!row->phrase) continue;
    ls_text_add(text, "%s%s %.4f", before, row->phrase, ls_split_figure_of(metrics, row));
    before = ", ";
  }
  ls_text_add(text, "\n\n");
}

/* Which class is taken for which: of several labels, none is. */
static void add_confusion(ls_text *text, const ls_metrics *metrics, const char *const *class_names)
{
  if (!metrics->confusion) return;
  ls_text_add(text, "\n");
  if (metrics->classes <= MATRIX_MAX_CLASSES)
    add_matrix(text, metrics, class_names);
  else
    ls_text_add(text, "confusion matrix: left out, %zu classes are too many for a terminal; --json has it\n",
                metrics->classes);
  add_pairs(text, metrics, class_names);
}

/* What is right of how many samples; values are neither right nor wrong. */
static void add_head(ls_text *text, const ls_metrics *metrics, const char *title)
{
  const unsigned long long samples = (unsigned long long)metrics->samples;
  ls_text_add(text, "%s: loss %.4f", title, metrics->loss);
  if (metrics->labels == LS_LABELS_VALUES)
    ls_text_add(text, " (%llu sample%s)\n", samples, ls_plural(metrics->samples));
  else
    ls_text_add(text, ", %s %.2f %% (%llu of %llu)\n",
                metrics->labels == LS_LABELS_CLASS ? "accuracy" : "exact match", 100 * metrics->accuracy,
                (unsigned long long)metrics->correct, samples);
}

void ls_metrics_report(const ls_metrics *metrics, const char *title, const char *const *class_names,
                       ls_text *text)
{
  add_head(text, metrics, title);
  if (metrics->samples > 0) {
    add_figures(text, metrics, (int)strlen(title) + 2);
    add_class_table(text, metrics, class_names);
    add_confusion(text, metrics, class_names);
  }
  ls_text notes = {0};
  ls_metrics_notes(metrics, class_names, &notes);
  if (notes.length > 0) ls_text_add(text, "\nnotes\n%s", ls_text_get(&notes));
  text->failed = text->failed || notes.failed;
  ls_text_fini(&notes);
}
