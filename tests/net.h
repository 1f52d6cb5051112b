/* SPDX-License-Identifier: BSD-3-Clause */
/* A model from a few lines of YAML, with its vectors and one workspace: what the tests of layers and of whole
 * models run forward and backward. Vectors that a pass writes have a guard behind them. */
#ifndef LS_TESTS_NET_H
#define LS_TESTS_NET_H

#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "config/config.h"
#include "nn/loss.h"
#include "nn/model.h"

enum { NET_GUARD = 16, NET_TEXT_BYTES = 16384 };

typedef struct test_net {
  ls_spec *spec;
  ls_model *model;
  ls_workspace *workspace;
  float *params, *buffers, *packed, *grads, *stats, *param_grads;
  float *dx; /* [microbatch, h, w, c] */
  uint64_t *samples;
  size_t microbatch;
  ls_pass pass;
} test_net;

static inline float *net_floats(size_t count)
{
  float *x = NULL;
  assert_int_equal(ls_alloc(&x, count + NET_GUARD, sizeof *x, "a test vector"), LS_OK);
  for (size_t i = count; i < count + NET_GUARD; i++) x[i] = -12345.0F;
  return x;
}

/* Uniform in [-1, 1), a different sequence for each `stream`. */
static inline void net_random(uint64_t stream, float *x, size_t count)
{
  const ls_rng rng = ls_rng_stream(7, LS_RNG_INIT, stream, 1);
  ls_rng_uniform(&rng, -1, 1, x, count);
}

/* `layers` is the YAML of model.layers in flow style: "[{type: relu}, ...]"; another key may have a value. */
static inline ls_spec *net_spec_with(const char *layers, const char *key, const char *value)
{
  char text[NET_TEXT_BYTES];
  const int length = snprintf(text, sizeof text, "data: {source: none}\nmodel:\n  layers:\n    %s\n", layers);
  assert_true(length > 0 && (size_t)length < sizeof text);
  const ls_schema *const none[] = {NULL};
  /* The optimizer and the schedule are not ours to know: stand-ins for the defaults. */
  static const ls_schema sgd = {.name = "sgd", .doc = ""};
  static const ls_schema constant = {.name = "constant", .doc = ""};
  const ls_schema *const optimizers[] = {&sgd, NULL}, *const schedules[] = {&constant, NULL};
  ls_schemas schemas = {.kinds = {none, optimizers, schedules}};
  schemas.kinds[LS_FAMILY_LAYER] = ls_layer_schemas;
  schemas.kinds[LS_FAMILY_LOSS] = ls_loss_schemas;
#ifdef NET_ATTACK_SCHEMAS /* of tests that are linked with the attacks */
  schemas.kinds[LS_FAMILY_ATTACK] = NET_ATTACK_SCHEMAS;
#endif
  ls_spec *spec = NULL;
  char override[256];
  const char *const overrides[] = {override};
  snprintf(override, sizeof override, "%s=%s", key ? key : "", value ? value : "");
  if (ls_config_parse(&spec, text, "net.yaml", overrides, key ? 1 : 0, &schemas) != LS_OK)
    fail_msg("%s\nin: %s", ls_error_last()->text, layers);
  return spec;
}

static inline ls_spec *net_spec(const char *layers)
{
  return net_spec_with(layers, NULL, NULL);
}

/* Build the model only. Release with net_fini(), also after an error. */
static inline ls_status net_try_model(test_net *net, const char *layers, const ls_model_options *options)
{
  memset(net, 0, sizeof *net);
  net->spec = net_spec(layers);
  net->microbatch = options->microbatch;
  return ls_model_new(&net->model, &net->spec->model.layers, options);
}

static inline ls_status net_try(test_net *net, const char *layers, ls_shape in, size_t microbatch,
                                size_t classes)
{
  const ls_model_options options = {
      .in = in, .microbatch = microbatch, .classes = classes, .input_gradient = true};
  return net_try_model(net, layers, &options);
}

