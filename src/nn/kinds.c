/* SPDX-License-Identifier: BSD-3-Clause */
/* The registries of layers and losses, made of the lists. */
#include "nn/kinds.h"

#define LIST_LAYER(name) &ls_layer_##name,
#define LIST_LAYER_SCHEMA(name) &ls_layer_##name.schema,
#define LIST_LOSS(name) &ls_loss_##name,
#define LIST_LOSS_SCHEMA(name) &ls_loss_##name.schema,

const ls_layer_kind *const ls_layer_kinds[] = {LS_LAYER_LIST(LIST_LAYER) NULL};
const ls_schema *const ls_layer_schemas[] = {LS_LAYER_LIST(LIST_LAYER_SCHEMA) NULL};

const ls_loss_kind *const ls_loss_kinds[] = {LS_LOSS_LIST(LIST_LOSS) NULL};
const ls_schema *const ls_loss_schemas[] = {LS_LOSS_LIST(LIST_LOSS_SCHEMA) NULL};
