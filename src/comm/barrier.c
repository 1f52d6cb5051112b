/* SPDX-License-Identifier: BSD-3-Clause */
/* Source: Drepper, "Futexes Are Tricky", 2011. The last member to arrive changes `turn` and then checks
 * whether others sleep; a member that goes to sleep counts itself and then lets the kernel check `turn`: one
 * of the two sees the other. */
#include "comm/barrier.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"

/* Ranks that have a core each come to a meeting that close to each other. */
static const double SPIN_S = 2e-4;

/* Returns whether the meeting is over. Reading the clock is the pause between two looks. */
static bool spin(const ls_barrier *barrier, uint32_t turn)
{
  const double until_s = ls_clock_s() + SPIN_S;
  do
    if (atomic_load_explicit(&barrier->turn, memory_order_acquire) != turn) return true;
  while (ls_clock_s() < until_s);
  return false;
}

/* The kernel returns at once if the meeting is over, and at times for no reason. */
static void sleep_until_over(ls_barrier *barrier, uint32_t turn)
{
  atomic_fetch_add(&barrier->sleepers, 1);
  while (atomic_load(&barrier->turn) == turn)
    (void)syscall(SYS_futex, &barrier->turn, FUTEX_WAIT, turn, NULL, NULL, 0);
  atomic_fetch_sub(&barrier->sleepers, 1);
}

void ls_barrier_wait(ls_barrier *barrier, uint32_t members)
{
  const uint32_t turn = atomic_load(&barrier->turn);
  if (atomic_fetch_add(&barrier->arrived, 1) + 1 < members) {
    if (!spin(barrier, turn)) sleep_until_over(barrier, turn);
    return;
  }
  atomic_store(&barrier->arrived, 0);
  atomic_store(&barrier->turn, turn + 1);
  if (atomic_load(&barrier->sleepers) > 0)
    (void)syscall(SYS_futex, &barrier->turn, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}
