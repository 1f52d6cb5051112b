/* SPDX-License-Identifier: BSD-3-Clause */
/* Activations: one family of element-wise layers, each a function and its backward step. Where that follows
 * from the output a layer may work in place; gelu needs its input.
 *
 * A macro makes the loops and the row of each, so that the compiler sees a kind's arithmetic inside its loop
 * and vectorizes it.
 *
 * gelu: Hendrycks and Gimpel 2016 (arXiv:1606.08415), the exact form x * Phi(x).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "nn/kinds.h"

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

static ls_status create(ls_layer *layer, const void *options, ls_build *build)
{
  (void)options;
  (void)build;
  layer->out = layer->in;
  return LS_OK;
}

static ls_status leaky_relu_create(ls_layer *layer, const void *options, ls_build *build)
{
  leaky_relu_options *self;
  LS_PASS(create(layer, options, build));
  LS_PASS(ls_alloc(&self, 1, sizeof *self, "a leaky_relu layer"));
  memcpy(self, options, sizeof *self);
  layer->impl = self;
  return LS_OK;
}

static void leaky_relu_destroy(ls_layer *layer)
{
  free(layer->impl);
}

static void leaky_relu_describe(const ls_layer *layer, ls_text *text)
{
  const leaky_relu_options *self = layer->impl;
  ls_text_add(text, "slope %g", self->slope);
}

/* What the functions below get besides their arguments: leaky_relu's slope. */
static float parameter_of(const ls_layer *layer)
{
  const leaky_relu_options *self = layer->impl;
  return self ? (float)self->slope : 0.0F;
}

/* NaN passes through: x < 0 is false for it. */
static inline float relu_value(float x, float slope)
{
  (void)slope;
  return x < 0.0F ? 0.0F : x;
}

static inline float relu_gradient(float dy, float x, float y, float slope)
{
  (void)x;
  (void)slope;
  return y > 0.0F ? dy : 0.0F;
}

static inline float leaky_relu_value(float x, float slope)
{
  return x < 0.0F ? slope * x : x;
}

/* The slope is positive, so the output has the sign of the input. */
static inline float leaky_relu_gradient(float dy, float x, float y, float slope)
{
  (void)x;
  return y > 0.0F ? dy : slope * dy;
}

static inline float tanh_value(float x, float slope)
{
  (void)slope;
  return tanhf(x);
}

static inline float tanh_gradient(float dy, float x, float y, float slope)
{
  (void)x;
  (void)slope;
  return dy * (1.0F - y * y);
}

static inline float sigmoid_value(float x, float slope)
{
  (void)slope;
  return 1.0F / (1.0F + expf(-x));
}

static inline float sigmoid_gradient(float dy, float x, float y, float slope)
{
  (void)x;
  (void)slope;
  return dy * y * (1.0F - y);
}

static const float INV_SQRT2 = 0.70710678118654752F;
static const float INV_SQRT_2PI = 0.39894228040143268F;

static inline float gelu_value(float x, float slope)
{
  (void)slope;
  return 0.5F * x * (1.0F + erff(x * INV_SQRT2));
}

static inline float gelu_gradient(float dy, float x, float y, float slope)
{
  (void)y;
  (void)slope;
  const float phi = 0.5F * (1.0F + erff(x * INV_SQRT2));
  return dy * (phi + x * INV_SQRT_2PI * expf(-0.5F * x * x));
}

/* The loops of a kind, and its row but for what only some have. x is not read where its gradient ignores it.
 */
#define ACTIVATION(word, ...)                                                                                \
  static void word##_forward(const ls_layer *layer, const ls_pass *pass, const float *x, float *y,           \
                             float *saved, float *scratch)                                                   \
  {                                                                                                          \
    (void)saved;                                                                                             \
    (void)scratch;                                                                                           \
    const size_t count = pass->n * ls_shape_count(layer->in);                                                \
    const float slope = parameter_of(layer);                                                                 \
    for (size_t i = 0; i < count; i++) y[i] = word##_value(x[i], slope);                                     \
  }                                                                                                          \
                                                                                                             \
  static void word##_backward(const ls_layer *layer, const ls_pass *pass, const float *x, const float *y,    \
                              float *dy, float *dx, float *saved, float *scratch)                            \
  {                                                                                                          \
    (void)saved;                                                                                             \
    (void)scratch;                                                                                           \
    if (!dx) return;                                                                                         \
    const size_t count = pass->n * ls_shape_count(layer->in);                                                \
    const float slope = parameter_of(layer);                                                                 \
    for (size_t i = 0; i < count; i++) dx[i] = word##_gradient(dy[i], x[i], y[i], slope);                    \
  }                                                                                                          \
                                                                                                             \
  const ls_layer_kind ls_layer_##word = {                                                                    \
      .in_place = true,                                                                                      \
      .forward = word##_forward,                                                                             \
      .backward = word##_backward,                                                                           \
      __VA_ARGS__,                                                                                           \
  }

ACTIVATION(relu, .role = LS_ROLE_RECTIFIER, .is_absorbable = true,
           .schema = {.name = "relu", .doc = "Rectifier: max(0, x)."}, .backward_reads_y = true,
           .create = create);

ACTIVATION(leaky_relu, .role = LS_ROLE_RECTIFIER,
           .schema = {.name = "leaky_relu",
                      .doc = "Rectifier that lets a fraction of negative inputs pass.",
                      .keys = leaky_relu_keys,
                      .key_count = sizeof leaky_relu_keys / sizeof *leaky_relu_keys,
                      .options_bytes = sizeof(leaky_relu_options)},
           .backward_reads_y = true, .create = leaky_relu_create, .destroy = leaky_relu_destroy,
           .describe = leaky_relu_describe);

ACTIVATION(tanh, .role = LS_ROLE_SIGMOID, .schema = {.name = "tanh", .doc = "Hyperbolic tangent."},
           .backward_reads_y = true, .create = create);

ACTIVATION(sigmoid, .role = LS_ROLE_SIGMOID,
           .schema = {.name = "sigmoid", .doc = "Logistic function 1 / (1 + exp(-x))."},
           .backward_reads_y = true, .create = create);

ACTIVATION(gelu, .role = LS_ROLE_RECTIFIER,
           .schema = {.name = "gelu",
                      .doc = "Gaussian error linear unit: x times the normal distribution function of x."},
           .backward_reads_x = true, .create = create);
