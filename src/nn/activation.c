/* SPDX-License-Identifier: BSD-3-Clause */
/* Activations: one family of element-wise layers. Where the derivative follows from the output they may work
 * in place; gelu needs its input.
 *
 * gelu: Hendrycks and Gimpel 2016 (arXiv:1606.08415), the exact form x * Phi(x).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "nn/kinds.h"

static ls_status create(ls_layer *layer, const void *options, ls_build *build)
{
  (void)options;
  (void)build;
  layer->out = layer->in;
  return LS_OK;
}

static size_t elements(const ls_layer *layer, const ls_pass *pass)
{
  return pass->n * ls_shape_count(layer->in);
}

/* NaN passes through: x < 0 is false for it. */
static void relu_forward(const ls_layer *layer, const ls_pass *pass, const float *x, float *y, float *saved,
                         float *scratch)
{
  (void)saved;
  (void)scratch;
  const size_t count = elements(layer, pass);
  for (size_t i = 0; i < count; i++) y[i] = x[i] < 0.0F ? 0.0F : x[i];
}

static void relu_backward(const ls_layer *layer, const ls_pass *pass, const float *x, const float *y,
                          float *dy, float *dx, float *saved, float *scratch)
{
  (void)x;
  (void)saved;
  (void)scratch;
  if (!dx) return;
  const size_t count = elements(layer, pass);
  for (size_t i = 0; i < count; i++) dx[i] = y[i] > 0.0F ? dy[i] : 0.0F;
}

typedef struct leaky_relu_options {
  double slope;
} leaky_relu_options;

static const ls_key leaky_relu_keys[] = {
    {.path = "slope",
     .type = LS_KEY_REAL,
     .offset = offsetof(leaky_relu_options, slope),
     .preset = "0.01",
     .min = 0.0,
     .max = 1.0,
     .min_open = true,
     .unit = "",
     .doc = "Factor on negative inputs."},
};

static ls_status leaky_relu_create(ls_layer *layer, const void *options, ls_build *build)
{
  leaky_relu_options *self;
  LS_PASS(create(layer, NULL, build));
  LS_PASS(ls_alloc(&self, 1, sizeof *self, "a leaky_relu layer"));
  memcpy(self, options, sizeof *self);
  layer->impl = self;
  return LS_OK;
}

static void leaky_relu_destroy(ls_layer *layer)
{
  free(layer->impl);
}

static void leaky_relu_forward(const ls_layer *layer, const ls_pass *pass, const float *x, float *y,
                               float *saved, float *scratch)
{
  (void)saved;
  (void)scratch;
  const leaky_relu_options *self = layer->impl;
  const float slope = (float)self->slope;
  const size_t count = elements(layer, pass);
  for (size_t i = 0; i < count; i++) y[i] = x[i] < 0.0F ? slope * x[i] : x[i];
}

/* The slope is positive, so the output has the sign of the input. */
static void leaky_relu_backward(const ls_layer *layer, const ls_pass *pass, const float *x, const float *y,
                                float *dy, float *dx, float *saved, float *scratch)
{
  (void)x;
  (void)saved;
  (void)scratch;
  if (!dx) return;
  const leaky_relu_options *self = layer->impl;
  const float slope = (float)self->slope;
  const size_t count = elements(layer, pass);
  for (size_t i = 0; i < count; i++) dx[i] = y[i] > 0.0F ? dy[i] : slope * dy[i];
}

static void leaky_relu_describe(const ls_layer *layer, ls_text *text)
{
  const leaky_relu_options *self = layer->impl;
  ls_text_add(text, "slope %g", self->slope);
}

static void tanh_forward(const ls_layer *layer, const ls_pass *pass, const float *x, float *y, float *saved,
                         float *scratch)
{
  (void)saved;
  (void)scratch;
  const size_t count = elements(layer, pass);
  for (size_t i = 0; i < count; i++) y[i] = tanhf(x[i]);
}

static void tanh_backward(const ls_layer *layer, const ls_pass *pass, const float *x, const float *y,
                          float *dy, float *dx, float *saved, float *scratch)
{
  (void)x;
  (void)saved;
  (void)scratch;
  if (!dx) return;
  const size_t count = elements(layer, pass);
  for (size_t i = 0; i < count; i++) dx[i] = dy[i] * (1.0F - y[i] * y[i]);
}

