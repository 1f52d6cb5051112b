/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/bfloat16.h"

#include <string.h>

static inline float widen(uint16_t half)
{
  const uint32_t bits = (uint32_t)half << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static inline uint16_t narrow(float value)
{
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  const uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  const uint32_t nan = bits >> 16 | 0x40; /* quiet, whatever its lower half was */
  return (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? nan : rounded);
}

void ls_bfloat16_from_float(const float *from, size_t count, uint16_t *to)
{
  for (size_t i = 0; i < count; i++) to[i] = narrow(from[i]);
}

void ls_bfloat16_to_float(const uint16_t *from, size_t count, float *to)
{
  for (size_t i = 0; i < count; i++) to[i] = widen(from[i]);
}

void ls_bfloat16_add(const uint16_t *x, size_t count, float *sum)
{
  for (size_t i = 0; i < count; i++) sum[i] += widen(x[i]);
}
