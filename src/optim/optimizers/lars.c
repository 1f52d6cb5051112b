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
  double lr, momentum, weight_decay, trust;
} lars_options;

static const ls_key keys[] = {
    {.path = "lr",
     .type = LS_KEY_REAL,
     .offset = offsetof(lars_options, lr),
     .preset = "1",
     .min_open = true,
     .max = INFINITY,
     .unit = "",
     .doc = "Global learning rate."},
    {.path = "momentum",
     .type = LS_KEY_REAL,
     .offset = offsetof(lars_options, momentum),
     .preset = "0.9",
     .max = 1,
     .max_open = true,
     .unit = "",
     .doc = "Share of the last update that is kept; 0 for none."},
    {.path = "weight_decay",
     .type = LS_KEY_REAL,
     .offset = offsetof(lars_options, weight_decay),
     .preset = "0",
     .max = INFINITY,
     .unit = "",
     .doc = "L2 penalty: this times the weight is added to the gradient."},
    {.path = "trust",
     .type = LS_KEY_REAL,
     .offset = offsetof(lars_options, trust),
     .preset = "0.001",
     .min_open = true,
     .max = INFINITY,
     .unit = "",
     .doc = "How far a tensor may move in a step at lr 1, as a share of its norm."},
};

static double lr(const void *options)
{
  return ((const lars_options *)options)->lr;
}

static double weight_decay(const void *options)
{
  return ((const lars_options *)options)->weight_decay;
}

static bool decay_all(const void *options)
{
  (void)options;
  return false;
}

static double local_rate(const lars_options *lars, const ls_update *update)
{
  const ls_tensor_norms *norms = &update->tensor;
  if (norms->params == 0 || norms->grads == 0) return 1;
  return lars->trust * norms->params / (norms->grads + update->weight_decay * norms->params);
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
    .lr = lr,
    .weight_decay = weight_decay,
    .decay_all = decay_all,
    .uses_norms = true,
    .update = update,
};
