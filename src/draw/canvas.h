/* SPDX-License-Identifier: BSD-3-Clause */
/* Drawing into a picture: rectangles and text. What reaches beyond the picture's right edge is left out of a
 * text; rectangles have to fit. */
#ifndef LS_DRAW_CANVAS_H
#define LS_DRAW_CANVAS_H

#include <stddef.h>
#include <stdint.h>

#include "draw/png.h"

typedef struct ls_point {
  size_t x, y; /* pixels, from the upper left corner */
} ls_point;

/** Fill a rectangle whose upper left corner is at `at`. */
void ls_canvas_fill(ls_picture *picture, ls_point at, size_t width, size_t height, const uint8_t colour[3]);

/** Write a text in the font of font.h, enlarged `scale` times. */
void ls_canvas_text(ls_picture *picture, ls_point at, const char *text, size_t scale,
                    const uint8_t colour[3]);

#endif
