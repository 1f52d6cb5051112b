/* SPDX-License-Identifier: BSD-3-Clause */
/* Activations: one family of element-wise layers, each a function and its backward step. Where that follows
 * from the output a layer may work in place; the others need their input. At kinks gradients are PyTorch's.
 *
 * A macro makes the loops and the row of each, so that the compiler sees a kind's arithmetic inside its loop
 * and vectorizes it.
 *
 * gelu: Hendrycks and Gimpel 2016 (arXiv:1606.08415), the exact form x * Phi(x). silu: the same, and
 * Ramachandran, Zoph, Le 2017 (arXiv:1710.05941). elu: Clevert, Unterthiner, Hochreiter, ICLR 2016. hardswish
 * and hardsigmoid: Howard et al.: "Searching for MobileNetV3", ICCV 2019. relu6: Krizhevsky 2010.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "nn/kinds.h"
#include "nn/layers/activation/activation.h"

typedef ls_activation_parameters parameters;

static const ls_key leaky_relu_keys[] = {
    {.path = "slope",
     .type = LS_KEY_REAL,
     .offset = offsetof(parameters, slope),
     .preset = "0.01",
     .min = 0.0,
     .max = 1.0,
     .min_open = true,
     .unit = "",
     .doc = "Factor on negative inputs."},
};

static const ls_key elu_keys[] = {
    {.path = "alpha",
     .type = LS_KEY_REAL,
     .offset = offsetof(parameters, alpha),
     .preset = "1",
     .min = 0.0,
     .max = 1e6,
     .unit = "",
     .doc = "Negative of what large negative inputs come to."},
};

static const ls_key softplus_keys[] = {
    {.path = "beta",
     .type = LS_KEY_REAL,
     .offset = offsetof(parameters, beta),
     .preset = "1",
     .min = 0.0,
     .max = 1e6,
     .min_open = true,
     .unit = "",
     .doc = "Sharpness of the bend at 0."},
    {.path = "threshold",
     .type = LS_KEY_REAL,
     .offset = offsetof(parameters, threshold),
     .preset = "20",
     .min = 0.0,
     .max = 1e6,
     .unit = "",
     .doc = "Inputs pass as they are where beta times the input is above it."},
};

static ls_status create(ls_layer *layer, const void *options, ls_build *build)
{
  (void)options;
  (void)build;
  layer->out = layer->in;
  return LS_OK;
}

static ls_status create_with_parameters(ls_layer *layer, const void *options, ls_build *build)
{
  parameters *self;
  LS_PASS(create(layer, options, build));
  LS_PASS(ls_alloc(&self, 1, sizeof *self, "an activation"));
  memcpy(self, options, sizeof *self);
  layer->impl = self;
  return LS_OK;
}

static void destroy(ls_layer *layer)
{
  free(layer->impl);
}

static void leaky_relu_describe(const ls_layer *layer, ls_text *text)
{
  const parameters *self = layer->impl;
  ls_text_add(text, "slope %g", self->slope);
}

static void elu_describe(const ls_layer *layer, ls_text *text)
{
  const parameters *self = layer->impl;
  ls_text_add(text, "alpha %g", self->alpha);
}

static void softplus_describe(const ls_layer *layer, ls_text *text)
{
  const parameters *self = layer->impl;
  ls_text_add(text, "beta %g, threshold %g", self->beta, self->threshold);
}

/* The parameters as the functions below get them. */
typedef struct factors {
  float slope, alpha, beta, threshold;
} factors;

static factors factors_of(const ls_layer *layer)
{
  const parameters *self = layer->impl;
  if (!self) return (factors){0};
  return (factors){.slope = (float)self->slope,
                   .alpha = (float)self->alpha,
                   .beta = (float)self->beta,
                   .threshold = (float)self->threshold};
}

/* NaN passes through: x < 0 is false for it. */
static inline float relu_value(float x, factors f)
{
  (void)f;
  return x < 0.0F ? 0.0F : x;
}

static inline float relu_gradient(float dy, float x, float y, factors f)
{
  (void)x;
  (void)f;
  return y > 0.0F ? dy : 0.0F;
}

static inline float leaky_relu_value(float x, factors f)
{
  return x < 0.0F ? f.slope * x : x;
}

