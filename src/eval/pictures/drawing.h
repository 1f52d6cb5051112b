/* SPDX-License-Identifier: BSD-3-Clause */
/* The one drawing of a picture that is to be recognized: a digit or a letter, of one or several strokes. */
#ifndef LS_EVAL_PICTURES_DRAWING_H
#define LS_EVAL_PICTURES_DRAWING_H

#include <stddef.h>

#include "base/status.h"
#include "eval/pictures/png_read.h"

/** A drawing, cut out: its own ink alone. */
typedef struct ls_drawing {
  size_t width, height;
  float *ink;    /* [height, width], 0 .. 1; owned: ls_drawing_fini() */
  size_t others; /* drawings of about its size beside it, which were left out */
  bool is_sheet; /* it covers much of the picture, as no strokes do: the paper itself, or an area on it */
} ls_drawing;

/** Find the drawing in a picture. Local. Errors: LS_E_INPUT where there is no ink; LS_E_MEMORY. On error
 * nothing is left. */
ls_status ls_drawing_find(const ls_rgba *picture, ls_drawing *out) LS_CHECKED;
void ls_drawing_fini(ls_drawing *drawing);

#endif
