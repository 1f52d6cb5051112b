/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory of the threads, and sums over it, a block at a time. */
#include "train/sums/workers.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"

enum { BLOCK = 512 }; /* elements summed in one go, in first-level cache */

/* The head of a segment, from which other ranks find the rest. */
typedef struct head {
  size_t threads, sum_count;
} head;

/* ---- memory ---- */

/* Reserve a worker's part of an arena; its pointers are valid once the arena is allocated. */
static ls_worker take_worker(ls_arena *arena, size_t count, size_t sum_count)
{
  const size_t flags = ls_arena_reserve(arena, 2, sizeof(ls_worker_flags));
  const size_t grads = ls_arena_reserve(arena, count, sizeof(float));
  const size_t sums = ls_arena_reserve(arena, sum_count, sizeof(uint64_t));
  const size_t ready = ls_arena_reserve(arena, 1, sizeof(atomic_uint_least64_t));
  if (!arena->base) return (ls_worker){0};
  return (ls_worker){ls_arena_at(arena, flags), ls_arena_at(arena, grads), ls_arena_at(arena, sums),
                     ls_arena_at(arena, ready)};
}

size_t ls_workers_bytes(size_t count, size_t threads, size_t sum_count)
{
  ls_arena arena = {0};
  ls_arena_reserve(&arena, 1, sizeof(head));
  for (size_t t = 0; t < threads; t++) take_worker(&arena, count, sum_count);
  return arena.bytes;
}

void ls_workers_announce(const ls_workers *workers, size_t sum_count)
{
  head *own = ls_node_segment(workers->node, ls_node_rank(workers->node));
  *own = (head){.threads = workers->threads, .sum_count = sum_count};
}

static const head *head_of(const ls_workers *workers, size_t rank)
{
  return ls_node_segment(workers->node, rank);
}

ls_status ls_workers_find(ls_workers *workers)
{
  const size_t ranks = ls_node_size(workers->node);
  for (size_t r = 0; r < ranks; r++) workers->item_count += head_of(workers, r)->threads;
  LS_PASS(ls_alloc(&workers->items, workers->item_count, sizeof *workers->items, "the node's workers"));
  ls_worker *next = workers->items;
  for (size_t r = 0; r < ranks; r++) {
    ls_arena arena = {.base = ls_node_segment(workers->node, r)};
    ls_arena_reserve(&arena, 1, sizeof(head));
    if (r == ls_node_rank(workers->node)) workers->mine = next;
    for (size_t t = 0; t < head_of(workers, r)->threads; t++)
      *next++ = take_worker(&arena, workers->count, head_of(workers, r)->sum_count);
  }
  return LS_OK;
}

void ls_workers_fini(ls_workers *workers)
{
  free(workers->items);
}

/* ---- one thread ---- */

/* Elements of one format: the whole vector is two such spans. */
typedef struct span {
  size_t first, end;
  ls_fixed format;
} span;

/* The part of [first, end) that is gradient (which = 0) or statistics (1). */
static span span_of(const ls_workers *workers, size_t which, size_t first, size_t end)
{
  const size_t grads = workers->grads;
  return (span){.first = which == 0 ? first : ls_size_max(first, grads),
                .end = which == 0 ? ls_size_min(end, grads) : end,
                .format = workers->formats[which]};
}

static ls_worker_flags *flags_of(const ls_workers *workers, const ls_worker *self)
{
  return &self->flags[workers->turn];
}

/* Add the part's last micro-batch to its sum. */
static bool keep_grads(const ls_workers *workers, ls_worker *self, bool is_first)
{
  bool is_within = true;
  for (size_t which = 0; which < 2; which++) {
    const span s = span_of(workers, which, 0, workers->count);
    if (s.first >= s.end) continue;
    is_within &= (is_first ? ls_fixed_set : ls_fixed_add)(&s.format, self->grads + s.first, s.end - s.first,
                                                          self->sums + s.first);
  }
  return is_within;
}

