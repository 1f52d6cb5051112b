/* SPDX-License-Identifier: BSD-3-Clause */
/* The layouts and the routes between them. A route takes time proportional to the rank's own samples: it asks
 * for each sample where it is to go, and for each new location that is then still open which sample it waits
 * for and where that is now. The permutations take most of the time, so both walks are dealt to threads. */
#include "data/shuffle.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "comm/team.h"

static bool file_find(const ls_layout *layout, uint64_t sample, size_t *position)
{
  *position = (size_t)sample;
  return *position < layout->plan.count;
}

static uint64_t file_at(const ls_layout *layout, size_t position)
{
  (void)layout;
  return position;
}

static bool validation_find(const ls_layout *layout, uint64_t sample, size_t *position)
{
  return ls_holdout_has(layout->holdout, sample, position);
}

static uint64_t validation_at(const ls_layout *layout, size_t position)
{
  return layout->holdout->samples[position];
}

static bool global_find(const ls_layout *layout, uint64_t sample, size_t *position)
{
  size_t index;
  if (!ls_holdout_trains(layout->holdout, sample, &index)) return false;
  *position = (size_t)ls_permutation_inverse(&layout->order, index);
  return true;
}

static uint64_t global_at(const ls_layout *layout, size_t position)
{
  return ls_holdout_train_sample(layout->holdout, (size_t)ls_permutation_at(&layout->order, position));
}

/* The order of a rank's own samples in the layout's epoch: from the index there to that in epoch 0. */
static ls_permutation shard_order(const ls_layout *layout, size_t rank)
{
  return ls_permutation_of(layout->seed, LS_RNG_SHUFFLE, layout->epoch, 1 + rank,
                           ls_plan_rank_count(&layout->plan, rank));
}

static bool shard_find(const ls_layout *layout, uint64_t sample, size_t *position)
{
  if (!global_find(layout, sample, position)) return false;
  ls_plan_location location = ls_plan_locate(&layout->plan, *position);
  ls_permutation order = shard_order(layout, location.rank);
  location.index = (size_t)ls_permutation_inverse(&order, location.index);
  *position = ls_plan_position(&layout->plan, location);
  return true;
}

static uint64_t shard_at(const ls_layout *layout, size_t position)
{
  ls_plan_location location = ls_plan_locate(&layout->plan, position);
  ls_permutation order = shard_order(layout, location.rank);
  location.index = (size_t)ls_permutation_at(&order, location.index);
  return global_at(layout, ls_plan_position(&layout->plan, location));
}

ls_layout ls_layout_file(size_t count, size_t ranks)
{
  return (ls_layout){
      .plan = {.count = count, .batch = ls_size_max(count, 1), .microbatch = 1, .ranks = ranks},
      .find = file_find,
      .at = file_at};
}

ls_layout ls_layout_validation(const ls_holdout *holdout, size_t microbatch, size_t ranks)
{
  size_t batch = ls_size_max(holdout->count, 1);
  return (ls_layout){
      .plan = {.count = holdout->count, .batch = batch, .microbatch = microbatch, .ranks = ranks},
      .find = validation_find,
      .at = validation_at,
      .holdout = holdout};
}

ls_layout ls_layout_global(const ls_holdout *holdout, ls_plan plan, uint64_t seed, size_t epoch)
{
  return (ls_layout){.plan = plan,
                     .find = global_find,
                     .at = global_at,
                     .holdout = holdout,
                     .order = ls_permutation_of(seed, LS_RNG_SHUFFLE, epoch, 0, plan.count)};
}

ls_layout ls_layout_shard(const ls_holdout *holdout, ls_plan plan, uint64_t seed, size_t epoch)
{
  return (ls_layout){.plan = plan,
                     .find = shard_find,
                     .at = shard_at,
                     .holdout = holdout,
                     .order = ls_permutation_of(seed, LS_RNG_SHUFFLE, 0, 0, plan.count),
                     .seed = seed,
                     .epoch = epoch};
}

enum { STAYS = -1 };                           /* peer of a sample that does not travel */
static const uint64_t still_open = UINT64_MAX; /* sample number of a location that is not filled yet */

/* An item that travels. Small, because there is one for every sample of a shard. */
typedef struct parcel {
  int peer;  /* the rank it goes to or comes from, or STAYS */
  int order; /* its index in the new shard of the receiver */
  int index; /* its index on this rank */
} parcel;

