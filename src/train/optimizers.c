/* SPDX-License-Identifier: BSD-3-Clause */
/* Registry of the optimizers, and the walk over a model's parameters.
 *
 * A work item is a range of elements, cut at cache lines and regardless of tensors, so that threads get equal
 * shares of any model and never write to the same line. Within it each tensor is one run: weight decay
 * differs only between tensors. Updates work element by element, so where the cuts fall does not change a
 * bit. */
#include "train/optimizer.h"

#include <assert.h>

#include "base/memory.h"
#include "base/size.h"
#include "train/kinds.h"

#define LIST_KIND(name) &ls_optimizer_##name,
#define LIST_SCHEMA(name) &ls_optimizer_##name.schema,

const ls_optimizer_kind *const ls_optimizer_kinds[] = {LS_OPTIMIZER_LIST(LIST_KIND) NULL};
const ls_schema *const ls_optimizer_schemas[] = {LS_OPTIMIZER_LIST(LIST_SCHEMA) NULL};

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
  while (count < LS_OPTIMIZER_MAX_SLOTS && kind->slots[count]) count++;
  return count;
}

/* First element of a part: parts are dealt in whole cache lines. */
static size_t part_first(size_t count, size_t parts, size_t part)
{
  const size_t line = LS_ALIGNMENT / sizeof(float);
  return ls_size_min(count, ls_part_first(ls_size_ceil_div(count, line), parts, part) * line);
}

void ls_optimizer_update(const ls_kind_spec *spec, const ls_model *model, ls_update update, float *params,
                         const float *grads, float *const *slots, size_t part, size_t parts)
{
  const ls_optimizer_kind *kind = ls_optimizer_find(spec);
  const double weight_decay = kind->weight_decay(spec->options);
  const bool decay_all = kind->decay_all(spec->options);
  const size_t slot_count = ls_optimizer_slot_count(kind);
  const size_t count = ls_model_count(model)->params;
  const size_t first = part_first(count, parts, part);
  const size_t last = part_first(count, parts, part + 1);

  size_t tensor_count;
  const ls_tensor *tensors = ls_model_params(model, &tensor_count);
  for (size_t i = 0; i < tensor_count; i++) {
    const ls_tensor *tensor = &tensors[i];
    const size_t begin = ls_size_max(first, tensor->offset);
    const size_t end = ls_size_min(last, tensor->offset + tensor->count);
    if (begin >= end) continue;
    float *run_slots[LS_OPTIMIZER_MAX_SLOTS] = {NULL};
    for (size_t j = 0; j < slot_count; j++) run_slots[j] = slots[j] + begin;
    update.weight_decay = tensor->decay || decay_all ? weight_decay : 0;
    kind->update(spec->options, &update, params + begin, grads + begin, run_slots, end - begin);
  }
}
