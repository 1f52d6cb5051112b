/* SPDX-License-Identifier: BSD-3-Clause */
/* Plateau schedule: the rate drops by a factor when a metric has not improved for more than `patience`
 * epochs, as torch.optim.lr_scheduler.ReduceLROnPlateau with a relative threshold and no cooldown.
 *
 * What it remembers is in every checkpoint, so a resumed run goes on with it. */
#include "optim/kinds.h"

typedef struct plateau_options {
  ls_schedule_common common;
  int metric; /* of config/metric.h */
  double factor;
  size_t patience;
  double threshold, min_lr;
} plateau_options;

typedef struct plateau_state {
  double factor;            /* on the learning rate */
  double best;              /* the best metric */
  uint64_t improved_epochs; /* 0: there is no best yet */
  uint64_t bad;             /* epochs without improvement */
} plateau_state;

_Static_assert(sizeof(plateau_state) <= sizeof(ls_schedule_state), "it fits");

static const ls_field state_fields[] = {
    {"schedule_factor", LS_FIELD_REAL, offsetof(plateau_state, factor)},
    {"schedule_best", LS_FIELD_REAL, offsetof(plateau_state, best)},
    {"schedule_epochs", LS_FIELD_COUNT, offsetof(plateau_state, improved_epochs)},
    {"schedule_bad", LS_FIELD_COUNT, offsetof(plateau_state, bad)},
};

static const ls_key keys[] = {
    LS_SCHEDULE_WARMUP_KEY,
    {.path = "metric",
     .type = LS_KEY_WORD,
     .offset = offsetof(plateau_options, metric),
     .preset = LS_METRIC_PRESET,
     .words = ls_metric_words,
     .unit = "",
     .doc = "What has to improve; of the validation split, or without one of the training split."},
    {.path = "factor",
     .type = LS_KEY_REAL,
     .offset = offsetof(plateau_options, factor),
     .preset = "0.1",
     .min_open = true,
     .max = 1,
     .max_open = true,
     .unit = "",
     .doc = "Factor on the learning rate at each drop."},
    {.path = "patience",
     .type = LS_KEY_COUNT,
     .offset = offsetof(plateau_options, patience),
     .preset = "10",
     .unit = "epochs",
     .doc = "Epochs without improvement that are borne; the next one drops the learning rate."},
    {.path = "threshold",
     .type = LS_KEY_REAL,
     .offset = offsetof(plateau_options, threshold),
     .preset = "0.0001",
     .max = 1,
     .max_open = true,
     .unit = "",
     .doc = "Smallest improvement that counts, as a fraction of the best value."},
    {.path = "min_lr",
     .type = LS_KEY_REAL,
     .offset = offsetof(plateau_options, min_lr),
     .preset = "0",
     .max = INFINITY,
     .unit = "",
     .doc = "The learning rate does not drop below this."},
};

static void start(void *state)
{
  *(plateau_state *)state = (plateau_state){.factor = 1};
}

/* The rate stays; the metric that has to improve may be another one. */
static void restart(void *state)
{
  plateau_state *own = state;
  own->improved_epochs = own->bad = 0;
}

static double factor(const void *options, double base_lr, uint64_t done, uint64_t total, uint64_t epoch_steps,
                     const void *state)
{
  (void)options, (void)base_lr, (void)done, (void)total, (void)epoch_steps;
  return ((const plateau_state *)state)->factor;
}

static bool is_better(const plateau_options *plateau, double value, const plateau_state *state)
{
  if (!isfinite(value)) return false;
  if (state->improved_epochs == 0) return true;
  const double least = state->best * (1 + ls_metric_direction(plateau->metric) * plateau->threshold);
  return ls_metric_is_better(plateau->metric, value, least);
}

static void drop(const plateau_options *plateau, double base_lr, plateau_state *state)
{
  const double smallest_drop = 1e-8; /* PyTorch's eps: smaller drops are not worth making */
  const double lowest = plateau->min_lr / base_lr;
  const double next = fmax(state->factor * plateau->factor, lowest);
  if ((state->factor - next) * base_lr > smallest_drop) state->factor = next;
}

static void observe(const void *options, double base_lr, const ls_metric_values *values, void *remembered)
{
  plateau_state *state = remembered;
  const plateau_options *plateau = options;
  const double value = ls_metric_of(plateau->metric, values);
  if (is_better(plateau, value, state)) {
    state->improved_epochs++;
    state->best = value;
    state->bad = 0;
    return;
  }
  state->bad++;
  if (state->bad <= plateau->patience) return;
  drop(plateau, base_lr, state);
  state->bad = 0;
}

static int metric(const void *options)
{
  return ((const plateau_options *)options)->metric;
}

const ls_schedule_kind ls_schedule_plateau = {
    .schema = {.name = "plateau",
               .doc = "The learning rate drops when a metric has stopped improving.",
               .keys = keys,
               .key_count = sizeof keys / sizeof keys[0],
               .options_bytes = sizeof(plateau_options)},
    .warmup_epochs = ls_schedule_warmup_epochs,
    .state = {state_fields, sizeof state_fields / sizeof state_fields[0]},
    .start = start,
    .restart = restart,
    .factor = factor,
    .observe = observe,
    .metric = metric,
};
