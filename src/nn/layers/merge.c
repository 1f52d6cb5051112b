/* SPDX-License-Identifier: BSD-3-Clause */
/* Sums of several inputs, and the refusal of those that do not fit each other. */
#include "nn/layers/merge.h"

#include <string.h>

#include "base/size.h"

ls_status ls_merge_refuse(const ls_layer *layer, size_t input, const char *need)
{
  const ls_layer_input *a = &layer->inputs[0], *b = &layer->inputs[input];
  return ls_fail(LS_E_CONFIG, "'%s' gives %zux%zux%zu (channels, rows, columns), but '%s' %zux%zux%zu: %s",
                 a->name, a->shape.c, a->shape.h, a->shape.w, b->name, b->shape.c, b->shape.h, b->shape.w,
                 need);
}

enum { BLOCK = 256 }; /* floats that are summed before they are written: y may be one of the inputs */

void ls_sum_merge(const ls_layer *layer, const ls_pass *pass, const float *const *xs, float *y)
{
  const size_t count = pass->n * ls_shape_count(layer->out);
  for (size_t first = 0; first < count; first += BLOCK) {
    float sum[BLOCK];
    const size_t size = ls_size_min(BLOCK, count - first);
    memcpy(sum, xs[0] + first, size * sizeof *sum);
    for (size_t k = 1; k < layer->input_count; k++)
      for (size_t i = 0; i < size; i++) sum[i] += xs[k][first + i];
    memcpy(y + first, sum, size * sizeof *sum);
  }
}

void ls_sum_split(const ls_layer *layer, const ls_pass *pass, const float *const *xs, const float *dy,
                  float *const *dxs)
{
  (void)xs;
  const size_t bytes = pass->n * ls_shape_count(layer->out) * sizeof *dy;
  for (size_t k = 0; k < layer->input_count; k++)
    if (dxs[k] && dxs[k] != dy) memcpy(dxs[k], dy, bytes);
}

void ls_sum_express(const ls_layer *layer, const ls_expression *to)
{
  to->add(to->user,
          &(ls_operator){.name = layer->input_count == 2 ? "Add" : "Sum", .inputs = {ls_all_inputs()}});
}
