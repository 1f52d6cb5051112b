/* SPDX-License-Identifier: BSD-3-Clause */
/* What all learning-rate schedules share, and the linear warm-up that comes before any of them.
 *
 * The warm-up is here, not in the kinds, so that each kind is a plain function of its own steps: it sees
 * neither the warm-up's steps nor their count.
 * Source: Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour", 2017 (warm-up). */
#include "optim/schedule.h"

#include <assert.h>

static const ls_schedule_kind *find(const ls_kind_spec *spec)
{
  const ls_schedule_kind *const *kind = ls_schedule_kinds;
  while (*kind && &(*kind)->schema != spec->schema) kind++;
  assert(*kind && "a parsed configuration names registered kinds only");
  return *kind;
}

double ls_schedule_warmup_epochs(const void *options)
{
  return ((const ls_schedule_common *)options)->warmup_epochs;
}

/* Steps of the warm-up, rounded to whole steps; all of the run at most. */
static uint64_t warmup_steps(double epochs, const ls_schedule_position *position)
{
  const double steps = epochs * (double)position->epoch_steps + 0.5;
  return steps < (double)position->total_steps ? (uint64_t)steps : position->total_steps;
}

double ls_schedule_rate(const ls_kind_spec *spec, double base_lr, const ls_schedule_position *position,
                        const ls_schedule_state *state)
{
  assert(position->epoch_steps > 0);
  const ls_schedule_kind *kind = find(spec);
  const uint64_t warmup = warmup_steps(kind->warmup_epochs(spec->options), position);
  const bool warming = position->step < warmup;
  const uint64_t done = warming ? 0 : position->step - warmup;
  const double factor = kind->factor(spec->options, base_lr, done, position->total_steps - warmup,
                                     position->epoch_steps, state);
  const double ramp = warming ? (double)(position->step + 1) / (double)(warmup + 1) : 1;
  return base_lr * factor * ramp;
}

double ls_schedule_warmup(const ls_kind_spec *spec)
{
  return find(spec)->warmup_epochs(spec->options);
}

int ls_schedule_metric(const ls_kind_spec *spec)
{
  const ls_schedule_kind *kind = find(spec);
  return kind->metric ? kind->metric(spec->options) : -1;
}

void ls_schedule_observe(const ls_kind_spec *spec, double base_lr, const ls_metric_values *values,
                         ls_schedule_state *state)
{
  const ls_schedule_kind *kind = find(spec);
  if (kind->observe) kind->observe(spec->options, base_lr, values, state);
}

void ls_schedule_start(const ls_kind_spec *spec, ls_schedule_state *state)
{
  const ls_schedule_kind *kind = find(spec);
  *state = (ls_schedule_state){{0}};
  if (kind->start) kind->start(state);
}

void ls_schedule_restart(const ls_kind_spec *spec, ls_schedule_state *state)
{
  const ls_schedule_kind *kind = find(spec);
  if (kind->restart) kind->restart(state);
}

ls_fields ls_schedule_fields(const ls_kind_spec *spec)
{
  return find(spec)->state;
}

size_t ls_schedule_cycles_done(const ls_kind_spec *spec, size_t done, size_t epochs)
{
  const ls_schedule_kind *kind = find(spec);
  const double warmup = kind->warmup_epochs(spec->options);
  const size_t cycles = kind->cycles ? kind->cycles(spec->options) : 1;
  if (!(warmup < (double)epochs) || warmup != floor(warmup)) return 0;
  const size_t length = (epochs - (size_t)warmup) / cycles;
  if (length * cycles != epochs - (size_t)warmup || done <= (size_t)warmup) return 0;
  const size_t trained = done - (size_t)warmup;
  return trained % length == 0 ? trained / length : 0;
}
