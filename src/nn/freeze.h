/* SPDX-License-Identifier: BSD-3-Clause */
/* Which layers model.freeze means: by name, or by glob. Private to the module. */
#ifndef LS_NN_FREEZE_H
#define LS_NN_FREEZE_H

#include <stdbool.h>

#include "base/status.h"
#include "config/keys.h"
#include "nn/model.h"

/** Does a name or glob of the list (NULL: empty) fit a layer's full name? */
bool ls_freeze_has(const ls_text_list *list, const char *layer);

/** Refuse a list with names or globs that fit no layer of the model. Local. Errors: LS_E_CONFIG. */
ls_status ls_freeze_check(const ls_text_list *list, const ls_model *model) LS_CHECKED;

#endif
