/* SPDX-License-Identifier: BSD-3-Clause */
/* Which sample stands where, in the file and in each epoch, and which items must travel to get from one
 * arrangement to another.
 *
 * Every arrangement is a function that each rank can evaluate for itself, in both directions; so the two
 * sides of an exchange find out alone what to send and what to expect, in the same order, and nothing but
 * images travels.
 */
#ifndef LS_DATA_SHUFFLE_H
#define LS_DATA_SHUFFLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/status.h"
#include "data/plan.h"
#include "data/shard.h"
#include "data/split.h"

/** An arrangement of samples: a sequence of them, dealt to the ranks by a plan. */
typedef struct ls_layout ls_layout;
struct ls_layout {
  ls_plan plan;
  /* The position of `sample`; false if it is not part of the sequence. */
  bool (*find)(const ls_layout *layout, uint64_t sample, size_t *position);
  /* The sample at `position` < plan.count. */
  uint64_t (*at)(const ls_layout *layout, size_t position);
  const ls_holdout *holdout; /* borrowed; NULL for the file */
  ls_permutation order;      /* of an epoch: from position to training index */
  uint64_t seed;             /* of an epoch */
  size_t epoch;              /* of an epoch */
};

/** The `count` samples of a split in the file's order, a contiguous slice for each rank. */
ls_layout ls_layout_file(size_t count, size_t ranks);

/** All held-out samples in the file's order, dealt by micro-batches. */
ls_layout ls_layout_validation(const ls_holdout *holdout, size_t microbatch, size_t ranks);

/** The training samples in the order of an epoch: one permutation of all of them per epoch.
 *
 * @param[in] plan  count must be that of the training samples
 */
ls_layout ls_layout_global(const ls_holdout *holdout, ls_plan plan, uint64_t seed, size_t epoch);

/** The same, but each rank keeps the samples that epoch 0 gives it and permutes them by itself. The order
 * depends on the number of ranks. */
ls_layout ls_layout_shard(const ls_holdout *holdout, ls_plan plan, uint64_t seed, size_t epoch);

/** From one arrangement to another, as a rank sees it. */
typedef struct ls_move {
  const ls_layout *from, *to; /* `from` has every sample of `to` */
  const ls_shard *now;        /* this rank's part of `from` */
  ls_shard *next;             /* buffer for its part of `to` */
} ls_move;

/** What a rank sends and receives in a move; what stays on the rank is not part of it. */
typedef struct ls_route {
  size_t *send_counts;    /* [ranks] items; owned */
  size_t *receive_counts; /* [ranks] items; owned */
  int *send_index;        /* indices in the old shard, rank after rank; owned */
  int *receive_index;     /* indices in the new shard, rank after rank; owned */
} ls_route;

/** Find the route of `rank`, fill move->next->samples, and copy the images that stay on this rank.
 *
 * For each pair of ranks both sides list the items in ascending order of their index in the new shard.
 * `threads`: OpenMP threads to find it with, at least 1; the result does not depend on them.
 *
 * Local. Errors: LS_E_INPUT if a shard has more samples than MPI can count; LS_E_MEMORY.
 */
ls_status ls_route_find(ls_route *out, const ls_move *move, size_t rank, size_t threads) LS_CHECKED;
void ls_route_fini(ls_route *route);

#endif
