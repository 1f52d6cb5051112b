/* SPDX-License-Identifier: BSD-3-Clause */
/* Wall-clock time from CLOCK_MONOTONIC, which no time adjustment sets back. */
#include "base/clock.h"

#include <time.h>

double ls_clock_s(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
