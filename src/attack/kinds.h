/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of attack kinds: a new kind is a file of its own and one word here. Private to the module; others
 * go through the registry in attack.h. */
#ifndef LS_ATTACK_KINDS_H
#define LS_ATTACK_KINDS_H

#include "attack/attack.h"

#define LS_ATTACK_LIST(X) X(noise) X(fgsm) X(pgd)

#define LS_ATTACK_DECLARE(name) extern const ls_attack_kind ls_attack_##name;
LS_ATTACK_LIST(LS_ATTACK_DECLARE)
#undef LS_ATTACK_DECLARE

#endif
