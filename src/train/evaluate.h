/* SPDX-License-Identifier: BSD-3-Clause */
/* Loss and confusion matrix of one network, or of several that vote, over a split: every sample once. */
#ifndef LS_TRAIN_EVALUATE_H
#define LS_TRAIN_EVALUATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "comm/comm.h"
#include "data/loader.h"
#include "train/calibration.h"
#include "nn/network.h"
#include "train/tta.h"

/** One network and what its threads work in. */
typedef struct ls_member {
  const ls_network *network;
  ls_workspace **workspaces; /* [threads] */
  const ls_tta *tta;         /* its views of each image; NULL: the image alone. Borrowed */
} ls_member;

/** Its logits [n, classes] for a micro-batch, by thread `part`; of the mean probabilities of its views, if it
 * has several. Borrowed until the thread's next. Local. */
const float *ls_member_logits(const ls_member *member, size_t part, const ls_microbatch *microbatch);

/** Networks that vote softly: the mean of their probabilities decides. */
typedef struct ls_soft_vote {
  const ls_member *members; /* [count] */
  size_t count, threads;
} ls_soft_vote;

/** Add 1 / members times the probabilities of a member, of logits [n, classes], to the mean; `own` [n,
 * classes] is overwritten. Local. */
void ls_vote_add(float *mean, float *own, const float *logits, size_t n, size_t classes, size_t members);

/** The class of the largest of a sample's logits or probabilities, the first of equals. Local. */
size_t ls_vote_class(const float *values, size_t classes);

/** Turn [count] mean probabilities into logits of the same. Local. */
void ls_vote_logits(float *mean, size_t count);

typedef struct ls_evaluation {
  double loss; /* mean over the samples, of the kind that the (first) network is trained with; of the mean
                  probabilities when several vote */
  double nll;  /* mean of -log p(label) */
  uint64_t samples, correct;
  uint64_t *confusion; /* [classes, classes], row actual, column predicted; owned */
  size_t classes;
  ls_calibration calibration;
} ls_evaluation;

/** What was said of a sample. */
typedef struct ls_prediction {
  uint64_t sample;    /* its place in the split of the dataset that it is from: test, or train */
  uint64_t label;     /* the true class */
  uint64_t class;     /* the predicted one */
  double probability; /* of the predicted class */
} ls_prediction;

/** In the order of the samples. */
typedef struct ls_predictions {
  size_t split_count;   /* samples of that split, with those that are not evaluated: the caller fills it in */
  ls_prediction *items; /* [count]; owned */
  size_t count;
} ls_predictions;

/** Evaluate on this split: the same bits on any number of ranks and threads. A loss that is not finite, or
 * too large to be summed, counts as infinite.
 *
 * @param[in,out] predictions  rank 0 gets all of them, the others an empty list; NULL: they are not wanted
 *
 * Collective. Errors: LS_E_INPUT if the split has no samples; LS_E_MEMORY; LS_E_COMM.
 */
ls_status ls_evaluate(ls_evaluation *out, ls_comm *comm, const ls_soft_vote *soft_vote,
                      const ls_loader *loader, ls_eval_split split, ls_predictions *predictions) LS_CHECKED;
void ls_evaluation_fini(ls_evaluation *evaluation);
void ls_predictions_fini(ls_predictions *predictions);

#endif
