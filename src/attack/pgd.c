/* SPDX-License-Identifier: BSD-3-Clause */
/* Projected gradient descent: from a point anywhere within epsilon of the image, so many steps along the sign
 * of the gradient, each brought back to within epsilon.
 *
 * Source: Madry, Makelov, Schmidt, Tsipras, Vladu: "Towards deep learning models resistant to adversarial
 * attacks", ICLR 2018, which trains on adversarial images alone; 2.5 * epsilon / steps is its step size. */
#include "attack/attack.h"

static const double REACH = 2.5; /* all steps together, in epsilons */

/* Each sample starts at a place of its own, whichever micro-batch it came in. */
static void start_anywhere(const ls_attack_task *task)
{
  const ls_microbatch *microbatch = task->microbatch;
  const size_t pixels = ls_attack_pixel_count(task) / microbatch->n;
  float *offsets = task->scratch->gradient;
  for (size_t s = 0; s < microbatch->n; s++) {
    const ls_rng rng = ls_rng_stream(task->attack->seed, LS_RNG_ATTACK, task->round, microbatch->samples[s]);
    ls_rng_uniform(&rng, -1.0F, 1.0F, offsets + s * pixels, pixels);
  }
  ls_attack_start(task, offsets);
}

static void run(const ls_attack_task *task)
{
  const ls_attack *attack = task->attack;
  const double step_size =
      attack->step_size > 0 ? attack->step_size : REACH * attack->epsilon / (double)attack->steps;
  start_anywhere(task);
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
