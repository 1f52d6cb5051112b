/* SPDX-License-Identifier: BSD-3-Clause */
/* An ensemble as text for people. */
#include "eval/ensemble.h"

#include <stdbool.h>
#include <string.h>

#include "base/show.h"
#include "base/size.h"

enum { NAME_WIDTH = 40, BAR_WIDTH = 40 };

static const char CUT[] = "..."; /* where the beginning of a name is left out */

/* What is shown of a name in so many columns: the end of a long one says more than its beginning. */
static const char *shown_part(const char *name, size_t width, bool *is_cut)
{
  *is_cut = ls_shown_columns(name) > width;
  return *is_cut ? ls_shown_end(name, width - strlen(CUT)) : name;
}

/* Do two names that differ look the same in so many columns? */
static bool is_ambiguous(const char *const *names, size_t count, size_t width)
{
  bool is_cut[2];
  for (size_t a = 0; a < count; a++)
    for (size_t b = 0; b < a; b++) {
      const char *first = shown_part(names[a], width, &is_cut[0]);
      const char *second = shown_part(names[b], width, &is_cut[1]);
      if (is_cut[0] == is_cut[1] && strcmp(first, second) == 0 && strcmp(names[a], names[b]) != 0)
        return true;
    }
  return false;
}

/* Wide enough to distinguish each name from the others. */
static size_t name_width(const ls_ensemble *ensemble, const char *const *names)
{
  size_t width = NAME_WIDTH;
  while (is_ambiguous(names, ensemble->members, width)) width++;
  return width;
}

static void add_figures(ls_text *text, const char *name, size_t width, const ls_calibration *figures)
{
  bool is_cut;
  const char *part = shown_part(name, width, &is_cut);
  const size_t mark = is_cut ? strlen(CUT) : 0;
  ls_text_show(text, "  %s%-*s", is_cut ? CUT : "", (int)(width - mark), part);
  for (const ls_calibration_figure *row = ls_calibration_figures; row->name; row++)
    ls_text_add(text, " %8.*f", row->decimals, row->unit * row->value(figures));
  ls_text_add(text, "\n");
}

static void add_voting(ls_text *text, const ls_ensemble *ensemble, size_t width)
{
  add_figures(text, "soft vote (mean probability)", width, &ensemble->soft);
  ls_text_add(text, "  %-*s %8.2f\n", (int)width, "hard vote (majority)", 100 * ensemble->hard);
  if (!ensemble->weights) return;
  add_figures(text, "weighted vote, fitted on validation", width, &ensemble->fitted);
  ls_text_add(text, "  weights:");
  for (size_t m = 0; m < ensemble->members; m++) ls_text_add(text, " %.3f", ensemble->weights[m]);
  ls_text_add(text, "\n");
}

/* A bar a bin: how often it is right, with a mark where its confidence is. */
static void add_bin(ls_text *text, const ls_reliability_bin *bin)
{
  char bar[BAR_WIDTH + 2];
  const double confidence = ls_reliability_confidence(bin), accuracy = ls_reliability_accuracy(bin);
  memset(bar, ' ', BAR_WIDTH + 1);
  memset(bar, '#', (size_t)(accuracy * BAR_WIDTH));
  bar[(size_t)(confidence * BAR_WIDTH)] = '|';
  bar[BAR_WIDTH + 1] = '\0';
  ls_text_add(text, "  %10.3f %8.3f %8zu  %s\n", confidence, accuracy, (size_t)bin->samples, bar);
}

void ls_ensemble_report(const ls_ensemble *ensemble, const char *const *names, ls_text *text)
{
  const double soft = ls_calibration_accuracy(&ensemble->soft);
  const size_t width = name_width(ensemble, names);
  ls_text_add(text, "ensemble of %zu\n  %-*s", ensemble->members, (int)width, "");
  for (const ls_calibration_figure *row = ls_calibration_figures; row->name; row++)
    ls_text_add(text, " %8s", row->name);
  ls_text_add(text, "\n");
  for (size_t m = 0; m < ensemble->members; m++) add_figures(text, names[m], width, &ensemble->each[m]);
  add_voting(text, ensemble, width);
  ls_text_add(
      text,
      "  the soft vote gains %+.2f points on the mean member, %+.2f on the best; two members differ on "
      "%.2f %% of the samples\n",
      100 * (soft - ls_ensemble_mean_accuracy(ensemble)), 100 * (soft - ls_ensemble_best_accuracy(ensemble)),
      100 * ls_ensemble_disagreement(ensemble));
  ls_text_add(text, "reliability of the soft vote (#: right, |: as sure as it was)\n  %10s %8s %8s\n",
              "confidence", "right", "samples");
  for (size_t i = 0; i < LS_CALIBRATION_BINS; i++)
    if (ensemble->soft.bins[i].samples > 0) add_bin(text, &ensemble->soft.bins[i]);
}
