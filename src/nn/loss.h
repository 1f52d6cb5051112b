/* SPDX-License-Identifier: BSD-3-Clause */
/* Losses: one file per kind in losses/ behind one table, listed in kinds.h. They take logits: where a
 * loss is one of probabilities, it takes their softmax itself. */
#ifndef LS_NN_LOSS_H
#define LS_NN_LOSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "config/spec.h"

/** What else is in each sample of a mixture. */
typedef struct ls_loss_mix {
  const uint16_t *others; /* [n] labels */
  const float *shares;    /* [n] of the sample itself, in [0, 1] */
} ls_loss_mix;

/** What n samples should be taken for. */
typedef struct ls_targets {
  size_t n, classes;
  const uint16_t *labels; /* [n], each below classes */
  const float *values;    /* [n, classes], of a loss whose labels are not classes */
  const ls_loss_mix *mix; /* NULL: no mixtures */
  double smoothing;       /* share of each label that is spread over all classes, as PyTorch's
                             CrossEntropyLoss(label_smoothing) has it; [0, 1) */
} ls_targets;

/** The probabilities that one sample should have: spread + (k is the label: own) + (k is the other: rest). */
typedef struct ls_target {
  size_t label, other;
  double own, rest, spread;
  const float *values; /* [classes], of a loss whose labels are not classes: what they are */
} ls_target;

static inline double ls_target_at(const ls_target *target, size_t class)
{
  return target->spread + (class == target->label ? target->own : 0.0) +
         (class == target->other ? target->rest : 0.0);
}

/** What a kind can be given. */
typedef enum ls_target_type {
  LS_TARGET_PROBABILITIES, /* any ls_target */
  LS_TARGET_LABEL          /* the label, or the values, alone: own is 1, no smoothing and no mixtures */
} ls_target_type;

typedef struct ls_loss_kind {
  ls_schema schema;
  ls_label_form labels;
  ls_target_type target;
  /* Refuse options that do not fit the classes. Optional: all do. */
  ls_status (*check)(const void *options, size_t classes);
  bool is_log_likelihood; /* of a label it is -log p, p being the label's probability */
  /* The loss of a sample, by logits [classes]. Unless gradient is NULL, gradient [classes] = scale times that
   * with respect to the logits. */
  double (*sample)(const void *options, const float *logits, size_t classes, const ls_target *target,
                   double scale, float *gradient);
  /* What logits [n, classes] say: probabilities of classes or labels, or values; may overwrite them. */
  void (*outputs)(const float *logits, size_t n, size_t classes, float *out);
  /* The gradient of a label's loss but for a positive factor, such that it does not vanish where the loss is
   * all but 0: what attacks follow. Optional: the gradient itself. */
  void (*direction)(const float *logits, size_t label, size_t classes, double scale, float *gradient);
} ls_loss_kind;

extern const ls_loss_kind *const ls_loss_kinds[]; /* NULL-terminated */
extern const ls_schema *const ls_loss_schemas[];  /* the same order, NULL-terminated */

/** A kind with its options. */
typedef struct ls_loss {
  const ls_loss_kind *kind;
  const void *options; /* borrowed */
} ls_loss;

/** What a configuration chose; borrows its options. */
ls_loss ls_loss_of(const ls_kind_spec *spec);

/** Refuse smoothing and mixtures where the loss takes labels alone. Local. Errors: LS_E_CONFIG. */
ls_status ls_loss_check(const ls_loss *loss, double smoothing, double mixup) LS_CHECKED;

/** Refuse options that do not fit the number of classes; to be called before the loss is. Local. Errors:
 * LS_E_CONFIG. */
ls_status ls_loss_check_classes(const ls_loss *loss, size_t classes) LS_CHECKED;

/** For kinds with weights in a key: refuse a number of them that is neither 1 nor that of the classes; none
 * is fine. Local. Errors: LS_E_CONFIG. */
ls_status ls_loss_check_weights(const ls_real_list *weights, const char *key, size_t classes) LS_CHECKED;

/** The weight of a class, or a label: its own, the one for all, or 1. */
double ls_loss_weight(const ls_real_list *weights, size_t class);

/** Sums over the samples of a micro-batch. */
typedef struct ls_loss_sums {
  double loss;
  size_t correct; /* samples whose largest logit is at the label (the first one on ties), or that have just
                     the labels whose logits are above 0; of values: none */
} ls_loss_sums;

/** Loss of n samples and its gradient.
 *
 * @param[in]  logits    [n, classes]
 * @param[in]  scale     factor on the gradient: 1 / (samples of the global batch)
 * @param[out] gradient  [n, classes]; NULL: not wanted
 *
 * Local. Cannot fail.
 */
ls_loss_sums ls_loss_run(const ls_loss *loss, const float *logits, const ls_targets *targets, double scale,
                         float *gradient);

/** The direction of the gradient for the labels of the targets, for attacks that follow its sign alone:
 * `scale` > 0 times that of each sample, but for a positive factor of its own. Local. Cannot fail. */
void ls_loss_direction(const ls_loss *loss, const float *logits, const ls_targets *targets, double scale,
                       float *gradient);

#endif
