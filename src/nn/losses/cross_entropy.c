/* SPDX-License-Identifier: BSD-3-Clause */
/* Cross-entropy of the softmax, -sum_k t_k log p_k with natural logarithms, as PyTorch's CrossEntropyLoss.
 * Stable by subtracting the largest logit; sums in double. */
#include <math.h>

#include "nn/argmax.h"
#include "nn/kinds.h"
#include "nn/probability.h"

/* log of the sum of exp(z - shift). */
static double log_sum(const float *z, size_t classes, float shift)
{
  double sum = 0.0;
  for (size_t k = 0; k < classes; k++) sum += (double)expf(z[k] - shift);
  return log(sum);
}

static double sum_of(const float *z, size_t classes, float shift)
{
  double sum = 0.0;
  for (size_t k = 0; k < classes; k++) sum += (double)(z[k] - shift);
  return sum;
}

static double sample(const void *options, const float *logits, size_t classes, const ls_target *target,
                     double scale, float *gradient)
{
  (void)options;
  const float shift = logits[ls_argmax_f32(logits, classes)];
  const double log_total = log_sum(logits, classes, shift);
  double loss = log_total - target->own * (double)(logits[target->label] - shift);
  if (target->rest > 0.0) loss -= target->rest * (double)(logits[target->other] - shift);
  if (target->spread > 0.0) loss -= target->spread * sum_of(logits, classes, shift);
  if (!gradient) return loss;
  const float log_total_f = (float)log_total;
  for (size_t k = 0; k < classes; k++)
    gradient[k] = (float)(scale * ((double)expf(logits[k] - shift - log_total_f) - ls_target_at(target, k)));
  return loss;
}

const ls_loss_kind ls_loss_cross_entropy = {
    .schema = {.name = "cross_entropy",
               .doc = "Cross-entropy of the softmax of what the last layer gives: softmax and the negative "
                      "log-likelihood in one."},
    .target = LS_TARGET_PROBABILITIES,
    .is_log_likelihood = true,
    .sample = sample,
    .outputs = ls_softmax,
    .direction = ls_log_direction,
};
