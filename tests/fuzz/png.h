/* SPDX-License-Identifier: BSD-3-Clause */
/* The chunks of PNG files, for the target and for its seeds. */
#ifndef LS_TESTS_FUZZ_PNG_H
#define LS_TESTS_FUZZ_PNG_H

#include <zlib.h>

#include "fuzz/fuzz.h"

enum {
  FUZZ_PNG_BUILT = 1,   /* flag: header, palette, transparency and rows follow, of which a file is made */
  FUZZ_PNG_CHECKED = 2, /* flag: a file follows, whose checksums are put right */
  FUZZ_PNG_HEADER_BYTES = 13,
  FUZZ_PNG_CHUNK_BYTES = 12 /* of a chunk beside its data: length, type, checksum */
};

static const uint8_t fuzz_png_magic[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

static inline uint32_t fuzz_png_number(const uint8_t bytes[4])
{
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static inline void fuzz_png_put_number(uint8_t bytes[4], uint32_t value)
{
  for (int i = 0; i < 4; i++) bytes[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* Write a chunk; returns the bytes it takes. */
static inline size_t fuzz_png_chunk(uint8_t *out, const char *type, const uint8_t *data, size_t bytes)
{
  fuzz_png_put_number(out, (uint32_t)bytes);
  memcpy(out + 4, type, 4);
  if (bytes > 0) memcpy(out + 8, data, bytes);
  fuzz_png_put_number(out + 8 + bytes, (uint32_t)crc32(0, out + 4, (uInt)(4 + bytes)));
  return FUZZ_PNG_CHUNK_BYTES + bytes;
}

#endif
