/* SPDX-License-Identifier: BSD-3-Clause */
/* Connected parts of the ink. */
#ifndef LS_EVAL_PICTURES_STROKES_H
#define LS_EVAL_PICTURES_STROKES_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "eval/pictures/ink.h"

enum { LS_MOST_STROKES = 64 };

/** A connected part, eight neighbours to a pixel. */
typedef struct ls_stroke {
  uint32_t label;                  /* from 1 */
  size_t left, top, right, bottom; /* the rectangle around it; right and bottom are beyond it */
  double mass;                     /* sum of its ink */
  size_t area;                     /* pixels */
  size_t contact;                  /* of them on the border of the picture */
} ls_stroke;

/** The parts of most ink; what is smaller than all of them is left out. */
typedef struct ls_strokes {
  size_t width, height, count;
  ls_stroke list[LS_MOST_STROKES];
  uint32_t *labels; /* [height, width], 0: no ink; owned: ls_strokes_fini() */
} ls_strokes;

/** The parts that are above `weak` everywhere, and above `strong` somewhere (hysteresis, as in Canny, IEEE
 * Trans. PAMI 8 (1986) 679-698), in smoothed ink. Local. Errors: LS_E_MEMORY; nothing is left then. */
ls_status ls_strokes_find(const ls_ink *ink, float strong, float weak, ls_strokes *out) LS_CHECKED;
void ls_strokes_fini(ls_strokes *strokes);

static inline size_t ls_stroke_width(const ls_stroke *stroke)
{
  return stroke->right - stroke->left;
}

static inline size_t ls_stroke_height(const ls_stroke *stroke)
{
  return stroke->bottom - stroke->top;
}

/** The longer side of the rectangle around it. */
size_t ls_stroke_size(const ls_stroke *stroke);

#endif
