/* SPDX-License-Identifier: BSD-3-Clause */
/* Cosine schedule: half a cosine from the optimizer's learning rate down to min_lr, step by step over the
 * whole run, as torch.optim.lr_scheduler.CosineAnnealingLR with T_max = steps of the run. Source: Loshchilov,
 * Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017 (no restarts). */
#include "base/size.h"
#include "train/kinds.h"

typedef struct cosine_options {
  ls_schedule_common common;
  double min_lr;
} cosine_options;

static const ls_key keys[] = {
    LS_SCHEDULE_WARMUP_KEY,
    {.path = "min_lr",
     .type = LS_KEY_REAL,
     .offset = offsetof(cosine_options, min_lr),
     .preset = "0",
     .max = INFINITY,
     .unit = "",
     .doc = "Learning rate that the end of the run comes down to."},
};

static double factor(const void *options, double base_lr, uint64_t done, uint64_t total, uint64_t epoch_steps,
                     const ls_progress *progress)
{
  (void)epoch_steps, (void)progress;
  if (total == 0) return 1; /* the warm-up takes the whole run */
  const double floor_factor = ((const cosine_options *)options)->min_lr / base_lr;
  const double share = (double)ls_size_min(done, total) / (double)total;
  return floor_factor + (1 - floor_factor) * (1 + cos(M_PI * share)) / 2;
}

const ls_schedule_kind ls_schedule_cosine = {
    .schema = {.name = "cosine",
               .doc = "Half a cosine from the optimizer's learning rate down to min_lr.",
               .keys = keys,
               .key_count = sizeof keys / sizeof keys[0],
               .options_bytes = sizeof(cosine_options)},
    .warmup_epochs = ls_schedule_warmup_epochs,
    .factor = factor,
};
