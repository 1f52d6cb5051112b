/* SPDX-License-Identifier: BSD-3-Clause */
/* One-cycle schedule: half a cosine up from max_lr / div_factor to max_lr, then half a cosine down to that
 * start divided by final_div_factor, as torch.optim.lr_scheduler.OneCycleLR with cycle_momentum=False. max_lr
 * replaces the optimizer's learning rate. Source: Smith, Topin, "Super-convergence: very fast
 * training of neural networks using large learning rates", 2018. */
#include "base/size.h"
#include "optim/kinds.h"

typedef struct onecycle_options {
  ls_schedule_common common;
  double max_lr, pct_start, div_factor, final_div_factor;
} onecycle_options;

static const ls_key keys[] = {
    LS_SCHEDULE_WARMUP_KEY,
    {.path = "max_lr",
     .type = LS_KEY_REAL,
     .offset = offsetof(onecycle_options, max_lr),
     .min_open = true,
     .max = INFINITY,
     .unit = "",
     .doc = "Highest learning rate; replaces the optimizer's."},
    {.path = "pct_start",
     .type = LS_KEY_REAL,
     .offset = offsetof(onecycle_options, pct_start),
     .preset = "0.3",
     .max = 1,
     .unit = "",
     .doc = "Fraction of the run in which the learning rate rises."},
    {.path = "div_factor",
     .type = LS_KEY_REAL,
     .offset = offsetof(onecycle_options, div_factor),
     .preset = "25",
     .min_open = true,
     .max = INFINITY,
     .unit = "",
     .doc = "The run starts with max_lr divided by this."},
    {.path = "final_div_factor",
     .type = LS_KEY_REAL,
     .offset = offsetof(onecycle_options, final_div_factor),
     .preset = "10000",
     .min_open = true,
     .max = INFINITY,
     .unit = "",
     .doc = "The run ends with its first learning rate divided by this."},
};

/* Half a cosine from `start` (share 0) to `end` (share 1). */
static double anneal(double start, double end, double share)
{
  return end + (start - end) * (1 + cos(M_PI * share)) / 2;
}

static double factor(const void *options, double base_lr, uint64_t done, uint64_t total, uint64_t epoch_steps,
                     const void *state)
{
  (void)epoch_steps, (void)state;
  const onecycle_options *cycle = options;
  const double low = cycle->max_lr / cycle->div_factor;
  if (total == 0) return low / base_lr; /* the warm-up takes the whole run */
  const double step = (double)ls_size_min(done, total - 1);
  const double peak = cycle->pct_start * (double)total - 1; /* below 0: nothing but the way down */
  const double end = (double)total - 1;
  if (peak > 0 && step <= peak) return anneal(low, cycle->max_lr, step / peak) / base_lr;
  const double share = end > peak ? (step - peak) / (end - peak) : 0;
  return anneal(cycle->max_lr, low / cycle->final_div_factor, share) / base_lr;
}

const ls_schedule_kind ls_schedule_onecycle = {
    .schema = {.name = "onecycle",
               .doc = "Up to max_lr and down again, in one cycle over the run.",
               .keys = keys,
               .key_count = sizeof keys / sizeof keys[0],
               .options_bytes = sizeof(onecycle_options)},
    .warmup_epochs = ls_schedule_warmup_epochs,
    .factor = factor,
};
