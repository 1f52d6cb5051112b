/* SPDX-License-Identifier: BSD-3-Clause */
/* Random noise: every pixel moves by epsilon, up or down by chance, as far as a step of FGSM and whatever the
 * network or the label is. An attack's effect beyond that of noise comes from the gradient.
 *
 * Source: the control experiment of Goodfellow, Shlens, Szegedy: "Explaining and harnessing adversarial
 * examples", ICLR 2015 (section 6). */
#include "attack/attack.h"

static void run(const ls_attack_task *task)
{
  const size_t count = ls_attack_pixel_count(task);
  float *offsets = ls_attack_draw(task, LS_RNG_NOISE);
  for (size_t i = 0; i < count; i++) offsets[i] = offsets[i] < 0.0F ? -1.0F : 1.0F;
  ls_attack_start(task, offsets);
}

const ls_attack_kind ls_attack_noise = {
    .schema = {.name = "noise",
               .doc = "every pixel by epsilon, up or down by chance, to compare with",
               .idle = ls_attack_step_keys},
    .alpha = 0.5,
    .is_random = true,
    .run = run,
};
