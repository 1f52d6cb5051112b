/* SPDX-License-Identifier: BSD-3-Clause */
/* Adam and AdamW, in the form of torch.optim. The two differ in where weight decay goes: Adam adds it to the
 * gradient, AdamW shrinks the weight itself; one loop does both, with the other's factor at its neutral
 * value.
 *
 *   p *= 1 - lr * weight_decay (adamw);  g = grad + weight_decay * p (adam)
 *   m = beta1 * m + (1 - beta1) * g;     v = beta2 * v + (1 - beta2) * g * g
 *   p -= lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
 *
 * Sources: Kingma, Ba, "Adam: a method for stochastic optimization", ICLR 2015; Loshchilov, Hutter,
 * "Decoupled weight decay regularization", ICLR 2019. */
#include "optim/kinds.h"

typedef struct adam_options {
  ls_optimizer_common common;
  double beta1, beta2, epsilon;
} adam_options;

/* The rows that both kinds share; they differ in the weight decay. */
#define ADAM_SHARED_KEYS                                                                                     \
  LS_OPTIMIZER_LR_KEY("0.001"), LS_OPTIMIZER_BETA_KEYS(adam_options, "0.9", "0.999"),                        \
      LS_OPTIMIZER_EPSILON_KEY(adam_options, "1e-8"), LS_OPTIMIZER_DECAY_ALL_KEY

static const ls_key adam_keys[] = {ADAM_SHARED_KEYS, LS_OPTIMIZER_L2_KEY};

static const ls_key adamw_keys[] = {ADAM_SHARED_KEYS, LS_OPTIMIZER_DECOUPLED_KEY("0.01")};

/* The factors of a step, worked out in double as Python does, used in single. */
typedef struct adam_factors {
  float scale, shrink, l2;          /* on the gradient; on the weight; of the weight in the gradient */
  float beta1, beta2, rest1, rest2; /* rest: 1 - beta */
  float root, epsilon, rate;        /* root: sqrt(1 - beta2^t); rate: lr / (1 - beta1^t) */
} adam_factors;

static adam_factors factors_of(const adam_options *adam, const ls_update *update)
{
  const double t = (double)update->step;
  return (adam_factors){
      .scale = (float)update->grad_scale,
      .shrink = 1,
      .beta1 = (float)adam->beta1,
      .beta2 = (float)adam->beta2,
      .rest1 = (float)(1 - adam->beta1),
      .rest2 = (float)(1 - adam->beta2),
      .root = (float)sqrt(1 - pow(adam->beta2, t)),
      .epsilon = (float)adam->epsilon,
      .rate = (float)(update->lr / (1 - pow(adam->beta1, t))),
  };
}

static void update_elements(const adam_factors *factors, float *restrict params, const float *restrict grads,
                            float *restrict exp_avg, float *restrict exp_avg_sq, size_t count)
{
  const adam_factors f = *factors;
  for (size_t i = 0; i < count; i++) {
    const float p = params[i] * f.shrink;
    const float g = f.scale * grads[i] + f.l2 * p;
    const float m = f.beta1 * exp_avg[i] + f.rest1 * g;
    const float v = f.beta2 * exp_avg_sq[i] + f.rest2 * g * g;
    exp_avg[i] = m;
    exp_avg_sq[i] = v;
    params[i] = p - f.rate * m / (sqrtf(v) / f.root + f.epsilon);
  }
}

static void update_adam(const void *options, const ls_update *update, float *params, const float *grads,
                        float *const *slots, size_t count)
{
  adam_factors factors = factors_of(options, update);
  factors.l2 = (float)update->weight_decay;
  update_elements(&factors, params, grads, slots[0], slots[1], count);
}

static void update_adamw(const void *options, const ls_update *update, float *params, const float *grads,
                         float *const *slots, size_t count)
{
  adam_factors factors = factors_of(options, update);
  factors.shrink = (float)(1 - update->lr * update->weight_decay);
  update_elements(&factors, params, grads, slots[0], slots[1], count);
}

const ls_optimizer_kind ls_optimizer_adam = {
    .schema = {.name = "adam",
               .doc = "Adam: adaptive moments, weight decay as an L2 penalty.",
               .keys = adam_keys,
               .key_count = sizeof adam_keys / sizeof adam_keys[0],
               .options_bytes = sizeof(adam_options)},
    .slots = {{.name = "exp_avg"}, {.name = "exp_avg_sq", .is_squares = true}},
    .update = update_adam,
};

const ls_optimizer_kind ls_optimizer_adamw = {
    .schema = {.name = "adamw",
               .doc = "AdamW: Adam with decoupled weight decay.",
               .keys = adamw_keys,
               .key_count = sizeof adamw_keys / sizeof adamw_keys[0],
               .options_bytes = sizeof(adam_options)},
    .slots = {{.name = "exp_avg"}, {.name = "exp_avg_sq", .is_squares = true}},
    .update = update_adamw,
};
