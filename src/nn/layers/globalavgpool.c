/* SPDX-License-Identifier: BSD-3-Clause */
/* Global average pooling: each channel's mean over the image (Lin, Chen, Yan: "Network in network", ICLR
 * 2014). */
#include <string.h>

#include "nn/kinds.h"

static ls_status create(ls_layer *layer, const void *options, ls_build *build)
{
  (void)options;
  (void)build;
  layer->out = (ls_shape){.c = layer->in.c, .h = 1, .w = 1};
  return LS_OK;
}

static void forward(const ls_layer *layer, const ls_pass *pass, const float *x, float *y, float *saved,
                    float *scratch)
{
  (void)saved;
  (void)scratch;
  const size_t pixels = layer->in.h * layer->in.w, channels = layer->in.c;
  const float share = 1.0F / (float)pixels;
  memset(y, 0, pass->n * channels * sizeof *y);
  for (size_t s = 0; s < pass->n; s++, y += channels) {
    for (size_t p = 0; p < pixels; p++, x += channels)
      for (size_t c = 0; c < channels; c++) y[c] += x[c];
    for (size_t c = 0; c < channels; c++) y[c] *= share;
  }
}

static void backward(const ls_layer *layer, const ls_pass *pass, const float *x, const float *y, float *dy,
                     float *dx, float *saved, float *scratch)
{
  (void)x;
  (void)y;
  (void)saved;
  (void)scratch;
  if (!dx) return;
  const size_t pixels = layer->in.h * layer->in.w, channels = layer->in.c;
  const float share = 1.0F / (float)pixels;
  for (size_t s = 0; s < pass->n; s++, dy += channels)
    for (size_t p = 0; p < pixels; p++, dx += channels)
      for (size_t c = 0; c < channels; c++) dx[c] = dy[c] * share;
}

static void express(const ls_layer *layer, const ls_expression *to)
{
  (void)layer;
  to->add(to->user, &(ls_operator){.name = "GlobalAveragePool", .inputs = {ls_input(LS_FORM_IMAGE)}});
}

const ls_layer_kind ls_layer_globalavgpool = {
    .schema = {.name = "globalavgpool", .doc = "Mean of each channel over the whole image."},
    .role = LS_ROLE_NEUTRAL,
    .create = create,
    .forward = forward,
    .backward = backward,
    .express = express,
};
