/* SPDX-License-Identifier: BSD-3-Clause */
/* Mean squared error, for regression: the mean over a sample's values of (output - value)^2, as PyTorch's
 * MSELoss. In double. */
#include <string.h>

#include "nn/kinds.h"

static double sample(const void *options, const float *logits, size_t classes, const ls_target *target,
                     double scale, float *gradient)
{
  (void)options;
  double loss = 0.0;
  for (size_t k = 0; k < classes; k++) {
    const double off = (double)logits[k] - (double)target->values[k];
    loss += off * off;
    if (gradient) gradient[k] = (float)(scale * 2.0 * off / (double)classes);
  }
  return loss / (double)classes;
}

static void outputs(const float *logits, size_t n, size_t classes, float *out)
{
  memmove(out, logits, n * classes * sizeof *out);
}

const ls_loss_kind ls_loss_mse = {
    .schema = {.name = "mse", .doc = "Mean squared error, for labels that are numbers: regression."},
    .labels = LS_LABELS_VALUES,
    .target = LS_TARGET_LABEL,
    .sample = sample,
    .outputs = outputs,
};
