/* SPDX-License-Identifier: BSD-3-Clause */
/* Rectangles and text, pixel by pixel: pictures are small. */
#include "draw/canvas.h"

#include <string.h>

#include "draw/font.h"

enum { RGB = 3 };

void ls_canvas_fill(ls_picture *picture, ls_point at, size_t width, size_t height, const uint8_t colour[3])
{
  for (size_t y = 0; y < height; y++)
    for (size_t x = 0; x < width; x++)
      memcpy(picture->rgb + ((at.y + y) * picture->width + at.x + x) * RGB, colour, RGB);
}

static void draw_glyph(ls_picture *picture, ls_point at, char character, size_t scale,
                       const uint8_t colour[3])
{
  for (size_t y = 0; y < LS_GLYPH_HEIGHT; y++)
    for (size_t x = 0; x < LS_GLYPH_WIDTH; x++)
      if (ls_font_dot(character, x, y))
        ls_canvas_fill(picture, (ls_point){at.x + x * scale, at.y + y * scale}, scale, scale, colour);
}

void ls_canvas_text(ls_picture *picture, ls_point at, const char *text, size_t scale, const uint8_t colour[3])
{
  for (; *text && at.x + LS_GLYPH_ADVANCE * scale <= picture->width; text++) {
    draw_glyph(picture, at, *text, scale, colour);
    at.x += LS_GLYPH_ADVANCE * scale;
  }
}
