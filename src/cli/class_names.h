/* SPDX-License-Identifier: BSD-3-Clause */
/* Class names as the array of texts that reports take, and the class that a user names. */
#ifndef LS_CLI_CLASS_NAMES_H
#define LS_CLI_CLASS_NAMES_H

#include <stddef.h>

#include "base/status.h"
#include "data/source.h"

/** One pointer per class into `data`, freed with free(); NULL if the dataset has no class names. Local.
 * Errors: LS_E_MEMORY. */
ls_status ls_class_names_of(const char ***out, const ls_dataset_info *data) LS_CHECKED;

/** The one class that `given` means: a name, a number from 0 on, or, as #3, a number whatever names there
 * are. `option` is for messages. Local. Errors: LS_E_USAGE if there is none, or if there are two. */
ls_status ls_class_find(size_t *out, const ls_dataset_info *data, const char *option,
                        const char *given) LS_CHECKED;

#endif
