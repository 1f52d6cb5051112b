/* SPDX-License-Identifier: BSD-3-Clause */
/* NAdam, in the form of torch.optim.NAdam: Adam with Nesterov's momentum, whose share grows with the steps.
 *
 *   g = grad + weight_decay * p, or, decoupled, p *= 1 - lr * weight_decay
 *   m = beta1 * m + (1 - beta1) * g;     v = beta2 * v + (1 - beta2) * g * g
 *   mu(t) = beta1 * (1 - 0.96^(t * momentum_decay) / 2);  P = mu(1) * ... * mu(t)
 *   p -= lr * ((1 - mu(t)) / (1 - P) * g + mu(t + 1) / (1 - P * mu(t + 1)) * m)
 *        / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
 *
 * P is worked out from t, so that it need not be kept.
 * Source: Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop 2016. */
#include <float.h>

#include "optim/optimizers/moments.h"

typedef struct nadam_options {
  ls_moments_options moments;
  double momentum_decay;
  bool decoupled_weight_decay;
} nadam_options;

static const ls_key keys[] = {
    LS_MOMENTS_KEYS("0.002", "1e-8"),
    LS_OPTIMIZER_REAL(nadam_options, momentum_decay, "0.004", .max = INFINITY,
                      .doc = "How fast the momentum grows from half of beta1 to beta1."),
    LS_OPTIMIZER_L2_KEY,
    {.path = "decoupled_weight_decay",
     .type = LS_KEY_BOOL,
     .offset = offsetof(nadam_options, decoupled_weight_decay),
     .preset = "false",
     .unit = "",
     .doc = "Shrink the weights by the decay times the learning rate instead, as adamw does."},
    LS_OPTIMIZER_DECAY_ALL_KEY,
};

static double mu(const nadam_options *nadam, double t)
{
  return nadam->moments.beta1 * (1 - 0.5 * pow(0.96, t * nadam->momentum_decay));
}

/* P of the head of the file. With q = 0.96^momentum_decay, the logarithm of the product of the 1 - q^i / 2
 * for i from 1 to t is, each logarithm being a power series and each sum over i a geometric one,
 *
 *   - sum over k >= 1 of (q^k + q^(2k) + ... + q^(tk)) / (k 2^k). */
static double product_of_mu(const nadam_options *nadam, double t)
{
  enum { TERMS = 60 }; /* the rest is below the double's resolution */
  const double power = pow(nadam->moments.beta1, t), log_q = nadam->momentum_decay * log(0.96);
  if (power < DBL_EPSILON / 4) return power; /* 1 - P is 1 */
  double sum = 0, weight = 1;
  for (int k = 1; k <= TERMS; k++) {
    weight /= 2;
    const double powers = log_q < 0 ? exp(k * log_q) * expm1(k * t * log_q) / expm1(k * log_q) : t;
    sum += weight * powers / k;
  }
  return power * exp(-sum);
}

/* The factors of a step. */
typedef struct nadam_factors {
  ls_moments moments;
  float grad_rate, mean_rate; /* of g and of m */
} nadam_factors;

static nadam_factors factors_of(const nadam_options *nadam, const ls_update *update)
{
  const double t = (double)update->step;
  const double now = mu(nadam, t), next = mu(nadam, t + 1), product = product_of_mu(nadam, t);
  return (nadam_factors){
      .moments = ls_moments_decayed(&nadam->moments, update, nadam->decoupled_weight_decay),
      .grad_rate = (float)(update->lr * (1 - now) / (1 - product)),
      .mean_rate = (float)(update->lr * next / (1 - product * next)),
  };
}

static void update(const void *options, const ls_update *update, float *params, const float *grads,
                   float *const *slots, size_t count)
{
  const nadam_factors f = factors_of(options, update);
  float *restrict exp_avg = slots[0], *restrict exp_avg_sq = slots[1];
  for (size_t i = 0; i < count; i++) {
    const ls_moments_weight weight =
        ls_moments_advance(&f.moments, params[i], grads[i], &exp_avg[i], &exp_avg_sq[i]);
    params[i] = weight.p - (f.grad_rate * weight.g + f.mean_rate * exp_avg[i]) / weight.divisor;
  }
}

const ls_optimizer_kind ls_optimizer_nadam = {
    .schema = {.name = "nadam",
               .doc = "NAdam: Adam with Nesterov's momentum.",
               .keys = keys,
               .key_count = sizeof keys / sizeof keys[0],
               .options_bytes = sizeof(nadam_options)},
    .slots = {LS_MOMENTS_SLOTS},
    .update = update,
};
