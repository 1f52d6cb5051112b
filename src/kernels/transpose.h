/* SPDX-License-Identifier: BSD-3-Clause */
/* Transposition of matrices, as of weights when they are packed. */
#ifndef LS_KERNELS_TRANSPOSE_H
#define LS_KERNELS_TRANSPOSE_H

#include <stddef.h>

/** y[columns][rows] = x[rows][columns]; a pitch is the number of floats from row to row. */
typedef void ls_transpose_function(const float *x, size_t x_pitch, size_t rows, size_t columns, float *y,
                                   size_t y_pitch);

#endif
