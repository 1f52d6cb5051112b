/* SPDX-License-Identifier: BSD-3-Clause */
/* The lists of layer kinds and of losses: a new kind is a file of its own and one word here. Private to the
 * module (and its tests); others go through the registries in layer.h and loss.h. */
#ifndef LS_NN_KINDS_H
#define LS_NN_KINDS_H

#include "nn/layer.h"
#include "nn/loss.h"

#define LS_LAYER_LIST(X)                                                                                     \
  X(conv)                                                                                                    \
  X(dense)                                                                                                   \
  X(maxpool)                                                                                                 \
  X(avgpool)                                                                                                 \
  X(globalavgpool)                                                                                           \
  X(batchnorm)                                                                                               \
  X(groupnorm)                                                                                               \
  X(layernorm)                                                                                               \
  X(instancenorm)                                                                                            \
  X(lrn)                                                                                                     \
  X(dropout)                                                                                                 \
  X(relu)                                                                                                    \
  X(leaky_relu)                                                                                              \
  X(tanh)                                                                                                    \
  X(sigmoid)                                                                                                 \
  X(gelu)                                                                                                    \
  X(relu6)                                                                                                   \
  X(silu)                                                                                                    \
  X(hardsigmoid)                                                                                             \
  X(hardswish)                                                                                               \
  X(elu)                                                                                                     \
  X(prelu)                                                                                                   \
  X(softplus)                                                                                                \
  X(flatten)                                                                                                 \
  X(softmax)                                                                                                 \
  X(add)                                                                                                     \
  X(concat)                                                                                                  \
  X(multiply)                                                                                                \
  X(residual)

#define LS_LOSS_LIST(X) X(cross_entropy) X(focal) X(bce) X(mse)

#define LS_LAYER_DECLARE(name) extern const ls_layer_kind ls_layer_##name;
LS_LAYER_LIST(LS_LAYER_DECLARE)
#undef LS_LAYER_DECLARE

#define LS_LOSS_DECLARE(name) extern const ls_loss_kind ls_loss_##name;
LS_LOSS_LIST(LS_LOSS_DECLARE)
#undef LS_LOSS_DECLARE

#endif
