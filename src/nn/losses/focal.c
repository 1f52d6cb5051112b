/* SPDX-License-Identifier: BSD-3-Clause */
/* Focal loss of the softmax, in which samples that are right already count less:
 *
 *   - sum_k t_k * alpha_k * (1 - p_k)^gamma * log p_k
 *
 * which is cross-entropy with gamma 0 and alpha 1. For a label it is Lin's, by the softmax instead of a
 * sigmoid; for smoothed and mixed targets t it is what Keras has (CategoricalFocalCrossentropy). In double.
 * Source: Lin et al., "Focal loss for dense object detection", ICCV 2017. */
#include <math.h>

#include "nn/argmax.h"
#include "nn/kinds.h"
#include "nn/probability.h"

typedef struct focal_options {
  double gamma;
  ls_real_list alpha;
} focal_options;

static const ls_key keys[] = {
    {.path = "gamma",
     .type = LS_KEY_REAL,
     .offset = offsetof(focal_options, gamma),
     .preset = "2",
     .max = INFINITY,
     .unit = "",
     .doc = "How much less a sample counts the surer it is; 0: cross-entropy."},
    {.path = "alpha",
     .type = LS_KEY_REALS,
     .offset = offsetof(focal_options, alpha),
     .preset = "[]",
     .max = INFINITY,
     .unit = "",
     .doc = "Weights: one for each class, or one for all; []: 1."},
};

static ls_status check(const void *options, size_t classes)
{
  return ls_loss_check_weights(&((const focal_options *)options)->alpha, "alpha", classes);
}

/* f(p) = - alpha (1 - p)^gamma log p of a class, and p f'(p). */
typedef struct focal_term {
  double loss, slope;
} focal_term;

static focal_term term_of(const focal_options *focal, size_t class, double log_p)
{
  const double rest = -expm1(log_p); /* 1 - p */
  const double weight = ls_loss_weight(&focal->alpha, class) * pow(rest, focal->gamma);
  const double ratio = rest > 0 ? log_p / rest : -1.0; /* its limit where p is 1 */
  return (focal_term){.loss = -weight * log_p, .slope = weight * (focal->gamma * exp(log_p) * ratio - 1.0)};
}

/* log p of a class is z - shift - log_sum, which is right for logits that are huge, too. */
typedef struct log_softmax {
  double shift, log_sum;
} log_softmax;

static log_softmax log_softmax_of(const float *z, size_t classes)
{
  const double shift = (double)z[ls_argmax_f32(z, classes)];
  double sum = 0.0;
  for (size_t k = 0; k < classes; k++) sum += exp((double)z[k] - shift);
  return (log_softmax){.shift = shift, .log_sum = log(sum)};
}

static double log_p_of(const log_softmax *softmax, float z)
{
  return (double)z - softmax->shift - softmax->log_sum;
}

/* With h_k = t_k p_k f'(p_k), the derivative by logit j is h_j - p_j * sum_k h_k. */
static double sample(const void *options, const float *logits, size_t classes, const ls_target *target,
                     double scale, float *gradient)
{
  const log_softmax softmax = log_softmax_of(logits, classes);
  double loss = 0.0, slopes = 0.0;
  for (size_t k = 0; k < classes; k++) {
    const double t = ls_target_at(target, k);
    if (t == 0.0) continue;
    const focal_term term = term_of(options, k, log_p_of(&softmax, logits[k]));
    loss += t * term.loss;
    slopes += t * term.slope;
  }
  for (size_t k = 0; gradient && k < classes; k++) {
    const double t = ls_target_at(target, k), log_p = log_p_of(&softmax, logits[k]);
    const double own = t == 0.0 ? 0.0 : t * term_of(options, k, log_p).slope;
    gradient[k] = (float)(scale * (own - exp(log_p) * slopes));
  }
  return loss;
}

const ls_loss_kind ls_loss_focal = {
    .schema =
        {.name = "focal",
         .doc = "Focal loss of the softmax: cross-entropy that counts samples less that are right already.",
         .keys = keys,
         .key_count = sizeof keys / sizeof keys[0],
         .options_bytes = sizeof(focal_options)},
    .target = LS_TARGET_PROBABILITIES,
    .check = check,
    .sample = sample,
    .outputs = ls_softmax,
    .direction = ls_log_direction, /* of a label, the gradient is cross-entropy's but for a factor */
};
