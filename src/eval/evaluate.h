/* SPDX-License-Identifier: BSD-3-Clause */
/* Evaluates one network, or several that vote, on a split: every sample once. */
#ifndef LS_EVAL_EVALUATE_H
#define LS_EVAL_EVALUATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "comm/comm.h"
#include "data/loader.h"
#include "eval/ensemble.h"
#include "eval/forward.h"
#include "eval/metrics/metrics.h"
#include "store/split_metrics.h"
#include "train/trainer.h"

/** What was said of a sample. */
typedef struct ls_prediction {
  uint64_t sample;       /* its index in the split of the dataset that it is from: test, or train */
  double probability;    /* of the predicted class */
  uint16_t label, class; /* the true class, and the predicted one */
} ls_prediction;

/** In the order of the samples. */
typedef struct ls_predictions {
  ls_prediction *items; /* [count]; owned */
  size_t count;
} ls_predictions;

typedef struct ls_evaluation_options {
  ls_eval_split split;
  bool predictions;  /* are they wanted? */
  bool fits_weights; /* of several: none was trained on the samples held out for validation, if there are any
                      */
} ls_evaluation_options;

/** Owned; ls_evaluation_fini(). */
typedef struct ls_evaluation {
  ls_evaluation_figures figures; /* on every rank */
  /* Rank 0 alone: */
  ls_metrics *metrics;
  ls_predictions predictions; /* where they are wanted */
  ls_outputs outputs;         /* likewise, where labels are not classes */
  ls_ensemble *ensemble;      /* of several networks; else NULL */
} ls_evaluation;

/** Evaluate on this split: the same bits on any number of ranks and threads. A loss that is not finite, or
 * too large to be summed, counts as infinite. A rank holds a row for each of its own samples; rank 0 gets
 * them in portions.
 *
 * Collective. Errors: LS_E_INPUT if the split has no samples; LS_E_MEMORY; LS_E_COMM.
 */
ls_status ls_evaluate(ls_evaluation *out, ls_comm *comm, const ls_members *members, const ls_loader *loader,
                      const ls_evaluation_options *options) LS_CHECKED;
void ls_evaluation_fini(ls_evaluation *evaluation);

/** The same of one network, for ls_trainer_options.evaluate. */
ls_status ls_evaluate_network(const ls_evaluation_input *input, ls_evaluation_figures *figures,
                              ls_metrics **metrics) LS_CHECKED;

#endif
