/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds the ink in a picture of paper, and its strength. */
#ifndef LS_EVAL_PICTURES_INK_H
#define LS_EVAL_PICTURES_INK_H

#include <stddef.h>

#include "base/status.h"
#include "eval/pictures/planes.h"

/** Ink over a picture: 0 is paper, 1 is the strongest contrast to it that can be seen. */
typedef struct ls_ink {
  size_t width, height;
  float *values; /* [height, width], 0 .. 1; owned: ls_ink_fini() */
  float *smooth; /* the same without the finest grain, which decides what is ink; owned */
  float floor;   /* below it `smooth` is grain of the paper */
} ls_ink;

/** Find the ink of a picture of three planes: dark on light or light on dark, in any colour, under any light.
 * Local. Errors: LS_E_INPUT where nothing stands out from the paper; LS_E_MEMORY. On error nothing is left.
 */
ls_status ls_ink_find(const ls_planes *picture, ls_ink *out) LS_CHECKED;
void ls_ink_fini(ls_ink *ink);

/** The level that best parts the values above `floor` in two: Otsu, IEEE Trans. SMC 9 (1979) 62-66. `floor`
 * where there are none. */
float ls_ink_level(const float *values, size_t count, float floor);

#endif
