/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by figures.c and attack.c; private to them. */
#ifndef LS_EVAL_ROBUSTNESS_INTERNAL_H
#define LS_EVAL_ROBUSTNESS_INTERNAL_H

#include "eval/robustness/robustness.h"

enum {
  LS_ROBUSTNESS_SAMPLES,
  LS_ROBUSTNESS_CLEAN_CORRECT,
  LS_ROBUSTNESS_CORRECT,
  LS_ROBUSTNESS_CORRECT_8BIT,
  LS_ROBUSTNESS_HITS,
  LS_ROBUSTNESS_VANISHED,
  LS_ROBUSTNESS_VANISHED_CORRECT,
  LS_ROBUSTNESS_ERRORS,
  LS_ROBUSTNESS_CONFIDENCE,
  LS_ROBUSTNESS_SUMS
};

/* The network's result for one sample under attack. */
typedef struct ls_attack_result {
  bool is_fooled;
  bool sought, found; /* a gradient to follow, by this start or one before */
  uint16_t class, class_8bit;
  float confidence;
  double gain; /* the larger, the better for the attack */
} ls_attack_result;

/* What has come of a micro-batch. */
typedef struct ls_outcome {
  float *images;   /* [microbatch, c, h, w] in raw pixel units, of the start that was worst for each sample */
  uint8_t *pixels; /* [microbatch, c, h, w] these in 8 bits */
  ls_attack_result *results; /* [microbatch] of these */
} ls_outcome;

/* What one thread works in. */
typedef struct ls_robustness_scratch {
  uint64_t sums[LS_ATTACK_COUNT + 1][LS_ROBUSTNESS_SUMS]; /* of each method, and behind them of the worst */
  float *raw;           /* [microbatch, c, h, w] the images that are looked at, in raw pixel units */
  ls_outcome now;       /* of one method */
  ls_outcome worst;     /* of all methods so far */
  float *probabilities; /* [classes] of one sample */
  uint16_t *before;     /* [microbatch] class of the clean image */
  uint16_t *goals;      /* [microbatch] labels of the attack */
} ls_robustness_scratch;

typedef struct ls_robustness_job {
  const ls_members *members;
  ls_attack_member *attacked;        /* [threads, members] the same, as attacks take them */
  ls_attack_scratch *attack_scratch; /* [threads] */
  const ls_robustness_options *attacks;
  ls_attack attack; /* kind is of no meaning */
  size_t classes, pixels;
  size_t *first;                  /* [micro-batches + 1] examples before it, on this rank */
  ls_examples *examples;          /* NULL: not wanted */
  ls_robustness_scratch *scratch; /* [threads] */
} ls_robustness_job;

/** Note the classes of a micro-batch before the attack, and the attack's goal. */
void ls_robustness_begin(const ls_robustness_job *self, const ls_visit *seen);

/** Attack it by method `m`: the scratch's `now`, and `worst` with those before. */
void ls_robustness_try(const ls_robustness_job *self, size_t part, const ls_microbatch *microbatch, size_t m);

#endif
