/* SPDX-License-Identifier: BSD-3-Clause */
/* Layer-wise adaptive rate scaling, for batches of thousands: each weight tensor moves by a share of its own
 * norm.
 *
 *   local = trust * |p| / (|grad| + weight_decay * |p|)
 *   buffer = momentum * buffer + lr * local * (grad + weight_decay * p);  p -= buffer
 *
 * Biases and normalization parameters, and tensors of norm 0, take local = 1 and no decay, as is usual: their
 * norms say little. The buffer includes the learning rate: a schedule acts on new gradients alone.
 * Source: You, Gitman, Ginsburg, "Large batch training of convolutional networks", arXiv:1708.03888, 2017,
 * algorithm 1. */
#include "optim/kinds.h"

typedef struct lars_options {
  ls_optimizer_common common;
  double momentum, trust;
} lars_options;

static const ls_key keys[] = {
    LS_OPTIMIZER_LR_KEY("1"),
    LS_OPTIMIZER_MOMENTUM_KEY(lars_options, "0.9"),
    LS_OPTIMIZER_L2_KEY,
    LS_OPTIMIZER_REAL(lars_options, trust, "0.001", .min_open = true, .max = INFINITY,
                      .doc = "How far a tensor may move in a step at lr 1, as a share of its norm."),
};

static double local_rate(const lars_options *lars, const ls_update *update)
{
  const ls_tensor_norms *norms = &update->tensor;
  const double grads = update->grad_scale * norms->direction;
  if (norms->params == 0 || grads == 0) return 1;
  return lars->trust * norms->params / (grads + update->weight_decay * norms->params);
}

static void update(const void *options, const ls_update *update, float *params, const float *grads,
                   float *const *slots, size_t count)
{
  const lars_options *lars = options;
  const float scale = (float)update->grad_scale;
  const float decay = (float)update->weight_decay;
  const float rate = (float)(update->lr * local_rate(lars, update));
  const float momentum = (float)lars->momentum;
  float *restrict buffer = slots[0];
  for (size_t i = 0; i < count; i++) {
    buffer[i] = momentum * buffer[i] + rate * (scale * grads[i] + decay * params[i]);
    params[i] -= buffer[i];
  }
}

const ls_optimizer_kind ls_optimizer_lars = {
    .schema = {.name = "lars",
               .doc = "Layer-wise adaptive rate scaling, for large batches.",
               .keys = keys,
               .key_count = sizeof keys / sizeof keys[0],
               .options_bytes = sizeof(lars_options)},
    .slots = {{.name = "momentum_buffer"}},
    .uses_norms = true,
    .update = update,
};
