/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of attacks: a new kind is a file of its own and one word here. Others go through the registry in
 * attack.h. */
#ifndef LS_ATTACK_KINDS_H
#define LS_ATTACK_KINDS_H

#define LS_ATTACK_LIST(X) X(noise) X(fgsm) X(pgd)

#endif
