/* SPDX-License-Identifier: BSD-3-Clause */
/* The plan's arithmetic. All steps but the last are alike, so whatever concerns a whole epoch is a multiple
 * of what concerns a full step, plus the part of the short step at the end. */
#include "data/plan.h"

#include <assert.h>

#include "base/size.h"

/* Positions first .. last-1, counted from the first of their step. */
typedef struct interval {
  size_t first, last;
} interval;

/* What `rank` owns of a step of `count` positions. */
static interval owned(const ls_plan *plan, size_t rank, size_t count)
{
  size_t microbatches = ls_size_ceil_div(count, plan->microbatch);
  size_t first = ls_part_first(microbatches, plan->ranks, rank);
  size_t last = ls_part_first(microbatches, plan->ranks, rank + 1);
  return (interval){.first = ls_size_min(first * plan->microbatch, count),
                    .last = ls_size_min(last * plan->microbatch, count)};
}

static size_t owned_count(const ls_plan *plan, size_t rank, size_t count)
{
  interval part = owned(plan, rank, count);
  return part.last - part.first;
}

static size_t owned_microbatches(const ls_plan *plan, size_t rank, size_t count)
{
  return ls_size_ceil_div(owned_count(plan, rank, count), plan->microbatch);
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

size_t ls_plan_step_microbatches(const ls_plan *plan, size_t rank, size_t step)
{
  return owned_microbatches(plan, rank, ls_plan_step_count(plan, step));
}

ls_plan_run ls_plan_microbatch(const ls_plan *plan, size_t rank, size_t step, size_t i)
{
  size_t mine = owned_count(plan, rank, ls_plan_step_count(plan, step));
  size_t offset = i * plan->microbatch;
  assert(offset < mine);
  return (ls_plan_run){.index = step * owned_count(plan, rank, plan->batch) + offset,
                       .count = ls_size_min(plan->microbatch, mine - offset)};
}

size_t ls_plan_rank_microbatches(const ls_plan *plan, size_t rank)
{
  size_t full_steps = plan->count / plan->batch;
  return full_steps * owned_microbatches(plan, rank, plan->batch) +
         owned_microbatches(plan, rank, plan->count % plan->batch);
}

ls_plan_run ls_plan_rank_microbatch(const ls_plan *plan, size_t rank, size_t i)
{
  size_t full_steps = plan->count / plan->batch;
  size_t per_step = owned_microbatches(plan, rank, plan->batch);
  if (i < full_steps * per_step) return ls_plan_microbatch(plan, rank, i / per_step, i % per_step);
  return ls_plan_microbatch(plan, rank, full_steps, i - full_steps * per_step);
}

size_t ls_plan_rank_count(const ls_plan *plan, size_t rank)
{
  size_t full_steps = plan->count / plan->batch;
  return full_steps * owned_count(plan, rank, plan->batch) +
         owned_count(plan, rank, plan->count % plan->batch);
}

ls_plan_place ls_plan_locate(const ls_plan *plan, size_t position)
{
  assert(position < plan->count);
  size_t step = position / plan->batch;
  size_t offset = position % plan->batch;
  size_t count = ls_plan_step_count(plan, step);
  size_t microbatches = ls_size_ceil_div(count, plan->microbatch);
  /* ls_part_first(M, R, r) is floor(M*r/R), so the owner of m is the largest r with M*r/R < m + 1. */
  size_t m = offset / plan->microbatch;
  size_t rank = ls_size_ceil_div((m + 1) * plan->ranks, microbatches) - 1;
  return (ls_plan_place){.rank = rank,
                         .index = step * owned_count(plan, rank, plan->batch) + offset -
                                  owned(plan, rank, count).first};
}

size_t ls_plan_position(const ls_plan *plan, ls_plan_place place)
{
  size_t full_steps = plan->count / plan->batch;
  size_t per_step = owned_count(plan, place.rank, plan->batch);
  bool is_full = place.index < full_steps * per_step;
  size_t step = is_full ? place.index / per_step : full_steps;
  size_t count = ls_plan_step_count(plan, step);
  return step * plan->batch + owned(plan, place.rank, count).first + place.index - step * per_step;
}
