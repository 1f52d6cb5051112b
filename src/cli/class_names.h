/* SPDX-License-Identifier: BSD-3-Clause */
/* Class names as the array of texts that reports take. */
#ifndef LS_CLI_CLASS_NAMES_H
#define LS_CLI_CLASS_NAMES_H

#include <stddef.h>

#include "base/status.h"
#include "data/source.h"

/** One pointer per class into `data`, freed with free(); NULL if the dataset has no class names. Local.
 * Errors: LS_E_MEMORY. */
ls_status ls_class_names_of(const char ***out, const ls_dataset_info *data) LS_CHECKED;

#endif
