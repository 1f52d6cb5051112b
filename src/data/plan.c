/* SPDX-License-Identifier: BSD-3-Clause */
/* The plan's arithmetic. All steps but the last are alike, so a count of a whole epoch is a multiple of a
 * full step's, plus that of the short step at the end. */
#include "data/plan.h"

#include <assert.h>
#include <stdint.h>

#include "base/size.h"

/* Positions or micro-batches first .. last-1, counted from the first of their step. */
typedef struct interval {
  size_t first, last;
} interval;

/* Where micro-batch i of a step of `count` positions begins; `count` beyond the last one. */
static size_t begin_of(const ls_plan *plan, size_t count, size_t i)
{
  const size_t microbatch = plan->microbatch, all = ls_size_ceil_div(count, microbatch);
  if (i >= all) return count;
  const bool halves = plan->evens_out && i > 0 && i + 1 == all && count - i * microbatch == 1;
  return i * microbatch - (halves ? (microbatch - 1) / 2 : 0);
}

/* The micro-batches first .. last-1 of a step of `count` positions are `rank`'s. */
static interval owned_microbatches(const ls_plan *plan, size_t rank, size_t count)
{
  const size_t all = ls_size_ceil_div(count, plan->microbatch);
  return (interval){.first = ls_part_first(all, plan->ranks, rank),
                    .last = ls_part_first(all, plan->ranks, rank + 1)};
}

/* What `rank` owns of a step of `count` positions. */
static interval owned(const ls_plan *plan, size_t rank, size_t count)
{
  const interval microbatches = owned_microbatches(plan, rank, count);
  return (interval){.first = begin_of(plan, count, microbatches.first),
                    .last = begin_of(plan, count, microbatches.last)};
}

static size_t length(interval part)
{
  return part.last - part.first;
}

size_t ls_plan_steps(const ls_plan *plan)
{
  return ls_size_ceil_div(plan->count, plan->batch);
}

size_t ls_plan_step_count(const ls_plan *plan, size_t step)
{
  assert(step < ls_plan_steps(plan));
  return ls_size_min(plan->batch, plan->count - step * plan->batch);
}

/* Only the last two can be smaller than others. */
static size_t smallest_of(const ls_plan *plan, size_t count)
{
  const size_t last = ls_size_ceil_div(count, plan->microbatch) - 1;
  const size_t begin = begin_of(plan, count, last);
  return last == 0 ? count : ls_size_min(count - begin, begin - begin_of(plan, count, last - 1));
}

size_t ls_plan_smallest(const ls_plan *plan)
{
  const size_t rest = plan->count % plan->batch;
  size_t smallest = SIZE_MAX;
  if (plan->count == 0) return 0;
  if (plan->count >= plan->batch) smallest = smallest_of(plan, plan->batch);
  if (rest > 0) smallest = ls_size_min(smallest, smallest_of(plan, rest));
  return smallest;
}

size_t ls_plan_step_microbatches(const ls_plan *plan, size_t rank, size_t step)
{
  return length(owned_microbatches(plan, rank, ls_plan_step_count(plan, step)));
}

ls_plan_run ls_plan_microbatch(const ls_plan *plan, size_t rank, size_t step, size_t i)
{
  const size_t count = ls_plan_step_count(plan, step);
  const interval microbatches = owned_microbatches(plan, rank, count);
  const size_t at = microbatches.first + i, begin = begin_of(plan, count, at);
  assert(at < microbatches.last);
  return (ls_plan_run){.index = step * length(owned(plan, rank, plan->batch)) + begin -
                                begin_of(plan, count, microbatches.first),
                       .count = begin_of(plan, count, at + 1) - begin};
}

size_t ls_plan_rank_microbatches(const ls_plan *plan, size_t rank)
{
  size_t full_steps = plan->count / plan->batch;
  return full_steps * length(owned_microbatches(plan, rank, plan->batch)) +
         length(owned_microbatches(plan, rank, plan->count % plan->batch));
}

ls_plan_run ls_plan_rank_microbatch(const ls_plan *plan, size_t rank, size_t i)
{
  size_t full_steps = plan->count / plan->batch;
  size_t per_step = length(owned_microbatches(plan, rank, plan->batch));
  if (i < full_steps * per_step) return ls_plan_microbatch(plan, rank, i / per_step, i % per_step);
  return ls_plan_microbatch(plan, rank, full_steps, i - full_steps * per_step);
}

size_t ls_plan_rank_count(const ls_plan *plan, size_t rank)
{
  size_t full_steps = plan->count / plan->batch;
  return full_steps * length(owned(plan, rank, plan->batch)) +
         length(owned(plan, rank, plan->count % plan->batch));
}

ls_plan_location ls_plan_locate(const ls_plan *plan, size_t position)
{
  assert(position < plan->count);
  size_t step = position / plan->batch;
  size_t offset = position % plan->batch;
  size_t count = ls_plan_step_count(plan, step);
  size_t microbatches = ls_size_ceil_div(count, plan->microbatch);
  /* ls_part_first(M, R, r) is floor(M*r/R), so the owner of m is the largest r with M*r/R < m + 1. */
  size_t m = offset >= begin_of(plan, count, microbatches - 1) ? microbatches - 1 : offset / plan->microbatch;
  size_t rank = ls_size_ceil_div((m + 1) * plan->ranks, microbatches) - 1;
  return (ls_plan_location){.rank = rank,
                            .index = step * length(owned(plan, rank, plan->batch)) + offset -
                                     owned(plan, rank, count).first};
}

size_t ls_plan_position(const ls_plan *plan, ls_plan_location location)
{
  size_t full_steps = plan->count / plan->batch;
  size_t per_step = length(owned(plan, location.rank, plan->batch));
  bool is_full = location.index < full_steps * per_step;
  size_t step = is_full ? location.index / per_step : full_steps;
  size_t count = ls_plan_step_count(plan, step);
  return step * plan->batch + owned(plan, location.rank, count).first + location.index - step * per_step;
}
