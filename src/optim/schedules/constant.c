/* SPDX-License-Identifier: BSD-3-Clause */
/* Constant schedule: the optimizer's learning rate from the end of the warm-up to the end of the run. */
#include "optim/kinds.h"

static const ls_key keys[] = {LS_SCHEDULE_WARMUP_KEY};

static double factor(const void *options, double base_lr, uint64_t done, uint64_t total, uint64_t epoch_steps,
                     const void *state)
{
  (void)options, (void)base_lr, (void)done, (void)total, (void)epoch_steps, (void)state;
  return 1;
}

const ls_schedule_kind ls_schedule_constant = {
    .schema = {.name = "constant",
               .doc = "The optimizer's learning rate throughout.",
               .keys = keys,
               .key_count = sizeof keys / sizeof keys[0],
               .options_bytes = sizeof(ls_schedule_common)},
    .warmup_epochs = ls_schedule_warmup_epochs,
    .factor = factor,
};
