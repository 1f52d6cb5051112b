/* SPDX-License-Identifier: BSD-3-Clause */
/* What all losses share: targets from labels, mixtures and smoothing, and the counts. */
#include "nn/loss.h"

#include <assert.h>

#include "nn/argmax.h"

ls_loss ls_loss_of(const ls_kind_spec *spec)
{
  const ls_loss_kind *const *kind = ls_loss_kinds;
  while (*kind && &(*kind)->schema != spec->schema) kind++;
  assert(*kind && "a parsed configuration names registered kinds only");
  return (ls_loss){.kind = *kind, .options = spec->options};
}

ls_status ls_loss_check(const ls_loss *loss, double smoothing, double mixup)
{
  if (loss->kind->target == LS_TARGET_PROBABILITIES || (smoothing == 0 && mixup == 0)) return LS_OK;
  return ls_fail(LS_E_CONFIG, "%s: the loss %s takes labels as they are; set it to 0, or use another loss",
                 smoothing > 0 ? "train.label_smoothing" : "data.augment.mixup", loss->kind->schema.name);
}

ls_status ls_loss_check_classes(const ls_loss *loss, size_t classes)
{
  return loss->kind->check ? loss->kind->check(loss->options, classes) : LS_OK;
}

ls_status ls_loss_check_weights(const ls_real_list *weights, const char *key, size_t classes)
{
  if (weights->count <= 1 || weights->count == classes) return LS_OK;
  return ls_fail(LS_E_CONFIG,
                 "train.loss.%s: %zu weights, but there are %zu classes; give one for each, or one "
                 "for all",
                 key, weights->count, classes);
}

double ls_loss_weight(const ls_real_list *weights, size_t class)
{
  return weights->count == 0 ? 1.0 : weights->items[weights->count == 1 ? 0 : class];
}

static ls_target target_of(const ls_targets *targets, size_t s)
{
  const ls_loss_mix *mix = targets->mix;
  const double rest = mix ? (1.0 - targets->smoothing) * (1.0 - (double)mix->shares[s]) : 0.0;
  return (ls_target){.label = targets->labels[s],
                     .other = mix ? mix->others[s] : targets->labels[s],
                     .own = 1.0 - targets->smoothing - rest,
                     .rest = rest,
                     .spread = targets->smoothing / (double)targets->classes,
                     .values = targets->values ? targets->values + s * targets->classes : NULL};
}

static bool has_class(const float *logits, const ls_target *target, size_t classes)
{
  return ls_argmax_f32(logits, classes) == target->label;
}

static bool has_labels(const float *logits, const ls_target *target, size_t classes)
{
  size_t same = 0;
  for (size_t k = 0; k < classes; k++) same += (logits[k] > 0.0F) == (target->values[k] > 0.0F);
  return same == classes;
}

static bool has_none(const float *logits, const ls_target *target, size_t classes)
{
  (void)logits;
  (void)target;
  (void)classes;
  return false;
}

ls_loss_sums ls_loss_run(const ls_loss *loss, const float *logits, const ls_targets *targets, double scale,
                         float *gradient)
{
  static bool (*const is_correct[])(const float *, const ls_target *, size_t) = {
      [LS_LABELS_CLASS] = has_class, [LS_LABELS_SEVERAL] = has_labels, [LS_LABELS_VALUES] = has_none};
  const size_t classes = targets->classes;
  ls_loss_sums sums = {.loss = 0.0};
  for (size_t s = 0; s < targets->n; s++, logits += classes) {
    const ls_target target = target_of(targets, s);
    float *to = gradient ? gradient + s * classes : NULL;
    sums.loss += loss->kind->sample(loss->options, logits, classes, &target, scale, to);
    sums.correct += is_correct[loss->kind->labels](logits, &target, classes);
  }
  return sums;
}

void ls_loss_direction(const ls_loss *loss, const float *logits, const ls_targets *targets, double scale,
                       float *gradient)
{
  const size_t classes = targets->classes;
  for (size_t s = 0; s < targets->n; s++, logits += classes, gradient += classes) {
    const size_t label = targets->labels[s];
    const ls_target target = {.label = label, .other = label, .own = 1.0};
    if (loss->kind->direction)
      loss->kind->direction(logits, label, classes, scale, gradient);
    else
      loss->kind->sample(loss->options, logits, classes, &target, scale, gradient);
  }
}
