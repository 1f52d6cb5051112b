/* SPDX-License-Identifier: BSD-3-Clause */
/* Ensembles: the figures of each member, of several ways of voting, and of how far the members differ. */
#ifndef LS_EVAL_ENSEMBLE_H
#define LS_EVAL_ENSEMBLE_H

#include <jansson.h>

#include "base/status.h"
#include "base/text.h"
#include "comm/comm.h"
#include "eval/metrics/calibration.h"
#include "eval/forward.h"

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

/** Sums over samples for the figures; each thread has its own. They are integers, so they are the same in any
 * order of the samples and on any number of ranks and threads. Opaque. */
typedef struct ls_ensemble_sums ls_ensemble_sums;

/** @param[in] weights  [members] fitted ones; they are copied. NULL: there are none
 *
 * Local. Errors: LS_E_MEMORY. */
ls_status ls_ensemble_sums_new(ls_ensemble_sums **out, size_t members, size_t classes, size_t threads,
                               const double *weights) LS_CHECKED;
/** NULL is fine. */
void ls_ensemble_sums_free(ls_ensemble_sums *sums);

/** Add a sample to those of a thread: p + m * stride are the probabilities [classes] of member m. Local. */
void ls_ensemble_add(ls_ensemble_sums *sums, size_t part, const float *p, size_t stride, uint16_t label);

/** Add the samples of a micro-batch, on which the members have just voted. Local. */
void ls_ensemble_visit(ls_ensemble_sums *sums, const ls_members *members, const ls_visit *seen);

/** Those of all ranks, on each of them. Collective. Errors: LS_E_COMM. */
ls_status ls_ensemble_reduce(ls_ensemble_sums *sums, ls_comm *comm) LS_CHECKED;

/** Work out the figures of the samples that were added. Local. Errors: LS_E_MEMORY; *out is NULL then. */
ls_status ls_ensemble_new(ls_ensemble **out, const ls_ensemble_sums *sums) LS_CHECKED;
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
