/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds the layer where values stop being finite, from a pass's buffers. */
#include "train/nonfinite.h"

#include <math.h>

static bool all_within(const float *x, size_t count, double limit)
{
  for (size_t i = 0; i < count; i++)
    if (!(fabs((double)x[i]) < limit)) return false;
  return true;
}

static double largest_of(const float *x, size_t count)
{
  double largest = 0.0;
  for (size_t i = 0; i < count; i++) largest = fmax(largest, fabs((double)x[i]));
  return largest;
}

/* Images are about 1 large. */
static void watch_growth(ls_nonfinite *self, const ls_layer *layer, double largest)
{
  const double before = self->largest > 0.0 ? self->largest : 1.0;
  if (!self->growth.layer || largest / before > self->growth.factor) {
    self->growth.layer = layer;
    self->growth.factor = largest / before;
    self->growth.largest = largest;
  }
  self->largest = largest;
}

/* Statistics first: they are of the layer's input, and where they overflow the output may be finite. */
void ls_nonfinite_observe(void *nonfinite, const ls_layer *layer, const float *y)
{
  ls_nonfinite *self = nonfinite;
  if (self->layer) return;
  self->is_statistic = layer->buffer_count > 0 && !all_within(self->pass->stats + layer->buffer_offset,
                                                              layer->buffer_count, self->limits.stat);
  const size_t count = self->pass->n * ls_shape_count(layer->out);
  if (self->is_statistic || !all_within(y, count, INFINITY)) self->layer = layer;
  watch_growth(self, layer, largest_of(y, count));
}

/* Visitor: the last layer in forward order is the first of the backward pass. */
static void look_at_gradient(const ls_layer *layer, size_t depth, void *user)
{
  (void)depth;
  ls_nonfinite *self = user;
  if (!all_within(self->grads + layer->grad_offset, layer->grad_count, self->limits.grad))
    self->layer = layer;
}

ls_status ls_nonfinite_check(ls_nonfinite *nonfinite, double loss)
{
  const ls_sums_limits *limits = &nonfinite->limits;
  if (nonfinite->is_statistic)
    return ls_fail(LS_E_NONFINITE, "a batch statistic of layer %s is not finite or beyond +-%.4g",
                   nonfinite->layer->name, limits->stat / (double)nonfinite->pass->n);
  if (nonfinite->layer)
    return ls_fail(LS_E_NONFINITE, "the output of layer %s is not finite", nonfinite->layer->name);
  if (!(fabs(loss) < limits->loss))
    return ls_fail(
        LS_E_NONFINITE,
        "the loss of a micro-batch, %.4g, is not finite or beyond %.4g; the outputs grow most in layer "
        "%s, to %.4g",
        loss, limits->loss, nonfinite->growth.layer->name, nonfinite->growth.largest);
  ls_model_visit(nonfinite->model, look_at_gradient, nonfinite);
  if (nonfinite->layer)
    return ls_fail(LS_E_NONFINITE, "the gradient of layer %s is not finite or beyond +-%.4g",
                   nonfinite->layer->name, limits->grad);
  return LS_OK;
}
