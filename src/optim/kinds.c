/* SPDX-License-Identifier: BSD-3-Clause */
/* The registries of optimizers and schedules, made of the lists. */
#include "optim/kinds.h"

#define LIST_OPTIMIZER(name) &ls_optimizer_##name,
#define LIST_OPTIMIZER_SCHEMA(name) &ls_optimizer_##name.schema,
#define LIST_SCHEDULE(name) &ls_schedule_##name,
#define LIST_SCHEDULE_SCHEMA(name) &ls_schedule_##name.schema,

const ls_optimizer_kind *const ls_optimizer_kinds[] = {LS_OPTIMIZER_LIST(LIST_OPTIMIZER) NULL};
const ls_schema *const ls_optimizer_schemas[] = {LS_OPTIMIZER_LIST(LIST_OPTIMIZER_SCHEMA) NULL};

const ls_schedule_kind *const ls_schedule_kinds[] = {LS_SCHEDULE_LIST(LIST_SCHEDULE) NULL};
const ls_schema *const ls_schedule_schemas[] = {LS_SCHEDULE_LIST(LIST_SCHEDULE_SCHEMA) NULL};
