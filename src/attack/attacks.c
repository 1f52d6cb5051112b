/* SPDX-License-Identifier: BSD-3-Clause */
/* Registry of the attacks. */
#include <string.h>

#include "attack/kinds.h"

#define LIST_KIND(name) &ls_attack_##name,

const ls_attack_kind *const ls_attack_kinds[LS_ATTACK_MAX_KINDS + 1] = {LS_ATTACK_LIST(LIST_KIND) NULL};

const ls_attack_kind *ls_attack_find(const char *name)
{
  const ls_attack_kind *const *kind = ls_attack_kinds;
  while (*kind && strcmp((*kind)->name, name) != 0) kind++;
  return *kind;
}
