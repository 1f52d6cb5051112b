/* SPDX-License-Identifier: BSD-3-Clause */
/* The activity of a rank; its begin times are those of ls_clock_s(). */
#include "base/activity.h"

#include <stddef.h>

#include "base/clock.h"

static void begin(ls_activity *activity, const char *waiting_for, bool rests)
{
  if (!activity) return;
  atomic_store_explicit(&activity->since_ms, (uint_least64_t)(1e3 * ls_clock_s()), memory_order_relaxed);
  atomic_store_explicit(&activity->rests, rests, memory_order_relaxed);
  atomic_store_explicit(&activity->waiting_for, waiting_for, memory_order_release);
}

void ls_activity_wait(ls_activity *activity, const char *operation)
{
  begin(activity, operation, false);
}

void ls_activity_rest(ls_activity *activity, const char *operation)
{
  begin(activity, operation, true);
}

void ls_activity_work(ls_activity *activity)
{
  begin(activity, NULL, false);
}

const char *ls_activity_enter(ls_activity *activity, const char *phase)
{
  return activity ? atomic_exchange_explicit(&activity->phase, phase, memory_order_relaxed) : NULL;
}

void ls_activity_step(ls_activity *activity, uint64_t epoch, uint64_t step)
{
  if (!activity) return;
  atomic_store_explicit(&activity->epoch, epoch, memory_order_relaxed);
  atomic_store_explicit(&activity->step, step, memory_order_relaxed);
}

void ls_activity_pass(ls_activity *activity)
{
  if (!activity) return;
  atomic_store_explicit(&activity->past_epoch, atomic_load(&activity->epoch), memory_order_relaxed);
  atomic_store_explicit(&activity->past_step, atomic_load(&activity->step), memory_order_relaxed);
}
