/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading any PNG picture. */
#ifndef LS_EVAL_PICTURES_PNG_READ_H
#define LS_EVAL_PICTURES_PNG_READ_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { LS_RGBA = 4 /* bytes of a pixel: red, green, blue, alpha */ };

/** A colour picture with opacity. */
typedef struct ls_rgba {
  size_t width, height; /* pixels */
  uint8_t *pixels;      /* [height, width, LS_RGBA], alpha 255: opaque; owned */
} ls_rgba;

/** Read a PNG file of any colour type and depth: grey, palette, colour, with alpha or a transparent colour,
 * interlaced too, turned as its eXIf chunk says. 16 bits are rounded to 8, or taken as they are where no
 * number is above 255, which would be black; gamma is left as it is, like texts and profiles, which are not
 * even decompressed: time and memory are bounded by the sizes of the file and of the picture.
 *
 * Local. Errors: LS_E_INPUT if it is no PNG file, is damaged, or has more than 2^26 pixels or 65536 in a row
 * or column; LS_E_IO, LS_E_MEMORY. On error there is nothing to release.
 */
ls_status ls_png_read(const char *path, ls_rgba *out) LS_CHECKED;
void ls_rgba_fini(ls_rgba *picture);

#endif