/* The slope is positive, so the output has the sign of the input. */
static inline float leaky_relu_gradient(float dy, float x, float y, factors f)
{
  (void)x;
  return y > 0.0F ? dy : f.slope * dy;
}

static inline float tanh_value(float x, factors f)
{
  (void)f;
  return tanhf(x);
}

static inline float tanh_gradient(float dy, float x, float y, factors f)
{
  (void)x;
  (void)f;
  return dy * (1.0F - y * y);
}

static inline float sigmoid_value(float x, factors f)
{
  (void)f;
  return 1.0F / (1.0F + expf(-x));
}

static inline float sigmoid_gradient(float dy, float x, float y, factors f)
{
  (void)x;
  (void)f;
  return dy * y * (1.0F - y);
}

static const float INV_SQRT2 = 0.70710678118654752F;
static const float INV_SQRT_2PI = 0.39894228040143268F;

static inline float gelu_value(float x, factors f)
{
  (void)f;
  return 0.5F * x * (1.0F + erff(x * INV_SQRT2));
}

static inline float gelu_gradient(float dy, float x, float y, factors f)
{
  (void)y;
  (void)f;
  const float phi = 0.5F * (1.0F + erff(x * INV_SQRT2));
  return dy * (phi + x * INV_SQRT_2PI * expf(-0.5F * x * x));
}

static inline float relu6_value(float x, factors f)
{
  (void)f;
  return x < 0.0F ? 0.0F : x > 6.0F ? 6.0F : x;
}

static inline float relu6_gradient(float dy, float x, float y, factors f)
{
  (void)x, (void)f;
  return ((y > 0.0F) & (y < 6.0F)) ? dy : 0.0F;
}

static inline float silu_value(float x, factors f)
{
  return x * sigmoid_value(x, f);
}

static inline float silu_gradient(float dy, float x, float y, factors f)
{
  (void)y;
  const float share = sigmoid_value(x, f);
  return dy * share * (1.0F + x * (1.0F - share));
}

static inline float hardsigmoid_value(float x, factors f)
{
  return relu6_value(x + 3.0F, f) / 6.0F;
}

static inline float hardsigmoid_gradient(float dy, float x, float y, factors f)
{
  (void)x, (void)f;
  return ((y > 0.0F) & (y < 1.0F)) ? dy / 6.0F : 0.0F;
}

static inline float hardswish_value(float x, factors f)
{
  return x * relu6_value(x + 3.0F, f) / 6.0F;
}

static inline float hardswish_gradient(float dy, float x, float y, factors f)
{
  (void)y, (void)f;
  const float inside = dy * (x / 3.0F + 0.5F);
  return x <= -3.0F ? 0.0F : x < 3.0F ? inside : dy;
}

static inline float elu_value(float x, factors f)
{
  return x > 0.0F ? x : f.alpha * expm1f(x);
}

static inline float elu_gradient(float dy, float x, float y, factors f)
{
  (void)x;
  return y > 0.0F ? dy : dy * (y + f.alpha);
}

/* log(1 + exp(z)) as max(z, 0) + log(1 + exp(-|z|)), which does not overflow. */
static inline float softplus_value(float x, factors f)
{
  const float z = f.beta * x;
  const float bend = (z > 0.0F ? z : 0.0F) + log1pf(expf(-fabsf(z)));
  return z > f.threshold ? x : bend / f.beta;
}

static inline float softplus_gradient(float dy, float x, float y, factors f)
{
  (void)y;
  const float z = f.beta * x;
  return z > f.threshold ? dy : dy * sigmoid_value(z, f);
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
    const factors f = factors_of(layer);                                                                     \
    for (size_t i = 0; i < count; i++) y[i] = word##_value(x[i], f);                                         \
  }                                                                                                          \
                                                                                                             \
  static void word##_backward(const ls_layer *layer, const ls_pass *pass, const float *x, const float *y,    \
                              float *dy, float *dx, float *saved, float *scratch)                            \
  {                                                                                                          \
    (void)saved;                                                                                             \
    (void)scratch;                                                                                           \
    if (!dx) return;                                                                                         \
    const size_t count = pass->n * ls_shape_count(layer->in);                                                \
    const factors f = factors_of(layer);                                                                     \
    for (size_t i = 0; i < count; i++) dx[i] = word##_gradient(dy[i], x[i], y[i], f);                        \
  }                                                                                                          \
                                                                                                             \
  const ls_layer_kind ls_layer_##word = {                                                                    \
      .in_place = true,                                                                                      \
      .forward = word##_forward,                                                                             \
      .backward = word##_backward,                                                                           \
      __VA_ARGS__,                                                                                           \
  }

