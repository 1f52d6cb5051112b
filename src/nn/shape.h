/* SPDX-License-Identifier: BSD-3-Clause */
/* The shape of one sample between two layers.
 *
 * In memory a micro-batch of n samples is [n, h, w, c], channels innermost (NHWC): a GEMM then reads the
 * channels of neighbouring pixels as one matrix, with no im2col copy. Outside the kernels (checkpoints,
 * goldens, flatten's output) the order is PyTorch's [c, h, w]. */
#ifndef LS_NN_SHAPE_H
#define LS_NN_SHAPE_H

#include <stddef.h>

typedef struct ls_shape {
  size_t c, h, w; /* channels, rows, columns; a vector of features has h = w = 1 */
} ls_shape;

/** Elements of one sample. Shapes are checked against overflow where they are made (model.c). */
static inline size_t ls_shape_count(ls_shape shape)
{
  return shape.c * shape.h * shape.w;
}

#endif
