/* SPDX-License-Identifier: BSD-3-Clause */
/* The registry of layer kinds, made from the one list in kinds.h. */
#include "nn/kinds.h"

#define KIND_ENTRY(name) &ls_layer_##name,
#define SCHEMA_ENTRY(name) &ls_layer_##name.schema,

const ls_layer_kind *const ls_layer_kinds[] = {LS_LAYER_LIST(KIND_ENTRY) NULL};
const ls_schema *const ls_layer_schemas[] = {LS_LAYER_LIST(SCHEMA_ENTRY) NULL};
