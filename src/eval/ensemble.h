/* SPDX-License-Identifier: BSD-3-Clause */
/* Networks that decide together: how good each is, how good they are in different ways of voting, and how far
 * they differ. */
#ifndef LS_EVAL_ENSEMBLE_H
#define LS_EVAL_ENSEMBLE_H

#include <jansson.h>

#include "base/status.h"
#include "base/text.h"
#include "eval/votes.h"
#include "train/calibration.h"

typedef struct ls_ensemble {
  size_t members;
  ls_calibration *each;  /* [members]; owned */
  ls_calibration soft;   /* the mean of their probabilities */
  double hard;           /* accuracy of the majority; of classes with as many votes, the one with the larger
                            mean probability */
  double *weights;       /* [members], sum 1: fitted; NULL: nothing to fit them on; owned */
  ls_calibration fitted; /* the weighted mean, where there are weights */
  double
      *disagreement; /* [members, members]: fraction of the samples on which two decide differently; owned */
} ls_ensemble;

/** Work out an ensemble's figures.
 *
 * @param[in] held_out  votes of the same members on samples that none was trained on, to fit the weights;
 * NULL: there are none Local. Errors: LS_E_MEMORY.
 */
ls_status ls_ensemble_new(ls_ensemble **out, const ls_votes *votes, const ls_votes *held_out) LS_CHECKED;
void ls_ensemble_free(ls_ensemble *ensemble);

/** Mean accuracy of the members, and of the best. */
double ls_ensemble_mean_accuracy(const ls_ensemble *ensemble);
double ls_ensemble_best_accuracy(const ls_ensemble *ensemble);
/** Mean disagreement of two members; 0 with a single one. */
double ls_ensemble_disagreement(const ls_ensemble *ensemble);

/** Append a report for people: each member, the ways of voting with their gain over the mean member, the
 * reliability of the soft vote. names: [members]. */
void ls_ensemble_report(const ls_ensemble *ensemble, const char *const *names, ls_text *text);

/** {"members": [{"name", "accuracy", "nll", "brier", "ece"}], "soft": {...}, "hard": {"accuracy"},
 * "weighted":
 * {..., "weights"} or null, "gain", "disagreement", "disagreements": [[...]], "reliability": [{"samples",
 * "confidence", "accuracy"}]}; a new reference, or NULL without memory. */
json_t *ls_ensemble_json(const ls_ensemble *ensemble, const char *const *names);

#endif
