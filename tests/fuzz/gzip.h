/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes to gzip data and back, for the targets and for their seeds. */
#ifndef LS_TESTS_FUZZ_GZIP_H
#define LS_TESTS_FUZZ_GZIP_H

#include <zlib.h>

#include "fuzz/fuzz.h"

enum { FUZZ_GZIP_FORMAT = 16, FUZZ_GZIP_FAST = 1 };

/* One member; 0 if it does not fit. */
static inline size_t fuzz_gzip(const uint8_t *data, size_t bytes, uint8_t *out, size_t limit)
{
  z_stream stream = {.next_in = (uint8_t *)(uintptr_t)data, .avail_in = (uInt)bytes};
  stream.next_out = out;
  stream.avail_out = (uInt)limit;
  int code = deflateInit2(&stream, FUZZ_GZIP_FAST, Z_DEFLATED, MAX_WBITS + FUZZ_GZIP_FORMAT, MAX_MEM_LEVEL,
                          Z_DEFAULT_STRATEGY);
  FUZZ_REQUIRE(code == Z_OK, "zlib: %d", code);
  code = deflate(&stream, Z_FINISH);
  deflateEnd(&stream);
  return code == Z_STREAM_END ? stream.total_out : 0;
}

/* As much as can be had of the first member, whether or not it is intact. */
static inline size_t fuzz_gunzip(const uint8_t *data, size_t bytes, uint8_t *out, size_t limit)
{
  z_stream stream = {.next_in = (uint8_t *)(uintptr_t)data, .avail_in = (uInt)bytes};
  stream.next_out = out;
  stream.avail_out = (uInt)limit;
  int code = inflateInit2(&stream, MAX_WBITS + FUZZ_GZIP_FORMAT);
  FUZZ_REQUIRE(code == Z_OK, "zlib: %d", code);
  (void)inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  return stream.total_out;
}

#endif
