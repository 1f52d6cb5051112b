/* SPDX-License-Identifier: BSD-3-Clause */
/* Drawing into a picture: rectangles, images and text. Text is cut at the picture's right edge; rectangles
 * and images have to fit. */
#ifndef LS_DRAW_CANVAS_H
#define LS_DRAW_CANVAS_H

#include <stddef.h>
#include <stdint.h>

#include "draw/png.h"

enum { LS_RGB = 3, LS_TEXT_SCALE = 2 /* of labels, as ls_canvas_text() takes it */ };

/* The colours of all pictures. */
extern const uint8_t ls_paper[LS_RGB], ls_ink[LS_RGB], ls_faint_ink[LS_RGB], ls_alarm_ink[LS_RGB];

typedef struct ls_point {
  size_t x, y; /* pixels, from the upper left corner */
} ls_point;

/** An image of bytes; of three channels it is in colour, otherwise its first channel is shown in grey. */
typedef struct ls_pixels {
  size_t channels, height, width;
  const uint8_t *bytes; /* [channels, height, width]; borrowed */
} ls_pixels;

/** Fill a rectangle whose upper left corner is at `at`. */
void ls_canvas_fill(ls_picture *picture, ls_point at, size_t width, size_t height,
                    const uint8_t colour[LS_RGB]);

/** Draw an image, each of its pixels as a square of `scale` by `scale`. */
void ls_canvas_image(ls_picture *picture, ls_point at, size_t scale, ls_pixels image);

/** Write a text in the font of font.h, enlarged `scale` times. */
void ls_canvas_text(ls_picture *picture, ls_point at, const char *text, size_t scale,
                    const uint8_t colour[LS_RGB]);

/** Pixels that so many characters of a label take. */
size_t ls_text_width(size_t characters);

#endif
