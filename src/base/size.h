/* SPDX-License-Identifier: BSD-3-Clause */
/* Overflow-checked arithmetic on sizes, for every product that comes from a file or a configuration. */
#ifndef LS_BASE_SIZE_H
#define LS_BASE_SIZE_H

#include <stdbool.h>
#include <stddef.h>

/** *result = a * b; false if it does not fit. */
static inline bool ls_size_mul(size_t a, size_t b, size_t *result)
{
  return !__builtin_mul_overflow(a, b, result);
}

/** *result = a + b; false if it does not fit. */
static inline bool ls_size_add(size_t a, size_t b, size_t *result)
{
  return !__builtin_add_overflow(a, b, result);
}

static inline size_t ls_size_min(size_t a, size_t b)
{
  return a < b ? a : b;
}

static inline size_t ls_size_max(size_t a, size_t b)
{
  return a > b ? a : b;
}

/** a / b, rounded up; b > 0. */
static inline size_t ls_size_ceil_div(size_t a, size_t b)
{
  return a / b + (a % b != 0);
}

/** The least multiple of `unit` that is not below a; unit > 0. */
static inline size_t ls_size_round_up(size_t a, size_t unit)
{
  return ls_size_ceil_div(a, unit) * unit;
}

/** First item of part `i` when `count` items are dealt to `parts` parts in order, as evenly as can be.
 *
 * Part i holds [ls_part_first(count, parts, i), ls_part_first(count, parts, i + 1)). 0 <= i <= parts.
 */
static inline size_t ls_part_first(size_t count, size_t parts, size_t i)
{
  return count / parts * i + count % parts * i / parts;
}

/** The part of an item in a division of weighted items into consecutive parts of about the same weight. The
 * item has `weight`, those before it have `first`, and all have `total` > 0. */
static inline size_t ls_part_of(size_t total, size_t parts, size_t first, size_t weight)
{
  return (size_t)((double)parts * ((double)first + 0.5 * (double)weight) / (double)total);
}

#endif
