/* SPDX-License-Identifier: BSD-3-Clause */
/* From pictures to images (src/eval/pictures/intake.c). The input draws: a size, a kind, the paper, and then
 * rectangles, so that lines, frames, digits and blots come about; the rest are pixels one by one. */
#include "eval/pictures/intake.h"
#include "fuzz/fuzz.h"

enum { SIDE = 28, RECTANGLES = 40 };

/* Sides up to 128: large enough for lines and frames, and small enough to be quick. */
static size_t half_byte(fuzz_bytes *in)
{
  return (fuzz_byte(in) + 1U) / 2;
}

static void fill(ls_rgba *picture, fuzz_bytes *in)
{
  const size_t left = half_byte(in), top = half_byte(in), width = half_byte(in), height = half_byte(in);
  uint8_t colour[LS_RGBA];
  for (size_t c = 0; c < LS_RGBA; c++) colour[c] = fuzz_byte(in);
  for (size_t y = top; y < top + height && y < picture->height; y++)
    for (size_t x = left; x < left + width && x < picture->width; x++)
      memcpy(picture->pixels + (y * picture->width + x) * LS_RGBA, colour, LS_RGBA);
}

static void draw(ls_rgba *picture, fuzz_bytes in)
{
  memset(picture->pixels, fuzz_byte(&in), picture->width * picture->height * LS_RGBA);
  for (size_t i = 0; i < RECTANGLES && in.left > 0; i++) fill(picture, &in);
  for (size_t i = 0; in.left > 0 && i < picture->width * picture->height * LS_RGBA; i++)
    picture->pixels[i] ^= fuzz_byte(&in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
  fuzz_bytes in = {data, bytes};
  const size_t width = 1 + half_byte(&in), height = 1 + half_byte(&in);
  const uint8_t flags = fuzz_byte(&in);
  const ls_intake_way way = {.kind = LS_PICTURE_PLAIN + flags % 4U, .whole = flags & 4};
  const ls_shape shape = {.c = flags & 8 ? 3 : 1, .h = flags & 16 ? 7 : SIDE, .w = SIDE};
  uint8_t image[3 * SIDE * SIDE];
  ls_rgba picture = {.width = width, .height = height, .pixels = malloc(width * height * LS_RGBA)};
  ls_text warnings = {0};
  FUZZ_REQUIRE(picture.pixels, "memory");
  draw(&picture, in);
  if (fuzz_accepted(ls_intake(&picture, shape, way, image, &warnings))) {
    unsigned sum = 0; /* every pixel is there */
    for (size_t i = 0; i < shape.c * shape.h * shape.w; i++) sum += image[i];
    FUZZ_REQUIRE(way.kind == LS_PICTURE_PLAIN || sum > 0, "a drawing without ink");
  }
  ls_text_fini(&warnings);
  ls_rgba_fini(&picture);
  return 0;
}
