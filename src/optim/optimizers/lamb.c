/* SPDX-License-Identifier: BSD-3-Clause */
/* LAMB, for batches of thousands: Adam's direction, by which each weight tensor moves as far as its own norm
 * says.
 *
 *   m = beta1 * m + (1 - beta1) * grad;     v = beta2 * v + (1 - beta2) * grad * grad
 *   d = m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon) + weight_decay * p
 *   p -= lr * |p| / |d| * d
 *
 * Biases and normalization parameters, and tensors of norm 0, take |p| / |d| = 1 and no decay, as with lars.
 * The norm of d is needed before the first weight moves: `direction` works it out from the old state.
 * Source: You et al., "Large batch optimization for deep learning: training BERT in 76 minutes", ICLR 2020,
 * algorithm 2, its phi being the norm itself. */
#include "optim/optimizers/moments.h"

static const ls_key keys[] = {
    LS_MOMENTS_KEYS("0.001", "1e-6"),
    LS_OPTIMIZER_REAL(ls_optimizer_common, weight_decay, "0.01", .max = INFINITY,
                      .doc = "This times the weight is added to Adam's direction."),
};

/* The factors of a step. */
typedef struct lamb_factors {
  ls_moments moments;
  float decay;
  float mean; /* 1 / (1 - beta1^t) */
} lamb_factors;

static lamb_factors factors_of(const ls_moments_options *lamb, const ls_update *update)
{
  return (lamb_factors){
      .moments = ls_moments_of(lamb, update),
      .decay = (float)update->weight_decay,
      .mean = (float)(1 / (1 - pow(lamb->beta1, (double)update->step))),
  };
}

/* One weight's d, by its old m and v, which become the new ones. */
static inline float direction_of(const lamb_factors *f, float param, float grad, float *m, float *v)
{
  const ls_moments_weight weight = ls_moments_advance(&f->moments, param, grad, m, v);
  return f->mean * *m / weight.divisor + f->decay * param;
}

static void direction(const void *options, const ls_update *update, const float *params, float *const *slots,
                      float *restrict values, size_t count)
{
  const lamb_factors f = factors_of(options, update);
  for (size_t i = 0; i < count; i++) {
    float m = slots[0][i], v = slots[1][i];
    values[i] = direction_of(&f, params[i], values[i], &m, &v);
  }
}

static void update(const void *options, const ls_update *update, float *params, const float *grads,
                   float *const *slots, size_t count)
{
  const lamb_factors f = factors_of(options, update);
  const ls_tensor_norms *norms = &update->tensor;
  const double ratio = norms->params == 0 || norms->direction == 0 ? 1 : norms->params / norms->direction;
  const float rate = (float)(update->lr * ratio);
  float *restrict exp_avg = slots[0], *restrict exp_avg_sq = slots[1];
  for (size_t i = 0; i < count; i++) {
    float m = exp_avg[i], v = exp_avg_sq[i];
    params[i] -= rate * direction_of(&f, params[i], grads[i], &m, &v);
    exp_avg[i] = m;
    exp_avg_sq[i] = v;
  }
}

const ls_optimizer_kind ls_optimizer_lamb = {
    .schema = {.name = "lamb",
               .doc = "LAMB: Adam with a rate for each weight tensor, for large batches.",
               .keys = keys,
               .key_count = sizeof keys / sizeof keys[0],
               .options_bytes = sizeof(ls_moments_options)},
    .slots = {LS_MOMENTS_SLOTS},
    .uses_norms = true,
    .direction = direction,
    .update = update,
};
