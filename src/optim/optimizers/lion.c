/* SPDX-License-Identifier: BSD-3-Clause */
/* Lion: every weight moves by the learning rate, up or down, as the sign of a mean of gradients says.
 *
 *   p *= 1 - lr * weight_decay;  p -= lr * sign(beta1 * m + (1 - beta1) * grad)
 *   m = beta2 * m + (1 - beta2) * grad
 *
 * Source: Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023, algorithm 2. */
#include "optim/kinds.h"

typedef struct lion_options {
  ls_optimizer_common common;
  double beta1, beta2;
} lion_options;

static const ls_key keys[] = {
    LS_OPTIMIZER_LR_KEY("0.0001"),
    LS_OPTIMIZER_REAL(lion_options, beta1, "0.9", .max = 1, .max_open = true,
                      .doc =
                          "Share of the running mean in what the sign is taken of; the rest: the gradient."),
    LS_OPTIMIZER_REAL(lion_options, beta2, "0.99", .max = 1, .max_open = true,
                      .doc = "Decay of the running mean of the gradient."),
    LS_OPTIMIZER_DECOUPLED_KEY("0"),
    LS_OPTIMIZER_DECAY_ALL_KEY,
};

static void update(const void *options, const ls_update *update, float *params, const float *grads,
                   float *const *slots, size_t count)
{
  const lion_options *lion = options;
  const float scale = (float)update->grad_scale, rate = (float)update->lr;
  const float shrink = (float)(1 - update->lr * update->weight_decay);
  const float beta1 = (float)lion->beta1, beta2 = (float)lion->beta2;
  const float rest1 = (float)(1 - lion->beta1), rest2 = (float)(1 - lion->beta2);
  float *restrict exp_avg = slots[0];
  for (size_t i = 0; i < count; i++) {
    const float g = scale * grads[i];
    const float c = beta1 * exp_avg[i] + rest1 * g;
    const float sign = c > 0 ? 1 : c < 0 ? -1 : c; /* what is not a number stays so */
    exp_avg[i] = beta2 * exp_avg[i] + rest2 * g;
    params[i] = params[i] * shrink - rate * sign;
  }
}

const ls_optimizer_kind ls_optimizer_lion = {
    .schema = {.name = "lion",
               .doc =
                   "Lion: steps of the learning rate, by the sign of a mean of gradients; decoupled weight "
                   "decay. Wants a third to a tenth of adamw's rate.",
               .keys = keys,
               .key_count = sizeof keys / sizeof keys[0],
               .options_bytes = sizeof(lion_options)},
    .slots = {{.name = "exp_avg"}},
    .update = update,
};
