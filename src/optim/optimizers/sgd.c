/* SPDX-License-Identifier: BSD-3-Clause */
/* Stochastic gradient descent with momentum and Nesterov's variant, in the form of torch.optim.SGD:
 *
 *   g = grad + weight_decay * p;  buffer = momentum * buffer + g;  p -= lr * (nesterov ? g + momentum *
 * buffer : buffer)
 *
 * The buffer starts at zero, so the first step sets it to g, as PyTorch does.
 * Sources: Polyak, "Some methods of speeding up the convergence of iteration methods", 1964; Sutskever,
 * Martens, Dahl, Hinton, "On the importance of initialization and momentum in deep learning", ICML 2013. */
#include "optim/kinds.h"

typedef struct sgd_options {
  ls_optimizer_common common;
  double momentum;
  bool nesterov;
} sgd_options;

static const ls_key keys[] = {
    LS_OPTIMIZER_LR_KEY("0.01"),
    LS_OPTIMIZER_MOMENTUM_KEY(sgd_options, "0"),
    {.path = "nesterov",
     .type = LS_KEY_BOOL,
     .offset = offsetof(sgd_options, nesterov),
     .preset = "false",
     .unit = "",
     .doc = "Nesterov's momentum; needs a momentum above 0."},
    LS_OPTIMIZER_L2_KEY,
    LS_OPTIMIZER_DECAY_ALL_KEY,
};

static const char *check(const void *options)
{
  const sgd_options *sgd = options;
  if (!sgd->nesterov || sgd->momentum > 0) return NULL;
  return "nesterov: true needs a momentum above 0, but momentum is 0; try momentum: 0.9";
}

static void update_plain(const ls_update *update, float *restrict params, const float *restrict grads,
                         size_t count)
{
  const float scale = (float)update->grad_scale;
  const float decay = (float)update->weight_decay;
  const float rate = (float)update->lr;
  for (size_t i = 0; i < count; i++) params[i] -= rate * (scale * grads[i] + decay * params[i]);
}

static void update_momentum(const sgd_options *sgd, const ls_update *update, float *restrict params,
                            const float *restrict grads, float *restrict buffer, size_t count)
{
  const float scale = (float)update->grad_scale;
  const float decay = (float)update->weight_decay;
  const float rate = (float)update->lr;
  const float momentum = (float)sgd->momentum;
  const bool nesterov = sgd->nesterov;
  for (size_t i = 0; i < count; i++) {
    const float g = scale * grads[i] + decay * params[i];
    const float b = momentum * buffer[i] + g;
    buffer[i] = b;
    params[i] -= rate * (nesterov ? g + momentum * b : b);
  }
}

static void update(const void *options, const ls_update *update, float *params, const float *grads,
                   float *const *slots, size_t count)
{
  const sgd_options *sgd = options;
  if (sgd->momentum > 0)
    update_momentum(sgd, update, params, grads, slots[0], count);
  else
    update_plain(update, params, grads, count);
}

const ls_optimizer_kind ls_optimizer_sgd = {
    .schema = {.name = "sgd",
               .doc = "Stochastic gradient descent, with momentum and Nesterov's variant.",
               .keys = keys,
               .key_count = sizeof keys / sizeof keys[0],
               .options_bytes = sizeof(sgd_options),
               .check = check},
    .slots = {{.name = "momentum_buffer"}},
    .update = update,
};
