/* SPDX-License-Identifier: BSD-3-Clause */
/* Loops that every compiler turns into vectors of AVX2, which converts neither a double to a 64-bit integer
 * nor back: both go by way of the bits of doubles of a known exponent. */
#include "train/sums/fixed.h"

#include <math.h>
#include <string.h>

static const double MOST_CONVERTED = 0x1p51, MOST_SUMMED = 0x1p62;

ls_fixed ls_fixed_make(double scale, double unit, size_t count)
{
  const double limit = fmin(MOST_CONVERTED, MOST_SUMMED / (double)count) / (scale * unit);
  const float nearest = (float)limit;
  return (ls_fixed){
      .scale = scale, .unit = unit, .limit = (double)nearest > limit ? nextafterf(nearest, 0.0F) : nearest};
}

static bool are_within(const float *values, size_t count, float limit)
{
  uint32_t outside = 0;
  for (size_t i = 0; i < count; i++) outside |= (uint32_t) !(fabsf(values[i]) < limit);
  return outside == 0;
}

static uint64_t bits_of(double value)
{
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static double double_of(uint64_t bits)
{
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* The nearest integer, if its magnitude is at most 2^51: 1.5 * 2^52 more leaves it in the low bits. */
static inline uint64_t to_integer(double value)
{
  return bits_of(value + 0x1.8p52) - 0x4338000000000000;
}

/* The nearest double: the halves of the integer, as multiples of 2^32 and of 1, joined with one rounding. */
static inline double to_double(uint64_t integer)
{
  const double high = double_of((integer >> 32 ^ 0x80000000) | 0x4530000000000000); /* 2^84 + 2^63 + it */
  const double low = double_of((integer & 0xffffffff) | 0x4330000000000000);        /* 2^52 + it */
  return (high - (0x1p84 + 0x1p63 + 0x1p52)) + low;
}

bool ls_fixed_set(const ls_fixed *format, const float *restrict values, size_t count, uint64_t *restrict sums)
{
  const double factor = format->scale * format->unit;
  for (size_t i = 0; i < count; i++) sums[i] = to_integer((double)values[i] * factor);
  return are_within(values, count, format->limit);
}

bool ls_fixed_add(const ls_fixed *format, const float *restrict values, size_t count, uint64_t *restrict sums)
{
  const double factor = format->scale * format->unit;
  for (size_t i = 0; i < count; i++) sums[i] += to_integer((double)values[i] * factor);
  return are_within(values, count, format->limit);
}

void ls_fixed_read(const ls_fixed *format, const uint64_t *restrict sums, size_t count,
                   float *restrict values)
{
  const double resolution = 1.0 / format->scale; /* exact */
  for (size_t i = 0; i < count; i++) values[i] = (float)(to_double(sums[i]) * resolution);
}
