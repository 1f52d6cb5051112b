/* SPDX-License-Identifier: BSD-3-Clause */
/* The layouts and the routes between them. A route takes time proportional to the rank's own samples: the
 * receiver walks its new places and asks where each sample is now, the sender walks its samples and asks
 * where each is to go. */
#include "data/shuffle.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"

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
  if (ls_holdout_has(layout->holdout, sample, &index)) return false;
  *position = (size_t)ls_permutation_inverse(&layout->order, index);
  return true;
}

static uint64_t global_at(const ls_layout *layout, size_t position)
{
  return ls_holdout_train_sample(layout->holdout, (size_t)ls_permutation_at(&layout->order, position));
}

/* How a rank orders its own samples in the layout's epoch: from the index there to that in epoch 0. */
static ls_permutation shard_order(const ls_layout *layout, size_t rank)
{
  return ls_permutation_of(layout->seed, LS_RNG_SHUFFLE, layout->epoch, 1 + rank,
                           ls_plan_rank_count(&layout->plan, rank));
}

static bool shard_find(const ls_layout *layout, uint64_t sample, size_t *position)
{
  if (!global_find(layout, sample, position)) return false;
  ls_plan_place place = ls_plan_locate(&layout->plan, *position);
  ls_permutation order = shard_order(layout, place.rank);
  place.index = (size_t)ls_permutation_inverse(&order, place.index);
  *position = ls_plan_position(&layout->plan, place);
  return true;
}

static uint64_t shard_at(const ls_layout *layout, size_t position)
{
  ls_plan_place place = ls_plan_locate(&layout->plan, position);
  ls_permutation order = shard_order(layout, place.rank);
  place.index = (size_t)ls_permutation_at(&order, place.index);
  return global_at(layout, ls_plan_position(&layout->plan, place));
}

ls_layout ls_layout_file(size_t count, size_t ranks)
{
  return (ls_layout){.plan = {.count = count, .batch = ls_size_max(count, 1), .microbatch = 1, .ranks = ranks},
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

/* An item that travels. Small, because there is one for every sample of a shard. */
typedef struct parcel {
  int peer;  /* the rank it goes to or comes from */
  int order; /* its index in the new layout on the receiver */
  int index; /* its index on this rank */
} parcel;

typedef struct parcels {
  parcel *items; /* room for all samples of a shard; owned */
  size_t count;
} parcels;

static int by_peer_and_order(const void *a, const void *b)
{
  const parcel *x = a;
  const parcel *y = b;
  if (x->peer != y->peer) return x->peer < y->peer ? -1 : 1;
  return x->order < y->order ? -1 : x->order > y->order;
}

static ls_status parcels_init(parcels *list, size_t count)
{
  if (count > INT_MAX)
    return ls_fail(LS_E_INPUT, "%zu samples on one rank, at most %d can be exchanged; try: more ranks", count,
                   INT_MAX);
  return ls_alloc(&list->items, count, sizeof *list->items, "the plan of a sample exchange");
}

/* Walk the new places of this rank: what lies on it already is copied, the rest will be received. */
static void find_received(parcels *list, const ls_layout *from, const ls_shard *now, const ls_layout *to,
                          ls_shard *next, size_t rank)
{
  size_t bytes = next->image_bytes;
  for (size_t i = 0; i < next->count; i++) {
    uint64_t sample = to->at(to, ls_plan_position(&to->plan, (ls_plan_place){.rank = rank, .index = i}));
    size_t position = 0; /* `from` has every sample of `to` */
    from->find(from, sample, &position);
    ls_plan_place place = ls_plan_locate(&from->plan, position);
    next->samples[i] = sample;
    if (place.rank == rank)
      memcpy(next->images + i * bytes, now->images + place.index * bytes, bytes);
    else
      list->items[list->count++] = (parcel){.peer = (int)place.rank, .order = (int)i, .index = (int)i};
  }
}

/* Walk what lies on this rank and find out what goes to others. */
static void find_sent(parcels *list, const ls_shard *now, const ls_layout *to, size_t rank)
{
  for (size_t i = 0; i < now->count; i++) {
    size_t position;
    if (!to->find(to, now->samples[i], &position)) continue;
    ls_plan_place place = ls_plan_locate(&to->plan, position);
    if (place.rank != rank)
      list->items[list->count++] = (parcel){.peer = (int)place.rank, .order = (int)place.index, .index = (int)i};
  }
}

/* Write sorted parcels as counts and indices. */
static ls_status write_lists(parcels *list, size_t ranks, size_t **counts, int **index)
{
  LS_PASS(ls_alloc(counts, ranks, sizeof **counts, "the counts of a sample exchange"));
  LS_PASS(ls_alloc(index, list->count, sizeof **index, "the indices of a sample exchange"));
  if (list->count > 1) qsort(list->items, list->count, sizeof *list->items, by_peer_and_order);
  for (size_t k = 0; k < list->count; k++) {
    (*counts)[list->items[k].peer]++;
    (*index)[k] = list->items[k].index;
  }
  return LS_OK;
}

ls_status ls_route_find(ls_route *out, const ls_layout *from, const ls_shard *now, const ls_layout *to,
                        ls_shard *next, size_t rank)
{
  ls_route route = {0};
  parcels received = {0};
  parcels sent = {0};
  ls_status status;
  LS_GO(parcels_init(&received, next->count));
  find_received(&received, from, now, to, next, rank);
  LS_GO(write_lists(&received, from->plan.ranks, &route.receive_counts, &route.receive_index));
  free(received.items);
  received.items = NULL;
  LS_GO(parcels_init(&sent, now->count));
  if (from->plan.ranks > 1) find_sent(&sent, now, to, rank);
  LS_GO(write_lists(&sent, to->plan.ranks, &route.send_counts, &route.send_index));
  *out = route;
done:
  free(received.items);
  free(sent.items);
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
