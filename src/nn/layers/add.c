/* SPDX-License-Identifier: BSD-3-Clause */
/* Sum of layers' outputs, element by element: y = x0 + x1 + ... */
#include "nn/kinds.h"
#include "nn/layers/merge.h"

static ls_status create(ls_layer *layer, const void *options, ls_build *build)
{
  (void)options, (void)build;
  for (size_t k = 1; k < layer->input_count; k++)
    if (!ls_shape_equal(layer->inputs[k].shape, layer->in))
      return ls_merge_refuse(layer, k, "the inputs of add need one shape");
  layer->out = layer->in;
  return LS_OK;
}

const ls_layer_kind ls_layer_add = {
    .schema = {.name = "add", .doc = "Sum of its inputs, which have one shape."},
    .role = LS_ROLE_NEUTRAL,
    .in_place = true,
    .create = create,
    .merge = ls_sum_merge,
    .split = ls_sum_split,
    .express = ls_sum_express,
};
