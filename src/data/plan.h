/* SPDX-License-Identifier: BSD-3-Clause */
/* The division of work: the positions 0 .. count-1 of an epoch are cut into steps of `batch` positions (the
 * last one: what is left), each step is cut into micro-batches, and ls_part_first() deals the micro-batches
 * of a step to the ranks in order. Nothing here depends on which sample stands at a position, and no cut
 * depends on a rank.
 *
 * A rank keeps its positions in ascending order; the index of a position is its number among them. All are
 * pure functions that take constant time for any count, batch, micro-batch and number of ranks; a rank may
 * have no positions at all.
 */
#ifndef LS_DATA_PLAN_H
#define LS_DATA_PLAN_H

#include <stdbool.h>
#include <stddef.h>

typedef struct ls_plan {
  size_t count;      /* positions; may be 0 */
  size_t batch;      /* positions of a step, >= 1 */
  size_t microbatch; /* positions of a micro-batch, >= 1 */
  bool evens_out;    /* a last micro-batch of one position shares the positions of the one before in halves */
  size_t ranks;      /* >= 1 */
} ls_plan;

/** Where a position is. */
typedef struct ls_plan_location {
  size_t rank;
  size_t index; /* among the positions of that rank */
} ls_plan_location;

/** A run of positions that are consecutive in the epoch and on their rank. */
typedef struct ls_plan_run {
  size_t index; /* of the first one on its rank */
  size_t count;
} ls_plan_run;

/** Steps of the epoch: ceil(count / batch). */
size_t ls_plan_steps(const ls_plan *plan);

/** Positions of step `step` on all ranks. */
size_t ls_plan_step_count(const ls_plan *plan, size_t step);

/** Positions of the smallest micro-batch of any step; 0 if there are none. With evens_out it is 1 for steps
 * of one position, micro-batches of one, and odd steps of micro-batches of two. */
size_t ls_plan_smallest(const ls_plan *plan);

/** Micro-batches of step `step` that are `rank`'s; may be 0. */
size_t ls_plan_step_microbatches(const ls_plan *plan, size_t rank, size_t step);

/** The i-th of them. */
ls_plan_run ls_plan_microbatch(const ls_plan *plan, size_t rank, size_t step, size_t i);

/** Micro-batches of all steps that are `rank`'s, and the i-th of them. */
size_t ls_plan_rank_microbatches(const ls_plan *plan, size_t rank);
ls_plan_run ls_plan_rank_microbatch(const ls_plan *plan, size_t rank, size_t i);

/** Positions of `rank`. */
size_t ls_plan_rank_count(const ls_plan *plan, size_t rank);

/** Where `position` < count is. */
ls_plan_location ls_plan_locate(const ls_plan *plan, size_t position);

/** The position at a location; the inverse of ls_plan_locate(). */
size_t ls_plan_position(const ls_plan *plan, ls_plan_location location);

#endif
