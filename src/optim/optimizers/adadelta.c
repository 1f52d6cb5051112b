/* SPDX-License-Identifier: BSD-3-Clause */
/* Adadelta, in the form of torch.optim.Adadelta: the gradient in units of the steps that were taken.
 *
 *   g = grad + weight_decay * p;  s = rho * s + (1 - rho) * g * g
 *   delta = sqrt(d + epsilon) / sqrt(s + epsilon) * g;  d = rho * d + (1 - rho) * delta * delta
 *   p -= lr * delta
 *
 * Source: Zeiler, "ADADELTA: an adaptive learning rate method", arXiv:1212.5701, 2012. */
#include "optim/kinds.h"

typedef struct adadelta_options {
  ls_optimizer_common common;
  double rho, epsilon;
} adadelta_options;

static const ls_key keys[] = {
    LS_OPTIMIZER_LR_KEY("1"),
    LS_OPTIMIZER_REAL(adadelta_options, rho, "0.9", .max = 1, .max_open = true,
                      .doc = "Decay of the running means of the squared gradient and of the squared step."),
    LS_OPTIMIZER_REAL(adadelta_options, epsilon, "1e-6", .min_open = true, .max = INFINITY,
                      .doc = "Added to both means; sets the size of the first steps."),
    LS_OPTIMIZER_L2_KEY,
    LS_OPTIMIZER_DECAY_ALL_KEY,
};

static void update(const void *options, const ls_update *update, float *params, const float *grads,
                   float *const *slots, size_t count)
{
  const adadelta_options *adadelta = options;
  const float scale = (float)update->grad_scale, decay = (float)update->weight_decay;
  const float rate = (float)update->lr, epsilon = (float)adadelta->epsilon;
  const float rho = (float)adadelta->rho, rest = (float)(1 - adadelta->rho);
  float *restrict square_avg = slots[0], *restrict acc_delta = slots[1];
  for (size_t i = 0; i < count; i++) {
    const float g = scale * grads[i] + decay * params[i];
    const float s = rho * square_avg[i] + rest * g * g;
    const float delta = sqrtf(acc_delta[i] + epsilon) / sqrtf(s + epsilon) * g;
    square_avg[i] = s;
    acc_delta[i] = rho * acc_delta[i] + rest * delta * delta;
    params[i] -= rate * delta;
  }
}

const ls_optimizer_kind ls_optimizer_adadelta = {
    .schema = {.name = "adadelta",
               .doc = "Adadelta: the gradient in units of the steps that were taken.",
               .keys = keys,
               .key_count = sizeof keys / sizeof keys[0],
               .options_bytes = sizeof(adadelta_options)},
    .slots = {{.name = "square_avg", .is_squares = true}, {.name = "acc_delta", .is_squares = true}},
    .update = update,
};