static inline void net_allocate(test_net *net)
{
  const ls_model_counts *counts = ls_model_count(net->model);
  assert_int_equal(ls_workspace_new(&net->workspace, net->model), LS_OK);
  net->params = net_floats(counts->params);
  net->buffers = net_floats(counts->buffers);
  net->packed = net_floats(counts->packed);
  net->grads = net_floats(counts->grads);
  net->stats = net_floats(counts->buffers);
  net->param_grads = net_floats(counts->params);
  net->dx = net_floats(net->microbatch * ls_shape_count(ls_model_input(net->model)));
  assert_int_equal(ls_alloc(&net->samples, net->microbatch, sizeof *net->samples, "samples"), LS_OK);
  for (size_t i = 0; i < net->microbatch; i++) net->samples[i] = 1000 + 3 * i;
}

/* Build, allocate, and initialize with seed 1; a training pass of a full micro-batch. */
static inline void net_init_model(test_net *net, const char *layers, const ls_model_options *options)
{
  const size_t microbatch = options->microbatch;
  if (net_try_model(net, layers, options) != LS_OK) fail_msg("%s\nin: %s", ls_error_last()->text, layers);
  net_allocate(net);
  ls_model_init(net->model, 1, net->params, net->buffers);
  ls_model_pack(net->model, net->params, net->packed, 0, 1);
  net->pass = (ls_pass){.training = true,
                        .n = microbatch,
                        .params = net->params,
                        .packed = net->packed,
                        .buffers = net->buffers,
                        .grads = net->grads,
                        .stats = net->stats,
                        .seed = 5,
                        .epoch = 2,
                        .samples = net->samples};
}

static inline void net_init(test_net *net, const char *layers, ls_shape in, size_t microbatch)
{
  const ls_model_options options = {.in = in, .microbatch = microbatch, .input_gradient = true};
  net_init_model(net, layers, &options);
}

static inline void net_check_guard(const float *x, size_t count, const char *what)
{
  for (size_t i = count; i < count + NET_GUARD; i++)
    if (!(x[i] == -12345.0F)) fail_msg("%s: written past its %zu floats", what, count);
}

static inline void net_check_guards(const test_net *net)
{
  const ls_model_counts *counts = ls_model_count(net->model);
  net_check_guard(net->packed, counts->packed, "packed");
  net_check_guard(net->grads, counts->grads, "grads");
  net_check_guard(net->stats, counts->buffers, "stats");
  net_check_guard(net->param_grads, counts->params, "param_grads");
  net_check_guard(net->dx, net->microbatch * ls_shape_count(ls_model_input(net->model)), "dx");
}

/* Forward over x [n, h, w, c]; packs first. Returns the outputs [n, features]. */
static inline const float *net_forward(test_net *net, const float *x)
{
  const size_t in = ls_shape_count(ls_model_input(net->model));
  memcpy(ls_workspace_input(net->workspace), x, net->pass.n * in * sizeof *x);
  ls_model_pack(net->model, net->params, net->packed, 0, 1);
  return ls_model_forward(net->model, &net->pass, net->workspace);
}

/* Visitor: a layer's gradient to the layout of its parameters. */
static inline void net_unpack(const ls_layer *layer, size_t depth, void *user)
{
  (void)depth;
  const test_net *net = user;
  if (layer->frozen) return;
  for (size_t piece = 0; layer->kind->unpack && piece < ls_layer_pieces(layer); piece++)
    layer->kind->unpack(layer, net->grads, net->param_grads, piece);
  if (!layer->kind->unpack)
    memcpy(net->param_grads + layer->param_offset, net->grads + layer->grad_offset,
           layer->param_count * sizeof *net->grads);
}

/* Backward from dy [n, features], which is kept: param_grads, all of them set, and dx when wanted. */
static inline void net_backward(test_net *net, const float *dy, bool wants_dx)
{
  const ls_model_counts *counts = ls_model_count(net->model);
  memcpy(ls_workspace_loss_gradient(net->workspace), dy,
         net->pass.n * ls_model_classes(net->model) * sizeof *dy);
  memset(net->grads, 0xff, counts->grads * sizeof *net->grads);
  ls_model_backward(net->model, &net->pass, net->workspace, wants_dx ? net->dx : NULL);
  if (net->pass.grads) ls_model_visit(net->model, net_unpack, net);
  net_check_guards(net);
}

static inline void net_fini(test_net *net)
{
  float *const all[] = {net->params, net->buffers,     net->packed, net->grads,
                        net->stats,  net->param_grads, net->dx};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
  free(net->samples);
  ls_workspace_free(net->workspace);
  ls_model_free(net->model);
  ls_spec_free(net->spec);
}

#endif
