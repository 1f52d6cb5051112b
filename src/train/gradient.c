/* SPDX-License-Identifier: BSD-3-Clause */
/* The reduced gradient in the pieces in which layers pack their parameters: a piece is still in cache when it
 * is packed. Where a layer's kernels use the parameters' layout it is read where the reduction left it; any
 * other layer is one piece, and is unpacked. */
#include "train/gradient.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/size.h"

typedef struct piece {
  const ls_layer *layer;
  size_t index;        /* among the layer's */
  size_t first, count; /* its parameters, of the layer's */
  double squares;      /* their sum, since it was measured last */
} piece;

struct ls_gradient {
  piece *pieces;
  size_t count;
  float *unpacked; /* [params] scratch */
};

/* Visitor: count a layer's pieces, or fill them in when there is memory for them. Layers with inner ones
 * leave it to those. */
static void add_pieces(const ls_layer *layer, size_t depth, void *user)
{
  (void)depth;
  ls_gradient *self = user;
  if (layer->kind->visit) return;
  const size_t length = layer->piece_params == 0 ? layer->param_count : layer->piece_params;
  for (size_t i = 0; i < ls_layer_pieces(layer); i++, self->count++) {
    if (!self->pieces) continue;
    self->pieces[self->count] = (piece){.layer = layer,
                                        .index = i,
                                        .first = i * length,
                                        .count = ls_size_min(length, layer->param_count - i * length)};
  }
}

static ls_status fill(ls_gradient *self, const ls_model *model)
{
  ls_model_visit(model, add_pieces, self);
  LS_PASS(ls_alloc(&self->pieces, self->count, sizeof *self->pieces, "the gradient's pieces"));
  self->count = 0;
  ls_model_visit(model, add_pieces, self);
  return ls_alloc(&self->unpacked, ls_model_count(model)->params, sizeof(float), "the gradient");
}

ls_status ls_gradient_new(ls_gradient **out, const ls_model *model)
{
  ls_gradient *self;
  LS_PASS(ls_alloc(&self, 1, sizeof *self, "the gradient"));
  const ls_status status = fill(self, model);
  if (status != LS_OK) {
    ls_gradient_free(self);
    return status;
  }
  *out = self;
  return LS_OK;
}

void ls_gradient_free(ls_gradient *gradient)
{
  if (!gradient) return;
  free(gradient->pieces);
  free(gradient->unpacked);
  free(gradient);
}

/* In blocks of few enough values for float32. */
static double sum_of_few_squares(const float *values, size_t count)
{
  enum { LANES = 16 }; /* independent sums, so that the loop vectorizes without reordering */
  float lanes[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= count; i += LANES)
    for (size_t lane = 0; lane < LANES; lane++) lanes[lane] += values[i + lane] * values[i + lane];
  double sum = 0.0;
  for (size_t lane = 0; lane < LANES; lane++) sum += (double)lanes[lane];
  for (; i < count; i++) sum += (double)values[i] * (double)values[i];
  return sum;
}

static double sum_of_squares(const float *values, size_t count)
{
  enum { BLOCK = 8192 };
  double sum = 0.0;
  for (size_t first = 0; first < count; first += BLOCK)
    sum += sum_of_few_squares(values + first, ls_size_min(BLOCK, count - first));
  return sum;
}

/* A piece in the parameters' layout. */
static const float *read_piece(const ls_gradient *gradient, const piece *p, const float *reduced)
{
  if (!p->layer->kind->unpack) return reduced + p->layer->grad_offset + p->first;
  p->layer->kind->unpack(p->layer, reduced, gradient->unpacked);
  return gradient->unpacked + p->layer->param_offset + p->first;
}

void ls_gradient_measure(ls_gradient *gradient, const float *reduced, size_t part, size_t parts)
{
  for (size_t i = part; i < gradient->count; i += parts) {
    piece *p = &gradient->pieces[i];
    p->squares = sum_of_squares(read_piece(gradient, p, reduced), p->count);
  }
}

double ls_gradient_norm(const ls_gradient *gradient)
{
  double sum = 0.0;
  for (size_t i = 0; i < gradient->count; i++) sum += gradient->pieces[i].squares;
  return sqrt(sum);
}

void ls_gradient_apply(const ls_gradient *gradient, const float *reduced, const ls_kind_spec *optimizer,
                       const ls_update *update, const ls_optimizer_vectors *vectors, float *packed,
                       size_t part, size_t parts)
{
  for (size_t i = part; i < gradient->count; i += parts) {
    const piece *p = &gradient->pieces[i];
    const ls_layer *layer = p->layer;
    ls_optimizer_update(optimizer, update, vectors, read_piece(gradient, p, reduced),
                        layer->param_offset + p->first, p->count);
    if (layer->kind->pack) layer->kind->pack(layer, vectors->params, packed, p->index);
  }
}
