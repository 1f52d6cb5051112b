/* SPDX-License-Identifier: BSD-3-Clause */
/* Softmax as the last layer, as textbooks write it. The loss takes it together with the logarithm, which is
 * exact where the exponentials alone would overflow or vanish, so this layer does nothing: a network's
 * outputs are its logits, with this layer and without. */
#include <string.h>

#include "nn/kinds.h"

static ls_status create(ls_layer *layer, const void *options, ls_build *build)
{
  (void)options;
  layer->out = layer->in;
  if (ls_build_labels(build) != LS_LABELS_CLASS)
    return ls_fail(LS_E_CONFIG,
                   "softmax is for classes, of which an image has one; this loss is for other labels, "
                   "and takes what the layer before it gives: leave it out");
  if (ls_build_is_last(build)) return LS_OK;
  return ls_fail(LS_E_CONFIG,
                 "softmax can only be the last layer, where the loss contains it; as an activation "
                 "between layers there are relu, tanh, sigmoid and others");
}

static void forward(const ls_layer *layer, const ls_pass *pass, const float *x, float *y, float *saved,
                    float *scratch)
{
  (void)saved;
  (void)scratch;
  if (y != x) memcpy(y, x, pass->n * ls_shape_count(layer->in) * sizeof *y);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const float *x, const float *y, float *dy,
                     float *dx, float *saved, float *scratch)
{
  (void)x;
  (void)y;
  (void)saved;
  (void)scratch;
  if (dx && dx != dy) memcpy(dx, dy, pass->n * ls_shape_count(layer->in) * sizeof *dx);
}

const ls_layer_kind ls_layer_softmax = {
    .schema = {.name = "softmax",
               .doc = "Probabilities; only as the last layer, since the loss contains it.",
               .note = "computed in the loss, which contains it; the network gives logits"},
    .role = LS_ROLE_NEUTRAL,
    .in_place = true,
    .create = create,
    .forward = forward,
    .backward = backward,
};
