/* SPDX-License-Identifier: BSD-3-Clause */
/* Printed lines, which are no handwriting. */
#ifndef LS_EVAL_PICTURES_RULED_LINES_H
#define LS_EVAL_PICTURES_RULED_LINES_H

#include <stdbool.h>

#include "base/status.h"
#include "eval/pictures/ink.h"
#include "eval/pictures/strokes.h"

/** Take straight, thin lines that cross the whole picture out of the ink, level or upright to about 12
 * degrees; strokes that cross them stay. Local. Errors: LS_E_MEMORY. */
ls_status ls_ruled_lines_remove(ls_ink *ink) LS_CHECKED;

/** Take two level and two upright lines along a stroke's rectangle out of the ink: a frame; what touches or
 * crosses them stays. `is_one`: it had them; if not, some may be gone all the same. Local. Errors:
 * LS_E_MEMORY.
 */
ls_status ls_ruled_frame_remove(ls_ink *ink, const ls_strokes *strokes, const ls_stroke *frame,
                                bool *is_one) LS_CHECKED;

#endif
