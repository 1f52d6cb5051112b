/* SPDX-License-Identifier: BSD-3-Clause */
/* What is convolved, and how. Private to the convolution. */
#ifndef LS_NN_CONV_SHAPE_H
#define LS_NN_CONV_SHAPE_H

#include <stddef.h>

#include "nn/shape.h"

typedef struct ls_conv_shape {
  ls_shape in, out;      /* per sample */
  size_t kernel, stride; /* square, pixels */
  size_t top, left;      /* padding before the first row and column; below and right as needed */
} ls_conv_shape;

#endif
