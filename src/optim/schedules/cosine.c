/* SPDX-License-Identifier: BSD-3-Clause */
/* Cosine schedule: half a cosine from the optimizer's learning rate down to min_lr, step by step over the
 * whole run, as torch.optim.lr_scheduler.CosineAnnealingLR with T_max = steps of the run; or over each of
 * several cycles, as CosineAnnealingWarmRestarts. Source: Loshchilov, Hutter, "SGDR: stochastic gradient
 * descent with warm restarts", ICLR 2017. */
#include "base/size.h"
#include "optim/kinds.h"

typedef struct cosine_options {
  ls_schedule_common common;
  double min_lr;
  size_t cycles;
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
    {.path = "cycles",
     .type = LS_KEY_COUNT,
     .offset = offsetof(cosine_options, cycles),
     .preset = "1",
     .min = 1,
     .max = 1000,
     .unit = "",
     .doc = "So many cosines after one another, each from the full learning rate: warm restarts."},
};

static double factor(const void *options, double base_lr, uint64_t done, uint64_t total, uint64_t epoch_steps,
                     const void *state)
{
  (void)epoch_steps, (void)state;
  if (total == 0) return 1; /* the warm-up takes the whole run */
  const cosine_options *cosine = options;
  const double floor_factor = cosine->min_lr / base_lr;
  const double share = done < total ? (double)(done * cosine->cycles % total) / (double)total : 1;
  return floor_factor + (1 - floor_factor) * (1 + cos(M_PI * share)) / 2;
}

static size_t cycles(const void *options)
{
  return ((const cosine_options *)options)->cycles;
}

const ls_schedule_kind ls_schedule_cosine = {
    .schema = {.name = "cosine",
               .doc = "Half a cosine from the optimizer's learning rate down to min_lr, once or in cycles.",
               .keys = keys,
               .key_count = sizeof keys / sizeof keys[0],
               .options_bytes = sizeof(cosine_options)},
    .warmup_epochs = ls_schedule_warmup_epochs,
    .factor = factor,
    .cycles = cycles,
};
