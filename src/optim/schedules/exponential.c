/* SPDX-License-Identifier: BSD-3-Clause */
/* Exponential schedule: the rate drops by a factor after every epoch, as
 * torch.optim.lr_scheduler.ExponentialLR does. Epochs are counted from the end of the warm-up. */
#include "optim/kinds.h"

typedef struct exponential_options {
  ls_schedule_common common;
  double gamma;
} exponential_options;

static const ls_key keys[] = {
    LS_SCHEDULE_WARMUP_KEY,
    {.path = "gamma",
     .type = LS_KEY_REAL,
     .offset = offsetof(exponential_options, gamma),
     .min_open = true,
     .max = 1,
     .unit = "",
     .doc = "Factor on the learning rate after each epoch."},
};

static double factor(const void *options, double base_lr, uint64_t done, uint64_t total, uint64_t epoch_steps,
                     const void *state)
{
  (void)base_lr, (void)total, (void)state;
  return pow(((const exponential_options *)options)->gamma, (double)(done / epoch_steps));
}

const ls_schedule_kind ls_schedule_exponential = {
    .schema = {.name = "exponential",
               .doc = "The learning rate drops by a factor after every epoch.",
               .keys = keys,
               .key_count = sizeof keys / sizeof keys[0],
               .options_bytes = sizeof(exponential_options)},
    .warmup_epochs = ls_schedule_warmup_epochs,
    .factor = factor,
};
