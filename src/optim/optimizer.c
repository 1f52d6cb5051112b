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

void ls_optimizer_update(const ls_kind_spec *spec, const ls_update *update,
                         const ls_optimizer_vectors *vectors, const float *grads, size_t first, size_t count)
{
  const ls_optimizer_kind *kind = ls_optimizer_find(spec);
  const double weight_decay = kind->weight_decay(spec->options);
  const bool decay_all = kind->decay_all(spec->options);
  const size_t slot_count = ls_optimizer_slot_count(kind);
  size_t tensor_count;
  const ls_tensor *tensors = ls_model_params(vectors->model, &tensor_count);
  for (size_t i = 0; i < tensor_count; i++) {
    const ls_tensor *tensor = &tensors[i];
    const size_t begin = ls_size_max(first, tensor->offset);
    const size_t end = ls_size_min(first + count, tensor->offset + tensor->count);
    if (begin >= end) continue;
    float *slots[LS_OPTIMIZER_MAX_SLOTS] = {NULL};
    for (size_t j = 0; j < slot_count; j++) slots[j] = vectors->slots[j] + begin;
    ls_update run = *update;
    run.lr *= tensor->lr_factor;
    run.weight_decay = tensor->decay || decay_all ? weight_decay : 0;
    if (kind->uses_norms && tensor->decay)
      run.tensor = (ls_tensor_norms){update->norms[i].params, update->grad_scale * update->norms[i].grads};
    kind->update(spec->options, &run, vectors->params + begin, grads + (begin - first), slots, end - begin);
  }
}
