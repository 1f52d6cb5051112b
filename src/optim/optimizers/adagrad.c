/* SPDX-License-Identifier: BSD-3-Clause */
/* Adagrad, in the form of torch.optim.Adagrad: the gradient by the root of the sum of all its squares.
 *
 *   g = grad + weight_decay * p;  sum = sum + g * g
 *   p -= lr / (1 + (t - 1) * lr_decay) * g / (sqrt(sum) + epsilon)
 *
 * Source: Duchi, Hazan, Singer, "Adaptive subgradient methods for online learning and stochastic
 * optimization", JMLR 12, 2011. */
#include "optim/kinds.h"

typedef struct adagrad_options {
  ls_optimizer_common common;
  double lr_decay, initial_accumulator_value, epsilon;
} adagrad_options;

static const ls_key keys[] = {
    LS_OPTIMIZER_LR_KEY("0.01"),
    LS_OPTIMIZER_REAL(adagrad_options, lr_decay, "0", .max = INFINITY,
                      .doc = "The learning rate of step t is divided by 1 + (t - 1) * lr_decay."),
    LS_OPTIMIZER_REAL(adagrad_options, initial_accumulator_value, "0", .max = INFINITY,
                      .doc = "What the sums of squares begin with."),
    LS_OPTIMIZER_EPSILON_KEY(adagrad_options, "1e-10"),
    LS_OPTIMIZER_L2_KEY,
    LS_OPTIMIZER_DECAY_ALL_KEY,
};

static void update(const void *options, const ls_update *update, float *params, const float *grads,
                   float *const *slots, size_t count)
{
  const adagrad_options *adagrad = options;
  const float scale = (float)update->grad_scale, decay = (float)update->weight_decay;
  const float rate = (float)(update->lr / (1 + (double)(update->step - 1) * adagrad->lr_decay));
  const float epsilon = (float)adagrad->epsilon;
  const float initial = update->step == 1 ? (float)adagrad->initial_accumulator_value : 0;
  float *restrict sum = slots[0];
  for (size_t i = 0; i < count; i++) {
    const float g = scale * grads[i] + decay * params[i];
    sum[i] = initial + sum[i] + g * g;
    params[i] -= rate * g / (sqrtf(sum[i]) + epsilon);
  }
}

const ls_optimizer_kind ls_optimizer_adagrad = {
    .schema = {.name = "adagrad",
               .doc = "Adagrad: the gradient by the root of the sum of all its squares.",
               .keys = keys,
               .key_count = sizeof keys / sizeof keys[0],
               .options_bytes = sizeof(adagrad_options)},
    .slots = {{.name = "sum", .is_squares = true}},
    .update = update,
};
