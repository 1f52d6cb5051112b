/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of everything that a configuration may name. */
#ifndef LS_TRAIN_SCHEMAS_H
#define LS_TRAIN_SCHEMAS_H

#include "config/keys.h"

/** The kinds of all families. */
extern const ls_schemas ls_all_schemas;

#endif