ACTIVATION(relu, .express = ls_express_relu, .role = LS_ROLE_RECTIFIER, .is_absorbable = true,
           .schema = {.name = "relu", .doc = "Rectifier: max(0, x)."}, .backward_reads_y = true,
           .create = create);

ACTIVATION(leaky_relu, .express = ls_express_leaky_relu, .role = LS_ROLE_RECTIFIER,
           .schema = {.name = "leaky_relu",
                      .doc = "Rectifier that lets a fraction of negative inputs pass.",
                      .keys = leaky_relu_keys,
                      .key_count = sizeof leaky_relu_keys / sizeof *leaky_relu_keys,
                      .options_bytes = sizeof(parameters)},
           .backward_reads_y = true, .create = create_with_parameters, .destroy = destroy,
           .describe = leaky_relu_describe);

ACTIVATION(tanh, .express = ls_express_tanh, .role = LS_ROLE_SIGMOID,
           .schema = {.name = "tanh", .doc = "Hyperbolic tangent."}, .backward_reads_y = true,
           .create = create);

ACTIVATION(sigmoid, .express = ls_express_sigmoid, .role = LS_ROLE_SIGMOID,
           .schema = {.name = "sigmoid", .doc = "Logistic function 1 / (1 + exp(-x))."},
           .backward_reads_y = true, .create = create);

ACTIVATION(gelu, .express = ls_express_gelu, .role = LS_ROLE_RECTIFIER,
           .schema = {.name = "gelu",
                      .doc = "Gaussian error linear unit: x times the normal distribution function of x."},
           .backward_reads_x = true, .create = create);

ACTIVATION(relu6, .express = ls_express_relu6, .role = LS_ROLE_RECTIFIER,
           .schema = {.name = "relu6", .doc = "Rectifier that ends at 6: min(max(0, x), 6)."},
           .backward_reads_y = true, .create = create);

ACTIVATION(silu, .express = ls_express_silu, .role = LS_ROLE_RECTIFIER,
           .schema = {.name = "silu",
                      .doc = "Sigmoid linear unit, or swish: x times the logistic function of x."},
           .backward_reads_x = true, .create = create);

ACTIVATION(hardsigmoid, .express = ls_express_hardsigmoid, .role = LS_ROLE_SIGMOID,
           .schema = {.name = "hardsigmoid",
                      .doc = "Of three straight parts, like sigmoid: relu6(x + 3) / 6."},
           .backward_reads_y = true, .create = create);

ACTIVATION(hardswish, .express = ls_express_hardswish, .role = LS_ROLE_RECTIFIER,
           .schema = {.name = "hardswish", .doc = "Like silu, by hardsigmoid: x times relu6(x + 3) / 6."},
           .backward_reads_x = true, .create = create);

ACTIVATION(elu, .express = ls_express_elu, .role = LS_ROLE_RECTIFIER,
           .schema = {.name = "elu",
                      .doc = "Exponential linear unit: alpha * (exp(x) - 1) of negative inputs.",
                      .keys = elu_keys,
                      .key_count = sizeof elu_keys / sizeof *elu_keys,
                      .options_bytes = sizeof(parameters)},
           .backward_reads_y = true, .create = create_with_parameters, .destroy = destroy,
           .describe = elu_describe);

ACTIVATION(softplus, .express = ls_express_softplus, .role = LS_ROLE_RECTIFIER,
           .schema = {.name = "softplus",
                      .doc = "Smooth rectifier: log(1 + exp(beta * x)) / beta.",
                      .keys = softplus_keys,
                      .key_count = sizeof softplus_keys / sizeof *softplus_keys,
                      .options_bytes = sizeof(parameters)},
           .backward_reads_x = true, .create = create_with_parameters, .destroy = destroy,
           .describe = softplus_describe);
