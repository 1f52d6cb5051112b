/* SPDX-License-Identifier: BSD-3-Clause */
/* Places a drawing in an image as the makers of a dataset of drawings did. */
#ifndef LS_EVAL_PICTURES_DIGIT_H
#define LS_EVAL_PICTURES_DIGIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "eval/pictures/png_read.h"
#include "eval/pictures/drawing.h"
#include "nn/shape.h"

/** How drawings lie in the images of a dataset. */
typedef struct ls_digit_layout {
  double box;   /* of the image's sides, that a drawing is scaled to, in its proportions */
  bool by_mass; /* its centre of mass is the middle; else that of the rectangle around it */
} ls_digit_layout;

/** Is the picture such an image already: of its size, light on black or dark on white, within the box and
 * centred? Then image [h, w] is its ink, to the level. */
bool ls_digit_is_made(const ls_rgba *picture, ls_shape shape, ls_digit_layout layout, uint8_t *image);

/** Lay a drawing into image [h, w], white on black. Local. Errors: LS_E_MEMORY. */
ls_status ls_digit_lay(const ls_drawing *drawing, ls_shape shape, ls_digit_layout layout,
                       uint8_t *image) LS_CHECKED;

#endif
