/* SPDX-License-Identifier: BSD-3-Clause */
/* PNG pictures by libpng. */
#ifndef LS_DRAW_PNG_H
#define LS_DRAW_PNG_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/** A colour picture. */
typedef struct ls_picture {
  size_t width, height; /* pixels */
  uint8_t *rgb;         /* [height, width, 3]; owned */
} ls_picture;

/** A picture of one colour; width and height are above 0. Local. Errors: LS_E_MEMORY. */
ls_status ls_picture_init(ls_picture *picture, size_t width, size_t height,
                          const uint8_t colour[3]) LS_CHECKED;
void ls_picture_fini(ls_picture *picture);

/** Write a picture to a PNG file, atomically: what `path` held before stays intact until the new file is
 * complete. Local. Errors: LS_E_INPUT if PNG cannot hold a picture that large; LS_E_IO, LS_E_MEMORY. */
ls_status ls_png_write(const char *path, const ls_picture *picture) LS_CHECKED;

#endif
