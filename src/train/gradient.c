/* SPDX-License-Identifier: BSD-3-Clause */
/* The reduced gradient in the pieces in which layers pack their parameters: a piece is still in cache when it
 * is packed. Where a layer's kernels use the parameters' layout it is read where the reduction left it;
 * pieces of others are unpacked. Each thread has a range of pieces, the same in every step.
 *
 * Norms are sums over runs of parameters: a piece, or all of a layer that is unpacked. */
#include "train/gradient.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"

typedef struct piece {
  const ls_layer *layer;
  size_t index;        /* among the layer's */
  size_t first, count; /* its parameters, of the layer's */
  size_t before;       /* parameters in the pieces before it */
} piece;

/* Pieces whose values are summed at once. */
typedef struct run {
  size_t piece, piece_count;
  size_t count;   /* parameters */
  double squares; /* their sum, since it was measured last */
} run;

/* The parameters that a run and a tensor have in common. */
typedef struct overlap {
  size_t run, tensor;
  size_t first, count;     /* parameters of the model */
  ls_tensor_norms squares; /* their sums, since they were measured last */
} overlap;

struct ls_gradient {
  piece *pieces;
  size_t count;
  size_t params; /* in all pieces */
  run *runs;
  size_t run_count;
  overlap *overlaps; /* in the order of the runs */
  size_t overlap_count;
  ls_tensor_norms *norms; /* [tensor_count] */
  size_t tensor_count;
  float *unpacked; /* [params] scratch */
};

/* Visitor: count a layer's pieces, or fill them in when there is memory for them. Frozen ones have no
 * gradient. */
static void add_pieces(const ls_layer *layer, size_t depth, void *user)
{
  (void)depth;
  ls_gradient *self = user;
  if (layer->frozen) return;
  const size_t length = layer->piece_params == 0 ? layer->param_count : layer->piece_params;
  for (size_t i = 0; i < ls_layer_pieces(layer); i++, self->count++) {
    if (!self->pieces) continue;
    const size_t count = ls_size_min(length, layer->param_count - i * length);
    self->pieces[self->count] =
        (piece){.layer = layer, .index = i, .first = i * length, .count = count, .before = self->params};
    self->params += count;
  }
}

static void find_runs(ls_gradient *self)
{
  for (size_t i = 0; i < self->count; i++) {
    const piece *own = &self->pieces[i];
    if (!own->layer->kind->unpack || own->index == 0) self->runs[self->run_count++] = (run){.piece = i};
    run *last = &self->runs[self->run_count - 1];
    last->piece_count++;
    last->count += own->count;
  }
}

/* The first of a run's parameters, of the model's. */
static size_t first_of(const ls_gradient *gradient, const run *own)
{
  const piece *first = &gradient->pieces[own->piece];
  return first->layer->param_offset + first->first;
}

static void add_overlaps(ls_gradient *self, const ls_tensor *tensors, size_t r)
{
  const run *own = &self->runs[r];
  const size_t first = first_of(self, own);
  for (size_t t = 0; t < self->tensor_count; t++) {
    const size_t begin = ls_size_max(first, tensors[t].offset);
    const size_t end = ls_size_min(first + own->count, tensors[t].offset + tensors[t].count);
    if (begin < end)
      self->overlaps[self->overlap_count++] =
          (overlap){.run = r, .tensor = t, .first = begin, .count = end - begin};
  }
}

/* Both are runs in the order of the parameters: an overlap begins where one of them does. */
static ls_status find_overlaps(ls_gradient *self, const ls_model *model)
{
  const ls_tensor *tensors = ls_model_params(model, &self->tensor_count);
  LS_PASS(ls_alloc(&self->norms, self->tensor_count, sizeof *self->norms, "the tensors' norms"));
  LS_PASS(ls_alloc(&self->overlaps, self->run_count + self->tensor_count, sizeof *self->overlaps,
                   "the gradient's pieces"));
  for (size_t r = 0; r < self->run_count; r++) add_overlaps(self, tensors, r);
  assert(self->overlap_count <= self->run_count + self->tensor_count);
  return LS_OK;
}

