/* SPDX-License-Identifier: BSD-3-Clause */
/* Activations: their parameters, and how ONNX says them. Private to them. */
#ifndef LS_NN_LAYERS_ACTIVATION_ACTIVATION_H
#define LS_NN_LAYERS_ACTIVATION_ACTIVATION_H

#include "nn/layer.h"

/** Of the kinds that have any; each has some of them. */
typedef struct ls_activation_parameters {
  double slope;           /* leaky_relu */
  double alpha;           /* elu */
  double beta, threshold; /* softplus */
} ls_activation_parameters;

/* Their express operations. See ls_layer_kind. */
void ls_express_relu(const ls_layer *layer, const ls_expression *to);
void ls_express_leaky_relu(const ls_layer *layer, const ls_expression *to);
void ls_express_tanh(const ls_layer *layer, const ls_expression *to);
void ls_express_sigmoid(const ls_layer *layer, const ls_expression *to);
void ls_express_gelu(const ls_layer *layer, const ls_expression *to);
void ls_express_relu6(const ls_layer *layer, const ls_expression *to);
void ls_express_silu(const ls_layer *layer, const ls_expression *to);
void ls_express_hardsigmoid(const ls_layer *layer, const ls_expression *to);
void ls_express_hardswish(const ls_layer *layer, const ls_expression *to);
void ls_express_elu(const ls_layer *layer, const ls_expression *to);
void ls_express_softplus(const ls_layer *layer, const ls_expression *to);

#endif
