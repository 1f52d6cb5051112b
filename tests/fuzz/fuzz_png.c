/* SPDX-License-Identifier: BSD-3-Clause */
/* Pictures (src/eval/pictures/png_read.c). Checksums would stop nearly every mutation at the door: so the
 * input, behind a byte of flags, is a file as it is, or one whose checksums are put right, or the parts that
 * a file is made of: a header, palette and transparency with their lengths before them, and what the rows
 * hold. */
#include "fuzz/png.h"

#include "eval/pictures/png_read.h"

enum { ROWS_BYTES = 1 << 16, FILE_BYTES = 1 << 17, FEW_PIXELS = 1 << 20, MOST_PIXELS = 1 << 26 };

static uint8_t file[FILE_BYTES];

/* Pictures of that many pixels are legal, and take more time and memory than is worth it here. */
static bool is_large(const uint8_t *data, size_t bytes)
{
  if (bytes < sizeof fuzz_png_magic + 16) return false;
  const uint64_t pixels = (uint64_t)fuzz_png_number(data + 16) * fuzz_png_number(data + 20);
  return pixels > FEW_PIXELS && pixels <= MOST_PIXELS;
}

static size_t build(fuzz_bytes in)
{
  static uint8_t packed[ROWS_BYTES + (1 << 10)];
  const fuzz_bytes header = fuzz_take(&in, FUZZ_PNG_HEADER_BYTES);
  const fuzz_bytes palette = fuzz_part(&in), transparency = fuzz_part(&in);
  const fuzz_bytes rows = fuzz_take(&in, ROWS_BYTES);
  uLongf count = sizeof packed;
  if (palette.left + transparency.left > ROWS_BYTES / 2) return 0;
  FUZZ_REQUIRE(compress2(packed, &count, rows.at, rows.left, 1) == Z_OK, "zlib");
  memcpy(file, fuzz_png_magic, sizeof fuzz_png_magic);
  size_t bytes = sizeof fuzz_png_magic;
  bytes += fuzz_png_chunk(file + bytes, "IHDR", header.at, header.left);
  if (palette.left > 0) bytes += fuzz_png_chunk(file + bytes, "PLTE", palette.at, palette.left);
  if (transparency.left > 0)
    bytes += fuzz_png_chunk(file + bytes, "tRNS", transparency.at, transparency.left);
  bytes += fuzz_png_chunk(file + bytes, "IDAT", packed, count);
  return bytes + fuzz_png_chunk(file + bytes, "IEND", NULL, 0);
}

static size_t put_right(fuzz_bytes in)
{
  if (in.left > FILE_BYTES) return 0;
  if (in.left > 0) memcpy(file, in.at, in.left);
  size_t at = sizeof fuzz_png_magic;
  while (in.left >= at + FUZZ_PNG_CHUNK_BYTES) {
    const size_t bytes = fuzz_png_number(file + at);
    if (bytes > in.left - at - FUZZ_PNG_CHUNK_BYTES) break;
    fuzz_png_put_number(file + at + 8 + bytes, (uint32_t)crc32(0, file + at + 4, (uInt)(4 + bytes)));
    at += FUZZ_PNG_CHUNK_BYTES + bytes;
  }
  return in.left;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
  fuzz_bytes in = {data, bytes};
  const uint8_t flags = fuzz_byte(&in);
  ls_rgba picture;
  const bool is_made = flags & (FUZZ_PNG_BUILT | FUZZ_PNG_CHECKED);
  const size_t count = !is_made ? in.left : flags & FUZZ_PNG_BUILT ? build(in) : put_right(in);
  const uint8_t *content = is_made ? file : in.at;
  if (is_large(content, count)) return 0;
  fuzz_write("picture.png", content, count);
  if (!fuzz_accepted(ls_png_read("picture.png", &picture))) return 0;
  unsigned sum = 0; /* every pixel is there */
  for (size_t i = 0; i < 4 * picture.width * picture.height; i++) sum += picture.pixels[i];
  FUZZ_REQUIRE(sum <= 4 * 255U * picture.width * picture.height, "pixels");
  ls_rgba_fini(&picture);
  return 0;
}
