/* SPDX-License-Identifier: BSD-3-Clause */
/* Printed lines, which are no handwriting. */
#ifndef LS_EVAL_RULES_H
#define LS_EVAL_RULES_H

#include "base/status.h"
#include "eval/ink.h"
#include "eval/strokes.h"

/** Take straight, thin lines that cross the whole picture out of the ink, level or upright to about 12
 * degrees; strokes that cross them stay. Local. Errors: LS_E_MEMORY. */
ls_status ls_rules_remove(ls_ink *ink) LS_CHECKED;

/** Is the stroke a rectangle's four sides? */
bool ls_rules_is_frame(const ls_strokes *strokes, const ls_stroke *stroke);

/** Take the sides of a frame out of the ink; what touches them from within stays. */
void ls_rules_remove_frame(ls_ink *ink, const ls_strokes *strokes, const ls_stroke *frame);

#endif
