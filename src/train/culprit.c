/* SPDX-License-Identifier: BSD-3-Clause */
/* The layer where a step goes wrong, from what a pass left behind. */
#include "train/culprit.h"

#include <math.h>

#include "train/sums.h"

static bool all_within(const float *x, size_t count, float limit)
{
  for (size_t i = 0; i < count; i++)
    if (!(fabsf(x[i]) < limit)) return false;
  return true;
}

void ls_culprit_observe(void *culprit, const ls_layer *layer, const float *y)
{
  ls_culprit *self = culprit;
  if (!self->layer && !all_within(y, self->n * ls_shape_count(layer->out), INFINITY)) self->layer = layer;
}

/* Visitor: the last layer in forward order is the first on the way back. */
static void look_at_gradient(const ls_layer *layer, size_t depth, void *user)
{
  (void)depth;
  ls_culprit *self = user;
  if (!layer->kind->visit &&
      !all_within(self->grads + layer->grad_offset, layer->grad_count, LS_SUMS_GRAD_LIMIT))
    self->layer = layer;
}

ls_status ls_culprit_tell(ls_culprit *culprit, double loss, const float *grads)
{
  if (culprit->layer)
    return ls_fail(LS_E_NONFINITE, "the output of layer %s is not finite", culprit->layer->name);
  if (!isfinite(loss)) return ls_fail(LS_E_NONFINITE, "the loss is not finite");
  culprit->grads = grads;
  ls_model_visit(culprit->model, look_at_gradient, culprit);
  if (culprit->layer)
    return ls_fail(LS_E_NONFINITE, "the gradient of layer %s is not finite or beyond +-%g",
                   culprit->layer->name, (double)LS_SUMS_GRAD_LIMIT);
  return LS_OK;
}
