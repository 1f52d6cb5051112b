/* SPDX-License-Identifier: BSD-3-Clause */
/* Registry of the attacks. */
#include <string.h>

#include "attack/attack.h"

#define LIST_KIND(name) &ls_attack_##name,
#define LIST_SCHEMA(name) &ls_attack_##name.schema,

const ls_attack_kind *const ls_attack_kinds[LS_ATTACK_COUNT + 1] = {LS_ATTACK_LIST(LIST_KIND) NULL};
const ls_schema *const ls_attack_schemas[LS_ATTACK_COUNT + 1] = {LS_ATTACK_LIST(LIST_SCHEMA) NULL};

const char *const ls_attack_step_keys[] = {"steps", "step_size", NULL};

const ls_attack_kind *ls_attack_find(const char *name)
{
  const ls_attack_kind *const *kind = ls_attack_kinds;
  while (*kind && strcmp((*kind)->schema.name, name) != 0) kind++;
  return *kind;
}
