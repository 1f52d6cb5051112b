/* SPDX-License-Identifier: BSD-3-Clause */
/* What a rank is doing: begin times from the clock that never goes back. */
#include "base/activity.h"

#include <stddef.h>

#include "base/clock.h"

static void begin(ls_activity *activity, const char *waiting_for)
{
  if (!activity) return;
  atomic_store_explicit(&activity->since_ms, (uint_least64_t)(1e3 * ls_clock_s()), memory_order_relaxed);
  atomic_store_explicit(&activity->waiting_for, waiting_for, memory_order_release);
}

void ls_activity_wait(ls_activity *activity, const char *operation)
{
  begin(activity, operation);
}

void ls_activity_work(ls_activity *activity)
{
  begin(activity, NULL);
}

const char *ls_activity_enter(ls_activity *activity, const char *phase)
{
  return atomic_exchange_explicit(&activity->phase, phase, memory_order_relaxed);
}

double ls_activity_seconds(const ls_activity *activity)
{
  return ls_clock_s() - 1e-3 * (double)atomic_load_explicit(&activity->since_ms, memory_order_relaxed);
}
