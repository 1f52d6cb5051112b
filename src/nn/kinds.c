/* SPDX-License-Identifier: BSD-3-Clause */
/* The registries of layers and losses, made from the lists in kinds.h. */
#include "nn/kinds.h"

#define LAYER_ENTRY(name) &ls_layer_##name,
#define LAYER_SCHEMA(name) &ls_layer_##name.schema,
#define LOSS_ENTRY(name) &ls_loss_##name,
#define LOSS_SCHEMA(name) &ls_loss_##name.schema,

const ls_layer_kind *const ls_layer_kinds[] = {LS_LAYER_LIST(LAYER_ENTRY) NULL};
const ls_schema *const ls_layer_schemas[] = {LS_LAYER_LIST(LAYER_SCHEMA) NULL};

const ls_loss_kind *const ls_loss_kinds[] = {LS_LOSS_LIST(LOSS_ENTRY) NULL};
const ls_schema *const ls_loss_schemas[] = {LS_LOSS_LIST(LOSS_SCHEMA) NULL};
