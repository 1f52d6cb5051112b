/* SPDX-License-Identifier: BSD-3-Clause */
/* bfloat16: the upper half of a float32, which has its range and 8 bits of precision. */
#ifndef LS_BASE_BFLOAT16_H
#define LS_BASE_BFLOAT16_H

#include <stddef.h>
#include <stdint.h>

/** Rounded to the nearest, ties to even; NaN stays NaN. */
void ls_bfloat16_from_float(const float *from, size_t count, uint16_t *to);

void ls_bfloat16_to_float(const uint16_t *from, size_t count, float *to);

/** sum[i] += x[i], in float32. */
void ls_bfloat16_add(const uint16_t *x, size_t count, float *sum);

#endif
