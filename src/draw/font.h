/* SPDX-License-Identifier: BSD-3-Clause */
/* A small fixed-width bitmap font, for labels in pictures. */
#ifndef LS_DRAW_FONT_H
#define LS_DRAW_FONT_H

#include <stdbool.h>
#include <stddef.h>

enum { LS_GLYPH_WIDTH = 5, LS_GLYPH_HEIGHT = 7, LS_GLYPH_ADVANCE = 6 }; /* pixels */

/** Is the dot in column x < 5, row y < 7 of this character set? Characters outside of printable ASCII look
 * like
 * '?'. */
bool ls_font_dot(char character, size_t x, size_t y);

#endif