static ls_status fill(ls_gradient *self, const ls_model *model)
{
  ls_model_visit(model, add_pieces, self);
  LS_PASS(ls_alloc(&self->pieces, self->count, sizeof *self->pieces, "the gradient's pieces"));
  self->count = 0;
  ls_model_visit(model, add_pieces, self);
  LS_PASS(ls_alloc(&self->runs, self->count, sizeof *self->runs, "the gradient's pieces"));
  find_runs(self);
  LS_PASS(find_overlaps(self, model));
  return ls_alloc_untouched(&self->unpacked, ls_model_count(model)->params, sizeof(float), "the gradient");
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
  free(gradient->runs);
  free(gradient->overlaps);
  free(gradient->norms);
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

enum { BLOCK = 8192 }; /* values that are summed in one go */

static double sum_of_squares(const float *values, size_t count)
{
  double sum = 0.0;
  for (size_t first = 0; first < count; first += BLOCK)
    sum += sum_of_few_squares(values + first, ls_size_min(BLOCK, count - first));
  return sum;
}

/* A piece in the parameters' layout. */
static const float *read_piece(const ls_gradient *gradient, const piece *p, const float *reduced)
{
  if (!p->layer->kind->unpack) return reduced + p->layer->grad_offset + p->first;
  p->layer->kind->unpack(p->layer, reduced, gradient->unpacked, p->index);
  return gradient->unpacked + p->layer->param_offset + p->first;
}

/* A run in the parameters' layout: its pieces follow each other. */
static const float *read_run(const ls_gradient *gradient, const run *own, const float *reduced)
{
  const float *first = read_piece(gradient, &gradient->pieces[own->piece], reduced);
  for (size_t i = 1; i < own->piece_count; i++)
    read_piece(gradient, &gradient->pieces[own->piece + i], reduced);
  return first;
}

static bool is_mine(const ls_gradient *gradient, const run *own, size_t part, size_t parts)
{
  return ls_part_of(gradient->params, parts, gradient->pieces[own->piece].before, own->count) == part;
}

void ls_gradient_measure(ls_gradient *gradient, const float *reduced, size_t part, size_t parts)
{
  for (size_t i = 0; i < gradient->run_count; i++) {
    run *own = &gradient->runs[i];
    if (is_mine(gradient, own, part, parts))
      own->squares = sum_of_squares(read_run(gradient, own, reduced), own->count);
  }
}

double ls_gradient_norm(const ls_gradient *gradient)
{
  double sum = 0.0;
  for (size_t i = 0; i < gradient->run_count; i++) sum += gradient->runs[i].squares;
  return sqrt(sum);
}

/* Of what the optimizer moves the parameters against. */
static double sum_of_directions(const ls_optimizer *optimizer, const ls_update *update, const overlap *own,
                                const float *grads)
{
  float direction[BLOCK];
  double sum = 0.0;
  for (size_t done = 0; done < own->count; done += BLOCK) {
    const size_t count = ls_size_min(BLOCK, own->count - done);
    memcpy(direction, grads + done, count * sizeof *direction);
    ls_optimizer_direction(optimizer, update, own->tensor, own->first + done, direction, count);
    sum += sum_of_few_squares(direction, count);
  }
  return sum;
}

void ls_gradient_measure_tensors(ls_gradient *gradient, const float *reduced, const ls_optimizer *optimizer,
                                 const ls_update *update, size_t part, size_t parts)
{
  const float *grads = NULL;
  for (size_t i = 0; i < gradient->overlap_count; i++) {
    overlap *own = &gradient->overlaps[i];
    const run *its = &gradient->runs[own->run];
    if (!is_mine(gradient, its, part, parts)) continue;
    const bool is_new = i == 0 || gradient->overlaps[i - 1].run != own->run;
    if (is_new) grads = read_run(gradient, its, reduced);
    own->squares.direction =
        sum_of_directions(optimizer, update, own, grads + (own->first - first_of(gradient, its)));
    own->squares.params = sum_of_squares(optimizer->params + own->first, own->count);
  }
}

const ls_tensor_norms *ls_gradient_norms(ls_gradient *gradient)
{
  memset(gradient->norms, 0, gradient->tensor_count * sizeof *gradient->norms);
  for (size_t i = 0; i < gradient->overlap_count; i++) {
    ls_tensor_norms *sum = &gradient->norms[gradient->overlaps[i].tensor];
    sum->params += gradient->overlaps[i].squares.params;
    sum->direction += gradient->overlaps[i].squares.direction;
  }
  for (size_t t = 0; t < gradient->tensor_count; t++) {
    gradient->norms[t].params = sqrt(gradient->norms[t].params);
    gradient->norms[t].direction = sqrt(gradient->norms[t].direction);
  }
  return gradient->norms;
}

void ls_gradient_apply(const ls_gradient *gradient, const ls_gradient_step *step, size_t part, size_t parts)
{
  for (size_t i = 0; i < gradient->count; i++) {
    const piece *p = &gradient->pieces[i];
    const ls_layer *layer = p->layer;
    if (ls_part_of(gradient->params, parts, p->before, p->count) != part) continue;
    ls_optimizer_update(step->optimizer, step->update, read_piece(gradient, p, step->reduced),
                        layer->param_offset + p->first, p->count);
    if (layer->kind->pack) layer->kind->pack(layer, step->optimizer->params, step->packed, p->index);
  }
}
