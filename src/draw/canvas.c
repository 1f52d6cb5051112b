/* SPDX-License-Identifier: BSD-3-Clause */
/* Pixel by pixel: pictures are small. */
#include "draw/canvas.h"

#include <string.h>

#include "draw/font.h"

const uint8_t ls_paper[LS_RGB] = {250, 250, 247};
const uint8_t ls_ink[LS_RGB] = {24, 24, 28};
const uint8_t ls_faint_ink[LS_RGB] = {120, 120, 128};
const uint8_t ls_alarm_ink[LS_RGB] = {176, 32, 24};

void ls_canvas_fill(ls_picture *picture, ls_point at, size_t width, size_t height,
                    const uint8_t colour[LS_RGB])
{
  for (size_t y = 0; y < height; y++)
    for (size_t x = 0; x < width; x++)
      memcpy(picture->rgb + ((at.y + y) * picture->width + at.x + x) * LS_RGB, colour, LS_RGB);
}

void ls_canvas_image(ls_picture *picture, ls_point at, size_t scale, ls_pixels image)
{
  const size_t pixels = image.height * image.width;
  const size_t plane = image.channels == LS_RGB ? pixels : 0; /* from one colour to the next */
  for (size_t i = 0; i < pixels; i++) {
    const uint8_t colour[LS_RGB] = {image.bytes[i], image.bytes[plane + i], image.bytes[2 * plane + i]};
    const ls_point dot = {at.x + i % image.width * scale, at.y + i / image.width * scale};
    ls_canvas_fill(picture, dot, scale, scale, colour);
  }
}

static void draw_glyph(ls_picture *picture, ls_point at, char character, size_t scale,
                       const uint8_t colour[LS_RGB])
{
  for (size_t y = 0; y < LS_GLYPH_HEIGHT; y++)
    for (size_t x = 0; x < LS_GLYPH_WIDTH; x++)
      if (ls_font_dot(character, x, y))
        ls_canvas_fill(picture, (ls_point){at.x + x * scale, at.y + y * scale}, scale, scale, colour);
}

void ls_canvas_text(ls_picture *picture, ls_point at, const char *text, size_t scale,
                    const uint8_t colour[LS_RGB])
{
  for (; *text && at.x + LS_GLYPH_ADVANCE * scale <= picture->width; text++) {
    draw_glyph(picture, at, *text, scale, colour);
    at.x += LS_GLYPH_ADVANCE * scale;
  }
}

size_t ls_text_width(size_t characters)
{
  return characters * LS_GLYPH_ADVANCE * LS_TEXT_SCALE;
}
