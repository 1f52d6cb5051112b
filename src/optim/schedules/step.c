/* SPDX-License-Identifier: BSD-3-Clause */
/* Step schedule: the rate drops by a factor every so many epochs, as torch.optim.lr_scheduler.StepLR does.
 * Epochs are counted from the end of the warm-up. */
#include "optim/kinds.h"

typedef struct step_options {
  ls_schedule_common common;
  size_t step_epochs;
  double gamma;
} step_options;

static const ls_key keys[] = {
    LS_SCHEDULE_WARMUP_KEY,
    {.path = "step_epochs",
     .type = LS_KEY_COUNT,
     .offset = offsetof(step_options, step_epochs),
     .min = 1,
     .max = INFINITY,
     .unit = "epochs",
     .doc = "Epochs from one drop of the learning rate to the next."},
    {.path = "gamma",
     .type = LS_KEY_REAL,
     .offset = offsetof(step_options, gamma),
     .preset = "0.1",
     .min_open = true,
     .max = 1,
     .unit = "",
     .doc = "Factor on the learning rate at each drop."},
};

static double factor(const void *options, double base_lr, uint64_t done, uint64_t total, uint64_t epoch_steps,
                     const void *state)
{
  (void)base_lr, (void)total, (void)state;
  const step_options *step = options;
  return pow(step->gamma, (double)(done / epoch_steps / step->step_epochs));
}

const ls_schedule_kind ls_schedule_step = {
    .schema = {.name = "step",
               .doc = "The learning rate drops by a factor every so many epochs.",
               .keys = keys,
               .key_count = sizeof keys / sizeof keys[0],
               .options_bytes = sizeof(step_options)},
    .warmup_epochs = ls_schedule_warmup_epochs,
    .factor = factor,
};