/* Where sample `i` of this rank goes; if it stays on the rank, it is copied. */
static parcel find_target(const ls_move *move, size_t rank, size_t i)
{
  const size_t bytes = move->next->image_bytes;
  uint64_t sample = move->now->samples[i];
  size_t position;
  parcel item = {.peer = STAYS, .index = (int)i};
  if (!move->to->find(move->to, sample, &position)) return item;
  ls_plan_location location = ls_plan_locate(&move->to->plan, position);
  if (location.rank == rank) {
    memcpy(move->next->images + location.index * bytes, move->now->images + i * bytes, bytes);
    move->next->samples[location.index] = sample;
    return item;
  }
  item.peer = (int)location.rank;
  item.order = (int)location.index;
  return item;
}

/* Where the sample for index `i` of this rank comes from, unless it is there already. */
static parcel find_origin(const ls_move *move, size_t rank, size_t i)
{
  parcel item = {.peer = STAYS, .order = (int)i, .index = (int)i};
  if (move->next->samples[i] != still_open) return item;
  ls_plan_location here = {.rank = rank, .index = i};
  uint64_t sample = move->to->at(move->to, ls_plan_position(&move->to->plan, here));
  size_t position = 0;
  bool is_there = move->from->find(move->from, sample, &position);
  assert(is_there);
  (void)is_there;
  move->next->samples[i] = sample;
  item.peer = (int)ls_plan_locate(&move->from->plan, position).rank;
  return item;
}

static int by_peer_and_order(const void *a, const void *b)
{
  const parcel *x = a;
  const parcel *y = b;
  if (x->peer != y->peer) return x->peer < y->peer ? -1 : 1;
  return x->order < y->order ? -1 : x->order > y->order;
}

/* Sort the parcels that travel, and write them as counts and indices. */
static ls_status write_lists(parcel *parcels, size_t count, size_t ranks, size_t **counts, int **index)
{
  size_t travelling = 0;
  for (size_t i = 0; i < count; i++)
    if (parcels[i].peer != STAYS) parcels[travelling++] = parcels[i];
  LS_PASS(ls_alloc(counts, ranks, sizeof **counts, "the counts of a sample exchange"));
  LS_PASS(ls_alloc(index, travelling, sizeof **index, "the indices of a sample exchange"));
  if (travelling > 1) qsort(parcels, travelling, sizeof *parcels, by_peer_and_order);
  for (size_t k = 0; k < travelling; k++) {
    (*counts)[parcels[k].peer]++;
    (*index)[k] = parcels[k].index;
  }
  return LS_OK;
}

/* Shared by the threads that make parcels. */
typedef struct inquiry {
  parcel *parcels; /* [count] */
  size_t count, rank, threads;
  parcel (*find)(const ls_move *move, size_t rank, size_t i);
  const ls_move *move;
} inquiry;

static void inquire_part(void *user, size_t part)
{
  const inquiry *self = user;
  const size_t end = ls_part_first(self->count, self->threads, part + 1);
  for (size_t i = ls_part_first(self->count, self->threads, part); i < end; i++)
    self->parcels[i] = self->find(self->move, self->rank, i);
}

/* Fill in the inquiry's parcels: one for each sample or location of this rank. */
static ls_status find_parcels(inquiry *self)
{
  if (self->count > INT_MAX)
    return ls_fail(LS_E_INPUT, "%zu samples on one rank, at most %d can be exchanged; try: more ranks",
                   self->count, INT_MAX);
  ls_team_run(self->threads, inquire_part, self);
  return LS_OK;
}

ls_status ls_route_find(ls_route *out, const ls_move *move, size_t rank, size_t threads)
{
  const size_t ranks = move->to->plan.ranks;
  const size_t leaving = move->now->count;
  const size_t coming = move->next->count;
  ls_route route = {0};
  parcel *parcels = NULL;
  ls_status status;
  for (size_t i = 0; i < coming; i++) move->next->samples[i] = still_open;
  LS_GO(ls_alloc(&parcels, ls_size_max(leaving, coming), sizeof *parcels, "the plan of a sample exchange"));
  inquiry self = {.parcels = parcels, .count = leaving, .rank = rank, .threads = threads, .move = move};
  self.find = find_target;
  LS_GO(find_parcels(&self));
  LS_GO(write_lists(parcels, leaving, ranks, &route.send_counts, &route.send_index));
  self.count = coming;
  self.find = find_origin;
  LS_GO(find_parcels(&self));
  LS_GO(write_lists(parcels, coming, ranks, &route.receive_counts, &route.receive_index));
  *out = route;
done:
  free(parcels);
  if (status != LS_OK) ls_route_fini(&route);
  return status;
}

void ls_route_fini(ls_route *route)
{
  free(route->send_counts);
  free(route->receive_counts);
  free(route->send_index);
  free(route->receive_index);
  *route = (ls_route){0};
}
