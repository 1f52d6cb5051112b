/* SPDX-License-Identifier: BSD-3-Clause */
/* Adversarial training: the loss of a micro-batch is alpha times that of its images plus 1 - alpha times that
 * of the same images under attack, by the weights of the step.
 *
 * Sources: Goodfellow, Shlens, Szegedy 2015 (section 6); Madry et al. 2018 with alpha 0.
 */
#ifndef LS_ATTACK_ADVERSARY_H
#define LS_ATTACK_ADVERSARY_H

#include "config/spec.h"
#include "attack/attack.h"

typedef struct ls_adversary ls_adversary;

/** Plan the attacks of every thread. *out is NULL when the method is none. The network is borrowed. Local.
 * Errors: LS_E_MEMORY. */
ls_status ls_adversary_new(ls_adversary **out, const ls_spec_train *train, const ls_network *network,
                           uint64_t seed, size_t threads) LS_CHECKED;
void ls_adversary_free(ls_adversary *adversary); /* NULL is fine */

/** Share of the clean images' loss; 1 for NULL. */
double ls_adversary_alpha(const ls_adversary *adversary);

/** Attack the images in a thread's workspace; the pass gives epoch and profile. */
void ls_adversary_attack(const ls_adversary *adversary, size_t part, ls_workspace *workspace,
                         const ls_microbatch *microbatch, const ls_pass *pass);

#endif
