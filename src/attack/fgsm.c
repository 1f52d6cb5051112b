/* SPDX-License-Identifier: BSD-3-Clause */
/* The fast gradient sign method: x + epsilon * sign(gradient of the loss at x).
 *
 * Source: Goodfellow, Shlens, Szegedy: "Explaining and harnessing adversarial examples", ICLR 2015, which
 * also gives the equal mix of clean and adversarial loss. */
#include "attack/attack.h"

static void run(const ls_attack_task *task)
{
  ls_attack_step(task, task->attack->epsilon);
}

const ls_attack_kind ls_attack_fgsm = {
    .schema = {.name = "fgsm", .doc = "one step along the sign of the gradient", .idle = ls_attack_step_keys},
    .alpha = 0.5,
    .follows_gradient = true,
    .run = run,
};
