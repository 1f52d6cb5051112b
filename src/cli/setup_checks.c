/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks of a configuration against its data and its model, before anything is written. */
#include "cli/setup_checks.h"

#include "base/text.h"
#include "config/metric.h"
#include "data/plan.h"
#include "nn/loss.h"
#include "optim/schedule.h"

/* A batch near to the one asked for with which no micro-batch holds one sample; 0: there is none. */
static size_t better_batch(ls_plan plan)
{
  const size_t asked = plan.batch;
  for (plan.batch = asked - 1; plan.batch > 1; plan.batch--)
    if (ls_plan_smallest(&plan) > 1) return plan.batch;
  for (plan.batch = asked + 1; plan.batch <= plan.count; plan.batch++)
    if (ls_plan_smallest(&plan) > 1) return plan.batch;
  return 0;
}

ls_status ls_setup_check_statistics(const ls_spec_train *train, const ls_model *model, size_t samples)
{
  const ls_layer *layer = ls_model_needs_samples(model);
  const ls_plan plan = {.count = samples,
                        .batch = train->batch,
                        .microbatch = train->microbatch,
                        .evens_out = true,
                        .ranks = 1};
  if (!layer || train->epochs == 0 || ls_plan_smallest(&plan) > 1) return LS_OK;
  const char *normalizes = "would be trained on one value per channel, which has no variance";
  if (train->microbatch < 3)
    return ls_fail(LS_E_CONFIG,
                   "layer '%s' %s: train.microbatch %zu leaves micro-batches of one sample; try: "
                   "train.microbatch=32",
                   layer->name, normalizes, train->microbatch);
  const size_t better = better_batch(plan);
  if (better == 0)
    return ls_fail(LS_E_CONFIG, "layer '%s' %s: there are not enough training samples", layer->name,
                   normalizes);
  return ls_fail(LS_E_CONFIG,
                 "layer '%s' %s: with train.batch %zu, an epoch of %zu samples ends with a batch of one; "
                 "try: train.batch=%zu",
                 layer->name, normalizes, train->batch, plan.count, better);
}

/* Is there a metric, -1 for none, for labels? */
static bool has_metric(int metric, ls_label_form labels)
{
  return metric < 0 || labels != LS_LABELS_VALUES || ls_metric_is_of_values(metric);
}

/* Refuse what is about classes where labels are none. */
static ls_status check_label_keys(const ls_spec *spec, ls_label_form labels)
{
  const struct {
    const char *key;
    bool is_refused;
  } keys[] = {
      {"train.adversarial.method", spec->train.adversarial.method.schema != NULL},
      {"ensemble.members", spec->ensemble.members > 1},
      {"data.per_class", spec->data.per_class > 0},
      {"train.early_stopping.metric", !has_metric(spec->train.early_stopping.metric, labels)},
      {"train.schedule.metric", !has_metric(ls_schedule_metric(&spec->train.schedule), labels)},
  };
  for (size_t i = 0; labels != LS_LABELS_CLASS && i < sizeof keys / sizeof *keys; i++)
    if (keys[i].is_refused)
      return ls_fail(LS_E_CONFIG, "%s: it means nothing for the labels of the loss %s; leave it out",
                     keys[i].key, spec->train.loss.schema->name);
  return LS_OK;
}

ls_status ls_setup_check_labels(const ls_spec *spec, const ls_source *source)
{
  const ls_loss loss = ls_loss_of(&spec->train.loss);
  LS_TRY(ls_source_check_labels(source, loss.kind->labels), "train.loss: %s", loss.kind->schema.name);
  if (loss.kind->labels == LS_LABELS_VALUES) LS_PASS(ls_source_check_scale(source));
  LS_PASS(check_label_keys(spec, loss.kind->labels));
  LS_PASS(ls_loss_check_classes(&loss, ls_source_info(source)->classes));
  return ls_loss_check(&loss, spec->train.label_smoothing, spec->data.augment.mixup);
}
