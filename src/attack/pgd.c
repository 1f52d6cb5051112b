/* SPDX-License-Identifier: BSD-3-Clause */
/* Projected gradient descent: from a point anywhere within epsilon of the image, so many steps along the sign
 * of the gradient, each brought back to within epsilon.
 *
 * Source: Madry, Makelov, Schmidt, Tsipras, Vladu: "Towards deep learning models resistant to adversarial
 * attacks", ICLR 2018, which trains on adversarial images alone; 2.5 * epsilon / steps is its step size. */
#include "attack/attack.h"

static const double REACH = 2.5; /* all steps together, in epsilons */

static void run(const ls_attack_task *task)
{
  const ls_attack *attack = task->attack;
  const double step_size =
      attack->step_size > 0 ? attack->step_size : REACH * attack->epsilon / (double)attack->steps;
  ls_attack_start(task, ls_attack_draw(task, LS_RNG_ATTACK));
  for (size_t i = 0; i < attack->steps; i++) ls_attack_step(task, step_size);
}

const ls_attack_kind ls_attack_pgd = {
    .schema = {.name = "pgd", .doc = "many steps along the sign of the gradient, from a random start"},
    .alpha = 0.0,
    .takes_steps = true,
    .is_random = true,
    .follows_gradient = true,
    .run = run,
};
