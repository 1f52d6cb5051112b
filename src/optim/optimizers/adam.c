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
#include "optim/optimizers/moments.h"

/* The rows that both kinds share; they differ in the weight decay. */
#define ADAM_SHARED_KEYS LS_MOMENTS_KEYS("0.001", "1e-8"), LS_OPTIMIZER_DECAY_ALL_KEY

static const ls_key adam_keys[] = {ADAM_SHARED_KEYS, LS_OPTIMIZER_L2_KEY};

static const ls_key adamw_keys[] = {ADAM_SHARED_KEYS, LS_OPTIMIZER_DECOUPLED_KEY("0.01")};

/* The factors of a step. */
typedef struct adam_factors {
  ls_moments moments;
  float rate; /* lr / (1 - beta1^t) */
} adam_factors;

static adam_factors factors_of(const ls_moments_options *adam, const ls_update *update, bool decoupled)
{
  return (adam_factors){
      .moments = ls_moments_decayed(adam, update, decoupled),
      .rate = (float)(update->lr / (1 - pow(adam->beta1, (double)update->step))),
  };
}

static void update_elements(const adam_factors *factors, float *restrict params, const float *restrict grads,
                            float *restrict exp_avg, float *restrict exp_avg_sq, size_t count)
{
  const adam_factors f = *factors;
  for (size_t i = 0; i < count; i++) {
    const ls_moments_weight weight =
        ls_moments_advance(&f.moments, params[i], grads[i], &exp_avg[i], &exp_avg_sq[i]);
    params[i] = weight.p - f.rate * exp_avg[i] / weight.divisor;
  }
}

static void update_adam(const void *options, const ls_update *update, float *params, const float *grads,
                        float *const *slots, size_t count)
{
  const adam_factors factors = factors_of(options, update, false);
  update_elements(&factors, params, grads, slots[0], slots[1], count);
}

static void update_adamw(const void *options, const ls_update *update, float *params, const float *grads,
                         float *const *slots, size_t count)
{
  const adam_factors factors = factors_of(options, update, true);
  update_elements(&factors, params, grads, slots[0], slots[1], count);
}

const ls_optimizer_kind ls_optimizer_adam = {
    .schema = {.name = "adam",
               .doc = "Adam: adaptive moments, weight decay as an L2 penalty.",
               .keys = adam_keys,
               .key_count = sizeof adam_keys / sizeof adam_keys[0],
               .options_bytes = sizeof(ls_moments_options)},
    .slots = {LS_MOMENTS_SLOTS},
    .update = update_adam,
};

const ls_optimizer_kind ls_optimizer_adamw = {
    .schema = {.name = "adamw",
               .doc = "AdamW: Adam with decoupled weight decay.",
               .keys = adamw_keys,
               .key_count = sizeof adamw_keys / sizeof adamw_keys[0],
               .options_bytes = sizeof(ls_moments_options)},
    .slots = {LS_MOMENTS_SLOTS},
    .update = update_adamw,
};