float *ls_workers_next(ls_workers *workers, size_t part)
{
  ls_worker *self = &workers->mine[part];
  ls_worker_flags *mine = flags_of(workers, self);
  if (mine->has_grads) {
    mine->tally[LS_TALLY_OUTSIDE] += !keep_grads(workers, self, !mine->has_sums);
    mine->has_sums = true;
  }
  mine->has_grads = true;
  return self->grads;
}

void ls_workers_count(ls_workers *workers, size_t part, ls_tally what, uint64_t count)
{
  flags_of(workers, &workers->mine[part])->tally[what] += count;
}

/* ---- sums over the node ---- */

/* Sum `count` elements from `first` on, all of one format, over the node's workers. Returns whether all were
 * within range. */
static bool sum_block(const ls_workers *workers, const ls_fixed *format, size_t first, size_t count,
                      uint64_t *restrict totals)
{
  bool is_within = true, is_first = true;
  for (size_t w = 0; w < workers->item_count; w++) {
    const ls_worker *self = &workers->items[w];
    const ls_worker_flags *flags = flags_of(workers, self);
    if (!flags->has_grads) continue;
    is_within &= (is_first ? ls_fixed_set : ls_fixed_add)(format, self->grads + first, count, totals);
    is_first = false;
    if (!flags->has_sums) continue;
    const uint64_t *restrict past = self->sums + first;
    for (size_t i = 0; i < count; i++) totals[i] += past[i];
  }
  if (is_first) memset(totals, 0, count * sizeof *totals);
  return is_within;
}

static bool sum_span(const ls_workers *workers, const span *s)
{
  uint64_t totals[BLOCK];
  bool is_within = true;
  for (size_t first = s->first; first < s->end; first += BLOCK) {
    const size_t count = ls_size_min(BLOCK, s->end - first);
    is_within &= sum_block(workers, &s->format, first, count, totals);
    if (workers->result)
      ls_fixed_read(&s->format, totals, count, workers->result + first);
    else
      memcpy(workers->totals + first, totals, count * sizeof *totals);
  }
  return is_within;
}

bool ls_workers_sum(const ls_workers *workers, size_t first, size_t end)
{
  bool is_within = true;
  for (size_t which = 0; which < 2; which++) {
    const span s = span_of(workers, which, first, end);
    is_within &= sum_span(workers, &s);
  }
  return is_within;
}

/* First element of a worker's chunk: cut at cache lines. */
static size_t chunk_first(const ls_workers *workers, size_t index)
{
  const size_t line = LS_ALIGNMENT / sizeof(uint64_t);
  return ls_size_min(workers->count,
                     ls_part_first(ls_size_ceil_div(workers->count, line), workers->item_count, index) *
                         line);
}

void ls_workers_sum_part(ls_workers *workers, size_t part)
{
  const size_t index = (size_t)(workers->mine - workers->items) + part;
  ls_workers_count(workers, part, LS_TALLY_OUTSIDE,
                   !ls_workers_sum(workers, chunk_first(workers, index), chunk_first(workers, index + 1)));
}

void ls_workers_read(const ls_workers *workers, const uint64_t *totals, size_t first, size_t end,
                     float *values)
{
  for (size_t which = 0; which < 2; which++) {
    const span s = span_of(workers, which, first, end);
    if (s.first < s.end) ls_fixed_read(&s.format, totals + s.first, s.end - s.first, values + s.first);
  }
}

void ls_workers_add_tallies(const ls_workers *workers, uint64_t tally[LS_TALLY_COUNT])
{
  memset(tally, 0, LS_TALLY_COUNT * sizeof *tally);
  for (size_t w = 0; w < workers->item_count; w++)
    for (size_t i = 0; i < LS_TALLY_COUNT; i++) tally[i] += flags_of(workers, &workers->items[w])->tally[i];
}

void ls_workers_turn(ls_workers *workers)
{
  workers->turn = 1 - workers->turn;
  for (size_t t = 0; t < workers->threads; t++)
    *flags_of(workers, &workers->mine[t]) = (ls_worker_flags){.has_grads = false};
  workers->step++;
}
