/* SPDX-License-Identifier: BSD-3-Clause */
/* One layer on its own: built through its kind's create() from an options struct, with random parameters
 * and inputs, run forward and backward on guarded buffers.
 *
 * It stands in for the model: it defines struct ls_build and the ls_build_ functions, so it is included by
 * one file of a test program, which must not use ls_model. Buffers that a layer writes start as NaN, and a
 * guard behind each is checked, so reading what was never written and writing past the end both fail.
 */
#ifndef LS_TESTS_LAYER_HARNESS_H
#define LS_TESTS_LAYER_HARNESS_H

#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "nn/kinds.h"

enum { HARNESS_MAX_TENSORS = 8, HARNESS_GUARD = 64 };

struct ls_build {
  ls_role next;
  ls_tensor params[HARNESS_MAX_TENSORS], buffers[HARNESS_MAX_TENSORS];
  size_t param_count, buffer_count; /* tensors declared */
};

typedef struct harness {
  ls_layer layer;
  ls_build build;
  ls_pass pass;
  float *params, *buffers, *packed, *grads, *stats, *param_grads;
  float *x, *y, *dy, *dx, *saved, *scratch; /* one micro-batch */
} harness;

static inline void harness_add(ls_tensor *tensors, size_t *count, size_t *offset, const char *name,
                               const size_t *dims, size_t dim_count)
{
  assert_true(*count < HARNESS_MAX_TENSORS && dim_count <= LS_TENSOR_MAX_DIMS);
  ls_tensor *tensor = &tensors[(*count)++];
  snprintf(tensor->name, sizeof tensor->name, "%s", name);
  tensor->dim_count = dim_count;
  tensor->offset = *offset;
  tensor->count = 1;
  for (size_t i = 0; i < dim_count; i++) tensor->count *= tensor->dims[i] = dims[i];
  *offset += tensor->count;
}

ls_status ls_build_param(ls_build *build, ls_layer *layer, const char *name, const size_t *dims,
                         size_t dim_count, bool decay)
{
  harness_add(build->params, &build->param_count, &layer->param_count, name, dims, dim_count);
  build->params[build->param_count - 1].decay = decay;
  return LS_OK;
}

ls_status ls_build_buffer(ls_build *build, ls_layer *layer, const char *name, size_t count)
{
  harness_add(build->buffers, &build->buffer_count, &layer->buffer_count, name, &count, 1);
  return LS_OK;
}

bool ls_build_keeps_ties(const ls_build *build)
{
  (void)build;
  return false;
}

ls_role ls_build_next(const ls_build *build)
{
  return build->next;
}

/* `count` floats and a guard; the caller frees them. */
static inline float *harness_floats(size_t count, float value)
{
  float *x = NULL;
  assert_int_equal(ls_alloc(&x, count + HARNESS_GUARD, sizeof *x, "a test buffer"), LS_OK);
  for (size_t i = 0; i < count; i++) x[i] = value;
  for (size_t i = count; i < count + HARNESS_GUARD; i++) x[i] = -12345.0F;
  return x;
}

static inline void harness_check_guard(const float *x, size_t count, const char *what)
{
  for (size_t i = count; i < count + HARNESS_GUARD; i++)
    if (!(x[i] == -12345.0F)) fail_msg("%s: written past its %zu floats", what, count);
}

/* Uniform in [-1, 1), a different sequence for each `stream`. */
static inline void harness_random(uint64_t stream, float *x, size_t count)
{
  const ls_rng rng = ls_rng_stream(1, LS_RNG_INIT, stream, 0);
  ls_rng_uniform(&rng, -1, 1, x, count);
}

/* Build the layer; the status of create(). On failure call harness_fini() too. */
static inline ls_status harness_create(harness *h, const ls_layer_kind *kind, const void *options,
                                       ls_shape in, size_t microbatch)
{
  memset(h, 0, sizeof *h);
  h->build.next = LS_ROLE_WEIGHTED;
  h->layer = (ls_layer){.kind = kind, .name = "tested", .in = in, .microbatch = microbatch};
  return kind->create(&h->layer, options, &h->build);
}

