/* SPDX-License-Identifier: BSD-3-Clause */
/* Sums that do not depend on their order: 64-bit fixed point, two's complement, whose addition is
 * associative. One number is the integer nearest to value * scale.
 *
 * Source of the idea: Demmel and Nguyen: "Parallel Reproducible Summation", IEEE Trans. Computers 64(7),
 * 2015, section 1, for why the order of a floating-point sum matters; with a known range integers do. */
#ifndef LS_TRAIN_SUMS_FIXED_H
#define LS_TRAIN_SUMS_FIXED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ls_fixed {
  double scale; /* of the sum: a power of two */
  double unit;  /* factor on the values */
  float limit;  /* values must be smaller */
} ls_fixed;

/** A format of this scale. Its limit is such that a sum of `count` values fits 64 bits and one value fits the
 * conversion. */
ls_fixed ls_fixed_make(double scale, double unit, size_t count);

/** sums = values, or sums += values. Returns whether all were within the limit; if not, sums are invalid.
 */
bool ls_fixed_set(const ls_fixed *format, const float *restrict values, size_t count,
                  uint64_t *restrict sums);
bool ls_fixed_add(const ls_fixed *format, const float *restrict values, size_t count,
                  uint64_t *restrict sums);

/** values = sums / scale, rounded to nearest. */
void ls_fixed_read(const ls_fixed *format, const uint64_t *restrict sums, size_t count,
                   float *restrict values);

#endif
