/* SPDX-License-Identifier: BSD-3-Clause */
/* Binary cross-entropy, for several labels of a sample, of which each may hold by itself:
 *
 *   - mean over k of pos_weight_k * t_k * log p_k + (1 - t_k) * log(1 - p_k),  p = sigmoid(logit)
 *
 * as PyTorch's BCEWithLogitsLoss. In double, with softplus(z) = max(z, 0) + log(1 + exp(-|z|)). */
#include <math.h>

#include "nn/kinds.h"

typedef struct bce_options {
  ls_real_list pos_weight;
} bce_options;

static const ls_key keys[] = {
    {.path = "pos_weight",
     .type = LS_KEY_REALS,
     .offset = offsetof(bce_options, pos_weight),
     .preset = "[]",
     .max = INFINITY,
     .unit = "",
     .doc = "How much a label that holds counts: a weight for each, or one for all; []: 1."},
};

static ls_status check(const void *options, size_t classes)
{
  return ls_loss_check_weights(&((const bce_options *)options)->pos_weight, "pos_weight", classes);
}

static double softplus(double z)
{
  return (z > 0.0 ? z : 0.0) + log1p(exp(-fabs(z)));
}

static double sigmoid(double z)
{
  const double small = exp(-fabs(z));
  return (z < 0.0 ? small : 1.0) / (1.0 + small);
}

/* With w = pos_weight * t, the loss of a label is w softplus(-z) + (1 - t) softplus(z). */
static double sample(const void *options, const float *logits, size_t classes, const ls_target *target,
                     double scale, float *gradient)
{
  const bce_options *bce = options;
  double loss = 0.0;
  for (size_t k = 0; k < classes; k++) {
    const double z = (double)logits[k], t = (double)target->values[k];
    const double weight = ls_loss_weight(&bce->pos_weight, k) * t;
    if (weight > 0.0) loss += weight * softplus(-z);
    if (t < 1.0) loss += (1.0 - t) * softplus(z);
    if (gradient)
      gradient[k] = (float)(scale * ((1.0 - t) * sigmoid(z) - weight * sigmoid(-z)) / (double)classes);
  }
  return loss / (double)classes;
}

static void outputs(const float *logits, size_t n, size_t classes, float *out)
{
  for (size_t i = 0; i < n * classes; i++) out[i] = (float)sigmoid((double)logits[i]);
}

const ls_loss_kind ls_loss_bce = {
    .schema = {.name = "bce",
               .doc =
                   "Binary cross-entropy of each output's sigmoid, which it contains: for images that have "
                   "several labels, or none.",
               .keys = keys,
               .key_count = sizeof keys / sizeof keys[0],
               .options_bytes = sizeof(bce_options)},
    .labels = LS_LABELS_SEVERAL,
    .target = LS_TARGET_LABEL,
    .check = check,
    .sample = sample,
    .outputs = outputs,
};
