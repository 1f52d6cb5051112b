/* SPDX-License-Identifier: BSD-3-Clause */
/* One row for each type. All are little-endian. */
#include "store/foreign/element.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/bfloat16.h"

static float from_float64(const unsigned char *bytes)
{
  double value;
  memcpy(&value, bytes, sizeof value);
  return (float)value;
}

static float from_float32(const unsigned char *bytes)
{
  float value;
  memcpy(&value, bytes, sizeof value);
  return value;
}

static float from_bfloat16(const unsigned char *bytes)
{
  uint16_t bits;
  float value;
  memcpy(&bits, bytes, sizeof bits);
  ls_bfloat16_to_float(&bits, 1, &value);
  return value;
}

/* IEEE 754's binary16: a sign, 5 bits of exponent, 10 of fraction. */
static float from_float16(const unsigned char *bytes)
{
  uint16_t bits;
  memcpy(&bits, bytes, sizeof bits);
  const int exponent = bits >> 10 & 0x1F, fraction = bits & 0x3FF;
  float size;
  if (exponent == 0x1F)
    size = fraction ? NAN : INFINITY;
  else if (exponent == 0)
    size = ldexpf((float)fraction, -24);
  else
    size = ldexpf((float)(fraction | 0x400), exponent - 25);
  return bits & 0x8000 ? -size : size;
}

static const ls_element elements[] = {
    {"torch.DoubleStorage", "F64", "f8", 8, from_float64},
    {"torch.FloatStorage", "F32", "f4", 4, from_float32},
    {"torch.HalfStorage", "F16", "f2", 2, from_float16},
    {"torch.BFloat16Storage", "BF16", NULL, 2, from_bfloat16},
    {"torch.LongStorage", "I64", "i8", 8, NULL},
    {"torch.IntStorage", "I32", "i4", 4, NULL},
    {"torch.ShortStorage", "I16", "i2", 2, NULL},
    {"torch.CharStorage", "I8", "i1", 1, NULL},
    {"torch.ByteStorage", "U8", "u1", 1, NULL},
    {"torch.BoolStorage", "BOOL", "b1", 1, NULL},
    {NULL, "U16", "u2", 2, NULL},
    {NULL, "U32", "u4", 4, NULL},
    {NULL, "U64", "u8", 8, NULL},
    {NULL, "F8_E4M3", NULL, 1, NULL},
    {NULL, "F8_E5M2", NULL, 1, NULL},
    {"torch.ComplexFloatStorage", "C64", "c8", 8, NULL},
    {"torch.ComplexDoubleStorage", NULL, "c16", 16, NULL},
};

/* `member`: the offset of the format's name in a row. */
static const ls_element *find(size_t member, const char *name, size_t length)
{
  for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
    const char *own;
    memcpy(&own, (const unsigned char *)&elements[i] + member, sizeof own);
    if (own && strlen(own) == length && strncmp(own, name, length) == 0) return &elements[i];
  }
  return NULL;
}

const ls_element *ls_element_of_torch(const char *name, size_t length)
{
  return find(offsetof(ls_element, torch), name, length);
}

const ls_element *ls_element_of_safetensors(const char *name, size_t length)
{
  return find(offsetof(ls_element, safetensors), name, length);
}

const ls_element *ls_element_of_numpy(const char *name, size_t length)
{
  return find(offsetof(ls_element, numpy), name, length);
}
