/* SPDX-License-Identifier: BSD-3-Clause */
/* RMSprop, in the form of torch.optim.RMSprop: the gradient by the root of its mean square, with momentum on
 * the steps.
 *
 *   g = grad + weight_decay * p;          s = alpha * s + (1 - alpha) * g * g
 *   mean = alpha * mean + (1 - alpha) * g (centered; otherwise 0)
 *   buffer = momentum * buffer + g / (sqrt(s - mean * mean) + epsilon);  p -= lr * buffer
 *
 * Where rounding takes s - mean * mean below 0, as with gradients that stay the same, it is 0.
 * Sources: Tieleman, Hinton, "Lecture 6.5: RMSprop", 2012; centered: Graves, "Generating sequences with
 * recurrent neural networks", arXiv:1308.0850, 2013. */
#include "optim/kinds.h"

typedef struct rmsprop_options {
  ls_optimizer_common common;
  double alpha, epsilon, momentum;
  bool centered;
} rmsprop_options;

static const ls_key keys[] = {
    LS_OPTIMIZER_LR_KEY("0.01"),
    LS_OPTIMIZER_REAL(rmsprop_options, alpha, "0.99", .max = 1, .max_open = true,
                      .doc = "Decay of the running mean of the squared gradient."),
    LS_OPTIMIZER_EPSILON_KEY(rmsprop_options, "1e-8"),
    LS_OPTIMIZER_MOMENTUM_KEY(rmsprop_options, "0"),
    {.path = "centered",
     .type = LS_KEY_BOOL,
     .offset = offsetof(rmsprop_options, centered),
     .preset = "false",
     .unit = "",
     .doc = "Divide by the gradient's deviation instead of its root mean square."},
    LS_OPTIMIZER_L2_KEY,
    LS_OPTIMIZER_DECAY_ALL_KEY,
};

enum { SQUARE_AVG, MOMENTUM_BUFFER, GRAD_AVG };

static void update(const void *options, const ls_update *update, float *params, const float *grads,
                   float *const *slots, size_t count)
{
  const rmsprop_options *rmsprop = options;
  const float scale = (float)update->grad_scale, decay = (float)update->weight_decay;
  const float rate = (float)update->lr, epsilon = (float)rmsprop->epsilon;
  const float alpha = (float)rmsprop->alpha, rest = (float)(1 - rmsprop->alpha);
  const float momentum = (float)rmsprop->momentum;
  const float centered = rmsprop->centered ? 1 : 0;
  float *restrict square_avg = slots[SQUARE_AVG], *restrict buffer = slots[MOMENTUM_BUFFER];
  float *restrict grad_avg = slots[GRAD_AVG];
  for (size_t i = 0; i < count; i++) {
    const float g = scale * grads[i] + decay * params[i];
    const float s = alpha * square_avg[i] + rest * g * g;
    const float mean = centered * (alpha * grad_avg[i] + rest * g);
    const float variance = s - mean * mean;
    square_avg[i] = s;
    grad_avg[i] = mean;
    buffer[i] = momentum * buffer[i] + g / (sqrtf(variance < 0 ? 0 : variance) + epsilon);
    params[i] -= rate * buffer[i];
  }
}

const ls_optimizer_kind ls_optimizer_rmsprop = {
    .schema = {.name = "rmsprop",
               .doc = "RMSprop: the gradient by the root of its running mean square.",
               .keys = keys,
               .key_count = sizeof keys / sizeof keys[0],
               .options_bytes = sizeof(rmsprop_options)},
    .slots = {[SQUARE_AVG] = {.name = "square_avg", .is_squares = true},
              [MOMENTUM_BUFFER] = {.name = "momentum_buffer"},
              [GRAD_AVG] = {.name = "grad_avg"}},
    .update = update,
};
