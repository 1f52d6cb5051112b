/* SPDX-License-Identifier: BSD-3-Clause */
/* What the kernels of a layer work with in a pass. Private to the kinds with weights. */
#ifndef LS_NN_KERNEL_PASS_H
#define LS_NN_KERNEL_PASS_H

#include <stddef.h>

#include "nn/profile.h"

typedef struct ls_kernel_pass {
  const float *packed;  /* the layer's packed weights */
  const float *bias;    /* [outputs or filters]; NULL for none; read forward */
  size_t n;             /* samples, or columns of an affine map */
  float *scratch;       /* the plan's scratch_count floats */
  const ls_pass *whole; /* the pass that this is a part of */
  const ls_layer *layer;
} ls_kernel_pass;

#endif
