/* SPDX-License-Identifier: BSD-3-Clause */
/* Losses are summed in fixed point, sample by sample, so that the sum does not depend on which rank evaluates
 * which sample. Private to evaluations. */
#ifndef LS_EVAL_LOSS_TOTAL_H
#define LS_EVAL_LOSS_TOTAL_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#define LS_LOSS_TOTAL_SCALE 0x1p28

/** Words that ranks add up; zero-initialize it. */
typedef struct ls_loss_total {
  uint64_t loss;     /* fixed point */
  uint64_t infinite; /* samples whose loss is too large */
} ls_loss_total;

/** Of a sample, at most: the sum of so many fits. */
static inline double ls_loss_total_limit(size_t samples)
{
  return 0x1p62 / LS_LOSS_TOTAL_SCALE / (double)samples;
}

static inline void ls_loss_total_add(ls_loss_total *total, double loss, double limit)
{
  if (loss < limit)
    total->loss += (uint64_t)llround(loss * LS_LOSS_TOTAL_SCALE);
  else
    total->infinite++;
}

static inline double ls_loss_total_mean(const ls_loss_total *total, uint64_t samples)
{
  return total->infinite > 0 ? INFINITY
                             : (double)(int64_t)total->loss / LS_LOSS_TOTAL_SCALE / (double)samples;
}

#endif
