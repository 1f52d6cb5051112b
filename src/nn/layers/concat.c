/* SPDX-License-Identifier: BSD-3-Clause */
/* Channels of layers' outputs, one after the other: torch.cat of dimension 1 (Szegedy et al., "Going deeper
 * with convolutions", CVPR 2015; Huang et al., "Densely connected convolutional networks", CVPR 2017).
 *
 * Channels lie innermost, so that a pixel of the output is a pixel of each input in turn. */
#include <string.h>

#include "base/size.h"
#include "nn/kinds.h"
#include "nn/layers/merge.h"

static ls_status create(ls_layer *layer, const void *options, ls_build *build)
{
  (void)options, (void)build;
  layer->out = layer->in;
  for (size_t k = 1; k < layer->input_count; k++) {
    const ls_shape shape = layer->inputs[k].shape;
    if (shape.h != layer->in.h || shape.w != layer->in.w)
      return ls_merge_refuse(layer, k, "the inputs of concat need the same rows and columns");
    if (!ls_size_add(layer->out.c, shape.c, &layer->out.c))
      return ls_fail(LS_E_CONFIG, "it has more channels than this machine can address");
  }
  return LS_OK;
}

static void merge(const ls_layer *layer, const ls_pass *pass, const float *const *xs, float *y)
{
  const size_t pixels = pass->n * layer->out.h * layer->out.w;
  for (size_t k = 0, before = 0; k < layer->input_count; k++) {
    const size_t channels = layer->inputs[k].shape.c;
    for (size_t p = 0; p < pixels; p++)
      memcpy(y + p * layer->out.c + before, xs[k] + p * channels, channels * sizeof *y);
    before += channels;
  }
}

static void split(const ls_layer *layer, const ls_pass *pass, const float *const *xs, const float *dy,
                  float *const *dxs)
{
  (void)xs;
  const size_t pixels = pass->n * layer->out.h * layer->out.w;
  for (size_t k = 0, before = 0; k < layer->input_count; k++) {
    const size_t channels = layer->inputs[k].shape.c;
    for (size_t p = 0; dxs[k] && p < pixels; p++)
      memcpy(dxs[k] + p * channels, dy + p * layer->out.c + before, channels * sizeof *dy);
    before += channels;
  }
}

static void express(const ls_layer *layer, const ls_expression *to)
{
  (void)layer;
  to->add(
      to->user,
      &(ls_operator){.name = "Concat", .inputs = {ls_all_inputs()}, .attributes = {ls_integer("axis", 1)}});
}

const ls_layer_kind ls_layer_concat = {
    .schema = {.name = "concat", .doc = "The channels of its inputs, one after the other."},
    .role = LS_ROLE_NEUTRAL,
    .create = create,
    .merge = merge,
    .split = split,
    .express = express,
};
