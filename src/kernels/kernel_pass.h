/* SPDX-License-Identifier: BSD-3-Clause */
/* The arguments of a layer's kernels in a pass. */
#ifndef LS_KERNELS_KERNEL_PASS_H
#define LS_KERNELS_KERNEL_PASS_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/profile.h"

typedef struct ls_kernel_pass {
  const float *packed; /* the layer's packed weights */
  const float *bias;   /* [outputs or filters]; NULL for none; read forward */
  size_t n;            /* samples, or columns of an affine map */
  float *scratch;      /* the plan's scratch_count floats */
  bool accumulate;     /* gradients of weights are added to */
  ls_profile *profile; /* NULL: no profile is taken */
  size_t layer;        /* its index in the profile */
  /* Called when the gradients from `first` on, an offset in `grads`, are complete. NULL: not called. */
  void (*done)(void *waiting, size_t first);
  void *waiting;
  size_t grad_offset; /* of the layer's gradients */
} ls_kernel_pass;

#endif
