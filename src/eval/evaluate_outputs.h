/* SPDX-License-Identifier: BSD-3-Clause */
/* Evaluation of a network whose labels are not classes. Private to ls_evaluate(). */
#ifndef LS_EVAL_EVALUATE_OUTPUTS_H
#define LS_EVAL_EVALUATE_OUTPUTS_H

#include "eval/forward.h"
#include "eval/metrics/metrics.h"
#include "train/trainer.h"

/** What is known then. Owned by whoever asked. */
typedef struct ls_output_evaluation {
  ls_evaluation_figures figures; /* on every rank */
  /* Rank 0 alone: */
  ls_metrics *metrics;
  ls_outputs outputs; /* where they are wanted */
} ls_output_evaluation;

/** Evaluate one network. Collective. Errors: LS_E_MEMORY, LS_E_COMM; *out is empty then. */
ls_status ls_evaluate_outputs(ls_output_evaluation *out, ls_comm *comm, const ls_members *members,
                              const ls_loader *loader, ls_eval_split split, bool keeps_outputs) LS_CHECKED;

#endif