static void sigmoid_forward(const ls_layer *layer, const ls_pass *pass, const float *x, float *y,
                            float *saved, float *scratch)
{
  (void)saved;
  (void)scratch;
  const size_t count = elements(layer, pass);
  for (size_t i = 0; i < count; i++) y[i] = 1.0F / (1.0F + expf(-x[i]));
}

static void sigmoid_backward(const ls_layer *layer, const ls_pass *pass, const float *x, const float *y,
                             float *dy, float *dx, float *saved, float *scratch)
{
  (void)x;
  (void)saved;
  (void)scratch;
  if (!dx) return;
  const size_t count = elements(layer, pass);
  for (size_t i = 0; i < count; i++) dx[i] = dy[i] * y[i] * (1.0F - y[i]);
}

static const float INV_SQRT2 = 0.70710678118654752F;
static const float INV_SQRT_2PI = 0.39894228040143268F;

static void gelu_forward(const ls_layer *layer, const ls_pass *pass, const float *x, float *y, float *saved,
                         float *scratch)
{
  (void)saved;
  (void)scratch;
  const size_t count = elements(layer, pass);
  for (size_t i = 0; i < count; i++) y[i] = 0.5F * x[i] * (1.0F + erff(x[i] * INV_SQRT2));
}

static void gelu_backward(const ls_layer *layer, const ls_pass *pass, const float *x, const float *y,
                          float *dy, float *dx, float *saved, float *scratch)
{
  (void)y;
  (void)saved;
  (void)scratch;
  if (!dx) return;
  const size_t count = elements(layer, pass);
  for (size_t i = 0; i < count; i++) {
    const float phi = 0.5F * (1.0F + erff(x[i] * INV_SQRT2));
    dx[i] = dy[i] * (phi + x[i] * INV_SQRT_2PI * expf(-0.5F * x[i] * x[i]));
  }
}

const ls_layer_kind ls_layer_relu = {
    .schema = {.name = "relu", .doc = "Rectifier: max(0, x)."},
    .role = LS_ROLE_ACTIVATION,
    .in_place = true,
    .backward_reads_y = true,
    .create = create,
    .forward = relu_forward,
    .backward = relu_backward,
};

const ls_layer_kind ls_layer_leaky_relu = {
    .schema = {.name = "leaky_relu",
               .doc = "Rectifier that lets a fraction of negative inputs pass.",
               .keys = leaky_relu_keys,
               .key_count = sizeof leaky_relu_keys / sizeof *leaky_relu_keys,
               .options_bytes = sizeof(leaky_relu_options)},
    .role = LS_ROLE_ACTIVATION,
    .in_place = true,
    .backward_reads_y = true,
    .create = leaky_relu_create,
    .destroy = leaky_relu_destroy,
    .forward = leaky_relu_forward,
    .backward = leaky_relu_backward,
    .describe = leaky_relu_describe,
};

const ls_layer_kind ls_layer_tanh = {
    .schema = {.name = "tanh", .doc = "Hyperbolic tangent."},
    .role = LS_ROLE_ACTIVATION,
    .in_place = true,
    .backward_reads_y = true,
    .create = create,
    .forward = tanh_forward,
    .backward = tanh_backward,
};

const ls_layer_kind ls_layer_sigmoid = {
    .schema = {.name = "sigmoid", .doc = "Logistic function 1 / (1 + exp(-x))."},
    .role = LS_ROLE_ACTIVATION,
    .in_place = true,
    .backward_reads_y = true,
    .create = create,
    .forward = sigmoid_forward,
    .backward = sigmoid_backward,
};

const ls_layer_kind ls_layer_gelu = {
    .schema = {.name = "gelu",
               .doc = "Gaussian error linear unit: x times the normal distribution function of x."},
    .role = LS_ROLE_ACTIVATION,
    .in_place = true,
    .backward_reads_x = true,
    .create = create,
    .forward = gelu_forward,
    .backward = gelu_backward,
};
