/* SPDX-License-Identifier: BSD-3-Clause */
/* The walk of the optimizers over a model's parameters. Within a range each tensor is one run:
 * weight decay and the factor on the learning rate differ only between tensors. Updates work element by
 * element, so where a range ends does not change a bit. */
#include "optim/optimizer.h"

#include <assert.h>

#include "base/size.h"

const ls_optimizer_kind *ls_optimizer_find(const ls_kind_spec *spec)
{
  const ls_optimizer_kind *const *kind = ls_optimizer_kinds;
  while (*kind && &(*kind)->schema != spec->schema) kind++;
  assert(*kind && "a parsed configuration names registered kinds only");
  return *kind;
}

size_t ls_optimizer_slot_count(const ls_optimizer_kind *kind)
{
  size_t count = 0;
  while (count < LS_OPTIMIZER_MAX_SLOTS && kind->slots[count].name) count++;
  return count;
}

double ls_optimizer_lr(const ls_kind_spec *spec)
{
  const ls_optimizer_common *common = spec->options;
  return common->lr;
}

/* The update of some of a tensor's elements, from `first` on: its own rate and decay, and their state. */
static ls_update begin_run(const ls_optimizer *optimizer, const ls_update *update, const ls_tensor *tensor,
                           size_t first, float *slots[LS_OPTIMIZER_MAX_SLOTS])
{
  const ls_optimizer_common *common = optimizer->spec->options;
  const size_t slot_count = ls_optimizer_slot_count(ls_optimizer_find(optimizer->spec));
  for (size_t j = 0; j < slot_count; j++) slots[j] = optimizer->slots[j] + first;
  ls_update run = *update;
  run.lr *= tensor->lr_factor;
  run.weight_decay = tensor->decay || common->decay_bias_and_norm ? common->weight_decay : 0;
  return run;
}

void ls_optimizer_direction(const ls_optimizer *optimizer, const ls_update *update, size_t tensor,
                            size_t first, float *values, size_t count)
{
  const ls_optimizer_kind *kind = ls_optimizer_find(optimizer->spec);
  if (!kind->direction) return;
  size_t tensor_count;
  const ls_tensor *tensors = ls_model_params(optimizer->model, &tensor_count);
  float *slots[LS_OPTIMIZER_MAX_SLOTS] = {NULL};
  const ls_update run = begin_run(optimizer, update, &tensors[tensor], first, slots);
  kind->direction(optimizer->spec->options, &run, optimizer->params + first, slots, values, count);
}

void ls_optimizer_update(const ls_optimizer *optimizer, const ls_update *update, const float *grads,
                         size_t first, size_t count)
{
  const ls_optimizer_kind *kind = ls_optimizer_find(optimizer->spec);
  size_t tensor_count;
  const ls_tensor *tensors = ls_model_params(optimizer->model, &tensor_count);
  for (size_t i = 0; i < tensor_count; i++) {
    const ls_tensor *tensor = &tensors[i];
    const size_t begin = ls_size_max(first, tensor->offset);
    const size_t end = ls_size_min(first + count, tensor->offset + tensor->count);
    if (begin >= end) continue;
    float *slots[LS_OPTIMIZER_MAX_SLOTS] = {NULL};
    ls_update run = begin_run(optimizer, update, tensor, begin, slots);
    if (kind->uses_norms && tensor->decay) run.tensor = update->norms[i];
    kind->update(optimizer->spec->options, &run, optimizer->params + begin, grads + (begin - first), slots,
                 end - begin);
  }
}
