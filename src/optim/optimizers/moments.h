/* SPDX-License-Identifier: BSD-3-Clause */
/* What the kinds of Adam's family have in common: running means of the gradient and of its square.
 *
 *   m = beta1 * m + (1 - beta1) * g;     v = beta2 * v + (1 - beta2) * g * g
 *
 * and the divisor sqrt(v) / sqrt(1 - beta2^t) + epsilon. Private to the folder. */
#ifndef LS_OPTIM_OPTIMIZERS_MOMENTS_H
#define LS_OPTIM_OPTIMIZERS_MOMENTS_H

#include "optim/kinds.h"

/** The first member of each kind's options. */
typedef struct ls_moments_options {
  ls_optimizer_common common;
  double beta1, beta2, epsilon;
} ls_moments_options;

/* Their rows but the decay's. */
#define LS_MOMENTS_KEYS(lr, epsilon)                                                                         \
  LS_OPTIMIZER_LR_KEY(lr), LS_OPTIMIZER_BETA_KEYS(ls_moments_options, "0.9", "0.999"),                       \
      LS_OPTIMIZER_EPSILON_KEY(ls_moments_options, epsilon)

/* The state of each kind. */
#define LS_MOMENTS_SLOTS                                                                                     \
  {.name = "exp_avg"},                                                                                       \
  {                                                                                                          \
    .name = "exp_avg_sq", .is_squares = true                                                                 \
  }

/** The factors of a step, worked out in double as Python does, used in single. */
typedef struct ls_moments {
  float scale;                      /* on the gradient: clipping */
  float shrink, l2;                 /* decay: on the weight, or of the weight in the gradient */
  float beta1, beta2, rest1, rest2; /* rest: 1 - beta */
  float root, epsilon;              /* root: sqrt(1 - beta2^t) */
} ls_moments;

/** Those of a step without weight decay. */
static inline ls_moments ls_moments_of(const ls_moments_options *options, const ls_update *update)
{
  return (ls_moments){
      .scale = (float)update->grad_scale,
      .shrink = 1,
      .beta1 = (float)options->beta1,
      .beta2 = (float)options->beta2,
      .rest1 = (float)(1 - options->beta1),
      .rest2 = (float)(1 - options->beta2),
      .root = (float)sqrt(1 - pow(options->beta2, (double)update->step)),
      .epsilon = (float)options->epsilon,
  };
}

/** Those of a step with weight decay, as an L2 penalty or decoupled, as AdamW's. */
static inline ls_moments ls_moments_decayed(const ls_moments_options *options, const ls_update *update,
                                            bool decoupled)
{
  ls_moments moments = ls_moments_of(options, update);
  if (decoupled)
    moments.shrink = (float)(1 - update->lr * update->weight_decay);
  else
    moments.l2 = (float)update->weight_decay;
  return moments;
}

/** A weight in a step: p and g after the decay, the divisor after v. */
typedef struct ls_moments_weight {
  float p, g, divisor;
} ls_moments_weight;

/** Bring a weight's m and v to this step. */
static inline ls_moments_weight ls_moments_advance(const ls_moments *moments, float param, float grad,
                                                   float *m, float *v)
{
  const float p = param * moments->shrink;
  const float g = moments->scale * grad + moments->l2 * p;
  *m = moments->beta1 * *m + moments->rest1 * g;
  *v = moments->beta2 * *v + moments->rest2 * g * g;
  return (ls_moments_weight){.p = p, .g = g, .divisor = sqrtf(*v) / moments->root + moments->epsilon};
}

#endif