static inline size_t harness_in(const harness *h)
{
  return h->layer.microbatch * ls_shape_count(h->layer.in);
}

static inline size_t harness_out(const harness *h)
{
  return h->layer.microbatch * ls_shape_count(h->layer.out);
}

/* Allocate everything, draw parameters, x and dy, pack. A pass of n samples. */
static inline void harness_prepare(harness *h, size_t n)
{
  ls_layer *layer = &h->layer;
  h->params = harness_floats(layer->param_count, 0);
  h->buffers = harness_floats(layer->buffer_count, 0);
  h->packed = harness_floats(layer->packed_count, NAN);
  h->grads = harness_floats(layer->grad_count, 0);
  h->stats = harness_floats(layer->buffer_count, 0);
  h->param_grads = harness_floats(layer->param_count, NAN);
  h->x = harness_floats(harness_in(h), NAN);
  h->y = harness_floats(harness_out(h), NAN);
  h->dy = harness_floats(harness_out(h), NAN);
  h->dx = harness_floats(harness_in(h), NAN);
  h->saved = harness_floats(layer->saved_count, NAN);
  h->scratch = harness_floats(layer->scratch_count, NAN);
  harness_random(1, h->params, layer->param_count);
  harness_random(2, h->x, n * ls_shape_count(layer->in));
  harness_random(3, h->dy, n * ls_shape_count(layer->out));
  for (size_t piece = 0; layer->kind->pack && piece < ls_layer_pieces(layer); piece++)
    layer->kind->pack(layer, h->params, h->packed, piece);
  h->pass = (ls_pass){.training = true,
                      .n = n,
                      .params = h->params,
                      .packed = h->packed,
                      .buffers = h->buffers,
                      .grads = h->grads,
                      .stats = h->stats};
}

static inline void harness_check(const harness *h)
{
  const ls_layer *layer = &h->layer;
  harness_check_guard(h->packed, layer->packed_count, "packed");
  harness_check_guard(h->grads, layer->grad_count, "grads");
  harness_check_guard(h->param_grads, layer->param_count, "param_grads");
  harness_check_guard(h->y, harness_out(h), "y");
  harness_check_guard(h->dx, harness_in(h), "dx");
  harness_check_guard(h->saved, layer->saved_count, "saved");
  harness_check_guard(h->scratch, layer->scratch_count, "scratch");
}

static inline void harness_forward(harness *h)
{
  h->layer.kind->forward(&h->layer, &h->pass, h->x, h->y, h->saved, h->scratch);
  harness_check(h);
}

/* Scratch is spoilt first: nothing may be kept there between the two passes. */
static inline void harness_backward(harness *h)
{
  for (size_t i = 0; i < h->layer.scratch_count; i++) h->scratch[i] = NAN;
  h->layer.kind->backward(&h->layer, &h->pass, h->x, h->y, h->dy, h->dx, h->saved, h->scratch);
  for (size_t piece = 0; h->layer.kind->unpack && piece < ls_layer_pieces(&h->layer); piece++)
    h->layer.kind->unpack(&h->layer, h->grads, h->param_grads, piece);
  if (!h->layer.kind->unpack) memcpy(h->param_grads, h->grads, h->layer.param_count * sizeof *h->grads);
  harness_check(h);
}

static inline void harness_fini(harness *h)
{
  if (h->layer.kind->destroy) h->layer.kind->destroy(&h->layer);
  float *const all[] = {h->params, h->buffers, h->packed, h->grads, h->stats, h->param_grads,
                        h->x,      h->y,       h->dy,     h->dx,    h->saved, h->scratch};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

/* Largest difference, relative to the largest expected magnitude; infinite when something is not a number. */
static inline double harness_error(const float *actual, const double *expected, size_t count)
{
  double largest = 0;
  double worst = 0;
  for (size_t i = 0; i < count; i++) largest = fmax(largest, fabs(expected[i]));
  for (size_t i = 0; i < count; i++) {
    const double difference = fabs((double)actual[i] - expected[i]);
    if (!(difference <= worst)) worst = isnan(difference) ? INFINITY : difference;
  }
  return largest > 0 ? worst / largest : worst;
}

#endif
