/* SPDX-License-Identifier: BSD-3-Clause */
/* Flatten: an image as a vector of features, in PyTorch's order [c, h, w], so that the weights of the dense
 * layer behind it are PyTorch's too. */
#include <string.h>

#include "nn/kinds.h"

static ls_status create(ls_layer *layer, const void *options, ls_build *build)
{
  (void)options;
  (void)build;
  layer->out = (ls_shape){.c = ls_shape_count(layer->in), .h = 1, .w = 1};
  return LS_OK;
}

/* to[columns, rows] = transpose of from[rows, columns], for each sample. */
static void transpose(const float *from, float *to, size_t n, size_t rows, size_t columns)
{
  if (rows == 1 || columns == 1) {
    memcpy(to, from, n * rows * columns * sizeof *to);
    return;
  }
  for (size_t s = 0; s < n; s++, from += rows * columns, to += rows * columns)
    for (size_t r = 0; r < rows; r++)
      for (size_t c = 0; c < columns; c++) to[c * rows + r] = from[r * columns + c];
}

static void forward(const ls_layer *layer, const ls_pass *pass, const float *x, float *y, float *saved,
                    float *scratch)
{
  (void)saved;
  (void)scratch;
  transpose(x, y, pass->n, layer->in.h * layer->in.w, layer->in.c);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const float *x, const float *y, float *dy,
                     float *dx, float *saved, float *scratch)
{
  (void)x;
  (void)y;
  (void)saved;
  (void)scratch;
  if (dx) transpose(dy, dx, pass->n, layer->in.c, layer->in.h * layer->in.w);
}

static void express(const ls_layer *layer, const ls_expression *to)
{
  (void)layer;
  to->add(to->user, &(ls_operator){.name = "Flatten",
                                   .inputs = {ls_input(LS_FORM_ANY)},
                                   .attributes = {ls_integer("axis", 1)},
                                   .gives = LS_FORM_VECTOR});
}

const ls_layer_kind ls_layer_flatten = {
    .schema = {.name = "flatten", .doc = "Turns an image into a vector of features, channel by channel."},
    .role = LS_ROLE_NEUTRAL,
    .create = create,
    .forward = forward,
    .backward = backward,
    .express = express,
};
