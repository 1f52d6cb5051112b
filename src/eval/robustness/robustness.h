/* SPDX-License-Identifier: BSD-3-Clause */
/* Attacks a network, or the vote of several, on a split: the figures, and the adversarial examples. */
#ifndef LS_EVAL_ROBUSTNESS_ROBUSTNESS_H
#define LS_EVAL_ROBUSTNESS_ROBUSTNESS_H

#include "base/status.h"
#include "comm/comm.h"
#include "data/loader.h"
#include "data/ticker.h"
#include "eval/forward.h"
#include "eval/robustness/examples.h"
#include "attack/attack.h"

/** Classes are below it: whatever it was, any class. */
#define LS_ANY_CLASS SIZE_MAX

typedef struct ls_robustness_options {
  const ls_loader *loader; /* borrowed */
  ls_eval_split split;
  const ls_attack_kind *methods[LS_ATTACK_COUNT]; /* [method_count], each once */
  size_t method_count;                            /* >= 1 */
  ls_attack attack;                               /* kind is ignored, and is_targeted follows from target */
  size_t restarts;     /* >= 1, of methods that are random; of each sample the worst for the network counts */
  size_t target;       /* the class that samples are to be taken for; LS_ANY_CLASS: any but their own */
  size_t source_class; /* samples of this class alone are attacked; LS_ANY_CLASS: all */
  uint64_t limit;      /* samples with a number below it alone; UINT64_MAX: all */
  const ls_ticker *ticker; /* called for each micro-batch of this rank's first thread; NULL: none */
} ls_robustness_options;

/** Sums over all ranks, the same bits on each and for any number of them. */
typedef struct ls_robustness {
  uint64_t samples;          /* that were attacked */
  uint64_t clean_correct;    /* of them, right before the attack */
  uint64_t correct;          /* right after it; with a target too: those still taken for what they are */
  uint64_t correct_8bit;     /* the same of the images in 8 bits */
  uint64_t hits;             /* with a target: taken for it */
  uint64_t vanished;         /* that no start had a gradient of at its last step, of methods that follow it */
  uint64_t vanished_correct; /* of them, right: they stood up to no attack */
  double confidence_on_errors; /* mean probability of the wrong class; NaN when there is no error */
} ls_robustness;

/** Attack networks, one or several as their vote, on the samples of a split. What is measured are the images
 * as they can be kept: pixels of float32, from 0 to 1 and within epsilon of the original's, x = (255 * pixel
 * - mean) / deviation in float32 being the network's input. Beside them stand the same in 8 bits, each pixel
 * the nearest level that is within epsilon.
 *
 * @param[in]  members   without views; their models were built with input_gradient
 * @param[out] worst     of each sample the method that is worst for the network: it is right only where it
 *                       stands up to all of them
 * @param[out] each      [method_count] of each method by itself; NULL: not wanted
 * @param[out] examples  every attacked sample, by its worst method, on rank 0; nothing on the others,
 * released with ls_examples_fini(); NULL: not wanted
 *
 * Collective. Errors: LS_E_INPUT if no sample of the split is to be attacked; LS_E_MEMORY; LS_E_COMM.
 */
ls_status ls_robustness_find(ls_robustness *worst, ls_robustness *each, ls_examples *examples, ls_comm *comm,
                             const ls_members *members, const ls_robustness_options *attacks) LS_CHECKED;

#endif
