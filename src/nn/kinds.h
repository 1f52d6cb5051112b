/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of layer kinds: a new kind is a file of its own and one word here. Private to the module (and its
 * tests); others go through the registry in layer.h. */
#ifndef LS_NN_KINDS_H
#define LS_NN_KINDS_H

#include "nn/layer.h"

#define LS_LAYER_LIST(X)                                                                                     \
  X(conv)                                                                                                    \
  X(dense)                                                                                                   \
  X(maxpool)                                                                                                 \
  X(avgpool)                                                                                                 \
  X(globalavgpool)                                                                                           \
  X(batchnorm)                                                                                               \
  X(dropout)                                                                                                 \
  X(relu)                                                                                                    \
  X(leaky_relu)                                                                                              \
  X(tanh)                                                                                                    \
  X(sigmoid)                                                                                                 \
  X(gelu)                                                                                                    \
  X(flatten)                                                                                                 \
  X(softmax)                                                                                                 \
  X(residual)

#define LS_LAYER_DECLARE(name) extern const ls_layer_kind ls_layer_##name;
LS_LAYER_LIST(LS_LAYER_DECLARE)
#undef LS_LAYER_DECLARE

#endif
