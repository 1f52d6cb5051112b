/* SPDX-License-Identifier: BSD-3-Clause */
/* The reduced gradient in pieces. A layer whose kernels use the parameters' layout is cut into pieces of
 * PIECE elements that are read where the reduction left them; any other layer is one piece, and is unpacked.
 */
#include "train/gradient.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/size.h"

enum { PIECE = 8192 };

typedef struct piece {
  const ls_layer *unpacked; /* layer to unpack; NULL: in the parameters' layout already */
  size_t reduced;           /* first element in the reduced gradient */
  size_t param, count;      /* its parameters */
  const float *values;      /* [count], since the last ls_gradient_read() */
  double squares;           /* sum of its squares */
} piece;

struct ls_gradient {
  piece *pieces;
  size_t count;
  float *unpacked; /* [params] */
};

/* Visitor: count a layer's pieces, or fill them in when there is memory for them. Layers with inner ones
 * leave it to those. */
static void add_pieces(const ls_layer *layer, size_t depth, void *user)
{
  (void)depth;
  ls_gradient *self = user;
  if (layer->kind->visit) return;
  const size_t length = layer->kind->unpack ? layer->param_count : PIECE;
  for (size_t first = 0; first < layer->param_count; first += length, self->count++) {
    if (!self->pieces) continue;
    self->pieces[self->count] = (piece){.unpacked = layer->kind->unpack ? layer : NULL,
                                        .reduced = layer->grad_offset + first,
                                        .param = layer->param_offset + first,
                                        .count = ls_size_min(length, layer->param_count - first)};
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

/* Of at most PIECE values: few enough for float32. */
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
  double sum = 0.0;
  for (size_t first = 0; first < count; first += PIECE)
    sum += sum_of_few_squares(values + first, ls_size_min(PIECE, count - first));
  return sum;
}

void ls_gradient_read(ls_gradient *gradient, const float *reduced, size_t part, size_t parts)
{
  for (size_t i = part; i < gradient->count; i += parts) {
    piece *p = &gradient->pieces[i];
    p->values = p->unpacked ? gradient->unpacked + p->param : reduced + p->reduced;
    if (p->unpacked) p->unpacked->kind->unpack(p->unpacked, reduced, gradient->unpacked);
    p->squares = sum_of_squares(p->values, p->count);
  }
}

double ls_gradient_norm(const ls_gradient *gradient)
{
  double sum = 0.0;
  for (size_t i = 0; i < gradient->count; i++) sum += gradient->pieces[i].squares;
  return sqrt(sum);
}

void ls_gradient_apply(const ls_gradient *gradient, const ls_kind_spec *optimizer, const ls_update *update,
                       const ls_optimizer_vectors *vectors, size_t part, size_t parts)
{
  for (size_t i = part; i < gradient->count; i += parts) {
    const piece *p = &gradient->pieces[i];
    ls_optimizer_update(optimizer, update, vectors, p->values, p->param, p->count);
  }
}
