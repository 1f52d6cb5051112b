/* SPDX-License-Identifier: BSD-3-Clause */
/* An ensemble as text for people. */
#include "eval/ensemble.h"

#include <string.h>

#include "base/show.h"
#include "base/size.h"

enum { NAME_WIDTH = 40, BAR_WIDTH = 40 };

static void add_figures(ls_text *text, const char *name, const ls_calibration *figures)
{
  /* The end of a long name tells more than its begin. */
  ls_text_show(text, "  %-*s %8.2f %8.4f %8.4f %8.4f\n", NAME_WIDTH, ls_shown_end(name, NAME_WIDTH),
               100 * ls_calibration_accuracy(figures), ls_calibration_nll(figures),
               ls_calibration_brier(figures), ls_calibration_error(figures));
}

static void add_voting(ls_text *text, const ls_ensemble *ensemble)
{
  add_figures(text, "soft vote (mean probability)", &ensemble->soft);
  ls_text_add(text, "  %-*s %8.2f\n", NAME_WIDTH, "hard vote (majority)", 100 * ensemble->hard);
  if (!ensemble->weights) return;
  add_figures(text, "weighted vote, fitted on validation", &ensemble->fitted);
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
  ls_text_add(text, "ensemble of %zu\n  %-*s %8s %8s %8s %8s\n", ensemble->members, NAME_WIDTH, "",
              "accuracy", "nll", "brier", "ece");
  for (size_t m = 0; m < ensemble->members; m++) add_figures(text, names[m], &ensemble->each[m]);
  add_voting(text, ensemble);
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
