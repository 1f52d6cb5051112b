/* SPDX-License-Identifier: BSD-3-Clause */
/* PNG files, chunk by chunk. */
#ifndef LS_TESTS_UNIT_EVAL_PNG_CHUNKS_H
#define LS_TESTS_UNIT_EVAL_PNG_CHUNKS_H

#include "unit/data/files.h"

#include <zlib.h>

#include "eval/pictures/png_read.h"

/* A chunk of a PNG file. */
static inline void put_chunk(bytes *out, const char *type, const void *data, size_t count)
{
  put_number(out, (uint32_t)count);
  const size_t start = out->count;
  put(out, type, 4);
  put(out, data, count);
  put_number(out, (uint32_t)crc32(0, out->data + start, (uInt)(out->count - start)));
}

/* Up to the header of a grey picture of so many pixels and bits. */
static inline bytes png_header(uint32_t width, uint32_t height, unsigned depth)
{
  bytes header = {.count = 0}, out = {.count = 0};
  put_number(&header, width);
  put_number(&header, height);
  put_byte(&header, depth);
  put(&header, "\0\0\0\0", 4);
  put(&out, "\x89PNG\r\n\x1a\n", 8);
  put_chunk(&out, "IHDR", header.data, header.count);
  return out;
}

/* The file is refused, by its name and with these words. */
static inline void assert_no_picture(const bytes *file, const char *part)
{
  ls_rgba picture;
  write_plain("a.png", file);
  assert_int_equal(ls_png_read("a.png", &picture), LS_E_INPUT);
  assert_says("'a.png'");
  assert_says(part);
}

#endif
