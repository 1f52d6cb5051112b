/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics as text for people: figures, a table per class, the confusion matrix, the most confused pairs,
 * notes.
 *
 * Columns are as wide as their widest number, and class names give way, so that ten classes stay within
 * LINE_WIDTH columns. */
#include "eval/metrics.h"

#include <stdio.h>
#include <string.h>

#include "base/show.h"
#include "base/size.h"

enum {
  LINE_WIDTH = 100,
  MATRIX_MAX_CLASSES = 30, /* above: no matrix, which no terminal would hold */
  NAME_MIN_WIDTH = 8,
  NAME_MAX_WIDTH = 24,
  PAIR_COUNT = 5 /* most confused pairs shown */
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

static void add_class_row(ls_text *text, const ls_class_metrics *class)
{
  ls_text_add(text, "  %7.2f %%  %7.2f %%  %7.2f %%  %9llu\n", 100 * class->precision, 100 * class->recall,
              100 * class->f1, (unsigned long long)class->support);
}

static void add_class_table(ls_text *text, const ls_metrics *metrics, const char *const *class_names)
{
  const size_t width = label_width(metrics, class_names, NAME_MAX_WIDTH);
  ls_text_show_column(text, "class", width);
  ls_text_add(text, "  %9s  %9s  %9s  %9s\n", "precision", "recall", "f1", "support");
  for (size_t i = 0; i < metrics->classes; i++) {
    add_class_label(text, metrics, class_names, i, width);
    add_class_row(text, &metrics->per_class[i]);
  }
  ls_text_show_column(text, "macro", width);
  add_class_row(text, &metrics->macro);
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
  const size_t room = used + NAME_MIN_WIDTH < LINE_WIDTH ? LINE_WIDTH - used : NAME_MIN_WIDTH;
  const size_t width = label_width(metrics, class_names, ls_size_min(room, NAME_MAX_WIDTH));
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

/* Put a pair into the list, which is sorted by count; the earlier one stays ahead on ties. */
static void insert_pair(pair *pairs, pair new_pair)
{
  size_t place = PAIR_COUNT;
  while (place > 0 && pairs[place - 1].count < new_pair.count) place--;
  if (place == PAIR_COUNT) return;
  memmove(&pairs[place + 1], &pairs[place], (PAIR_COUNT - 1 - place) * sizeof pairs[0]);
  pairs[place] = new_pair;
}

static void find_pairs(const ls_metrics *metrics, pair pairs[PAIR_COUNT])
{
  const size_t classes = metrics->classes;
  for (size_t i = 0; i < classes * classes; i++) {
    const pair found = {i / classes, i % classes, metrics->confusion[i]};
    if (found.actual != found.predicted) insert_pair(pairs, found);
  }
}

static void add_class(ls_text *text, const char *const *class_names, size_t i)
{
  ls_text_add(text, "%zu", i);
  if (class_names) ls_text_show(text, " (%s)", class_names[i]);
}

static void add_pairs(ls_text *text, const ls_metrics *metrics, const char *const *class_names)
{
  pair pairs[PAIR_COUNT] = {0};
  find_pairs(metrics, pairs);
  if (pairs[0].count == 0) return;
  ls_text_add(text, "\nmost confused\n");
  for (size_t i = 0; i < PAIR_COUNT && pairs[i].count > 0; i++) {
    const uint64_t support = metrics->per_class[pairs[i].actual].support;
    ls_text_add(text, "true ");
    add_class(text, class_names, pairs[i].actual);
    ls_text_add(text, " predicted ");
    add_class(text, class_names, pairs[i].predicted);
    ls_text_add(text, ": %llu %s, %.1f %% of its samples\n", (unsigned long long)pairs[i].count,
                pairs[i].count == 1 ? "time" : "times", 100 * (double)pairs[i].count / (double)support);
  }
}

void ls_metrics_report(const ls_metrics *metrics, const char *title, const char *const *class_names,
                       ls_text *text)
{
  ls_text_add(text, "%s: loss %.4f, accuracy %.2f %% (%llu of %llu)\n", title, metrics->loss,
              100 * metrics->accuracy, (unsigned long long)metrics->correct,
              (unsigned long long)metrics->samples);
  if (metrics->samples > 0) {
    ls_text_add(text, "\n");
    add_class_table(text, metrics, class_names);
    ls_text_add(text, "\n");
    if (metrics->classes <= MATRIX_MAX_CLASSES)
      add_matrix(text, metrics, class_names);
    else
      ls_text_add(text,
                  "confusion matrix: left out, %zu classes are too many for a terminal; --json has it\n",
                  metrics->classes);
    add_pairs(text, metrics, class_names);
  }
  ls_text notes = {0};
  ls_metrics_notes(metrics, class_names, &notes);
  if (notes.length > 0) ls_text_add(text, "\nnotes\n%s", ls_text_get(&notes));
  text->failed = text->failed || notes.failed;
  ls_text_fini(&notes);
}
