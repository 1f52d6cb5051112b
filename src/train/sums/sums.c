/* SPDX-License-Identifier: BSD-3-Clause */
/* The sums of a step. Each rank owns a segment of memory that the ranks of its node share:
 *
 *   [head | thread: flags, grads, sums | thread: flags, grads, sums | ...]
 *
 * The node's threads, of all its ranks, each sum one chunk over all of the node's threads into the common
 * segment: its result or, with several nodes, its totals. */
#include "train/sums/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "comm/team.h"

static const double GRAD_SCALE = 0x1p40, STAT_SCALE = 0x1p28, LOSS_SCALE = 0x1p32;
static const double BUCKET_FLOATS = 0x1p18; /* in a mebibyte */

enum {
  BLOCK = 512, /* elements summed in one go, in first-level cache */
  DIGITS = 8,  /* bytes of a tally's word */
  TALLY_FLOATS = DIGITS * LS_TALLY_COUNT
};

/* The begin of a segment: what others need to know to read the rest. */
typedef struct head {
  size_t threads, sum_count;
} head;

/* By messages: the ranks of this node do not have everything. */
static bool are_sent(const ls_sums *sums)
{
  return ls_node_count(sums->node) > 1 || sums->options.by_mpi;
}

bool ls_sums_are_exact(const ls_sums *sums)
{
  return are_sent(sums) && !sums->options.is_fast;
}

/* Take a worker's part off an arena; with memory behind it, where it lies. */
static ls_sums_worker take_worker(ls_arena *arena, size_t count, size_t sum_count)
{
  const size_t flags = ls_arena_reserve(arena, 2, sizeof(ls_sums_flags));
  const size_t grads = ls_arena_reserve(arena, count, sizeof(float));
  const size_t sums = ls_arena_reserve(arena, sum_count, sizeof(uint64_t));
  const size_t progress = ls_arena_reserve(arena, 1, sizeof(atomic_uint_least64_t));
  if (!arena->base) return (ls_sums_worker){0};
  return (ls_sums_worker){ls_arena_at(arena, flags), ls_arena_at(arena, grads), ls_arena_at(arena, sums),
                          ls_arena_at(arena, progress)};
}

static size_t segment_bytes(const ls_sums *sums, const head *own)
{
  ls_arena arena = {0};
  ls_arena_reserve(&arena, 1, sizeof(head));
  for (size_t t = 0; t < own->threads; t++) take_worker(&arena, sums->count, own->sum_count);
  return arena.bytes;
}

/* The common segment: result, totals, and what the overlap needs. */
static size_t common_bytes(const ls_sums *sums, size_t *totals, size_t *overlap)
{
  ls_arena arena = {0};
  ls_arena_reserve(&arena, sums->count + TALLY_FLOATS, sizeof(float));
  *totals = ls_arena_reserve(&arena, sums->count + LS_TALLY_COUNT, sizeof(uint64_t));
  *overlap = ls_arena_reserve(&arena, ls_overlap_bytes(&sums->options), 1);
  return arena.bytes;
}

static const head *head_of(const ls_sums *sums, size_t rank)
{
  return ls_node_segment(sums->node, rank);
}

/* The node's workers, once every rank has written its head. Local. */
static ls_status find_workers(ls_sums *sums)
{
  const size_t ranks = ls_node_size(sums->node);
  for (size_t r = 0; r < ranks; r++) sums->worker_count += head_of(sums, r)->threads;
  LS_PASS(ls_alloc(&sums->workers, sums->worker_count, sizeof *sums->workers, "the node's workers"));
  ls_sums_worker *next = sums->workers;
  for (size_t r = 0; r < ranks; r++) {
    ls_arena arena = {.base = ls_node_segment(sums->node, r)};
    ls_arena_reserve(&arena, 1, sizeof(head));
    if (r == ls_node_rank(sums->node)) sums->mine = next;
    for (size_t t = 0; t < head_of(sums, r)->threads; t++)
      *next++ = take_worker(&arena, sums->count, head_of(sums, r)->sum_count);
  }
  return LS_OK;
}

/* How vectors go between nodes, unless MPI_Allreduce() does it. Local. */
static ls_status plan_transfer(ls_sums *sums)
{
  const bool is_needed = sums->overlap || (sums->options.is_brief && ls_node_count(sums->node) > 1);
  if (!is_needed || ls_node_rank(sums->node) > 0) return LS_OK;
  if (ls_sums_are_exact(sums))
    return ls_iallreduce_new(&sums->transfer, sums->node, LS_WIRE_U64, sums->totals, sums->count);
  return ls_iallreduce_new(&sums->transfer, sums->node, sums->options.is_brief ? LS_WIRE_BF16 : LS_WIRE_F32,
                           sums->result, sums->count);
}

/* Where the reduced values go. Local. */
static ls_status find_result(ls_sums *sums)
{
  size_t totals, overlap;
  common_bytes(sums, &totals, &overlap);
  ls_arena common = {.base = ls_node_common(sums->node)};
  sums->result = ls_arena_at(&common, 0);
  sums->totals = ls_arena_at(&common, totals);
  LS_PASS(ls_overlap_new(&sums->overlap, sums, ls_arena_at(&common, overlap)));
  LS_PASS(plan_transfer(sums));
  if (!ls_sums_are_exact(sums)) return LS_OK;
  LS_PASS(ls_alloc(&sums->decoded, sums->count, sizeof(float), "the gradient"));
  sums->result = sums->decoded;
  return LS_OK;
}

ls_sums_options ls_sums_options_of(const ls_spec_train *train, ls_comm *comm, const ls_sums_shape *shape)
{
  ls_sums_options options = {.comm = comm,
                             .grads = shape->grads,
                             .stats = shape->stats,
                             .threads = shape->threads,
                             .microbatches = shape->microbatches,
                             .by_mpi = train->allreduce == LS_ALLREDUCE_MPI};
  if (options.by_mpi) return options;
  options.bucket = (size_t)(train->bucket_mb * BUCKET_FLOATS);
  options.is_fast = train->reduction == LS_REDUCTION_FAST;
  options.is_brief = train->allreduce_dtype == LS_DTYPE_BFLOAT16;
  return options;
}

static ls_status build(ls_sums *sums)
{
  const ls_sums_options *options = &sums->options;
  const size_t ranks = (size_t)ls_comm_size(options->comm);
  const size_t most = ls_size_ceil_div(ls_size_ceil_div(options->microbatches, ranks), options->threads);
  const head own = {.threads = options->threads, .sum_count = most > 1 ? sums->count : 0};
  size_t totals, overlap;
  const ls_node_options node = {.max_ranks = options->by_mpi ? 1 : options->node_ranks,
                                .bytes = segment_bytes(sums, &own),
                                .common_bytes = common_bytes(sums, &totals, &overlap)};
  LS_PASS(ls_node_new(&sums->node, options->comm, &node));
  *(head *)ls_node_segment(sums->node, ls_node_rank(sums->node)) = own;
  ls_node_barrier(sums->node);
  LS_AGREE(options->comm, find_workers(sums));
  LS_AGREE(options->comm, find_result(sums));
  return LS_OK;
}

ls_status ls_sums_new(ls_sums **out, const ls_sums_options *options)
{
  ls_sums *sums = NULL;
  LS_AGREE(options->comm, ls_team_check(options->threads)); /* they wait for each other */
  LS_AGREE(options->comm, ls_alloc(&sums, 1, sizeof *sums, "the step's sums"));
  sums->options = *options;
  sums->count = options->grads + options->stats;
  sums->formats[0] = ls_fixed_make(GRAD_SCALE, 1.0, options->microbatches);
  sums->loss_limit = (double)ls_fixed_make(LOSS_SCALE, 1.0, options->microbatches).limit;
  const ls_status status = build(sums);
  if (status != LS_OK) {
    if (status != LS_E_COMM) ls_sums_free(sums);
    return status;
  }
  *out = sums;
  return LS_OK;
}

void ls_sums_free(ls_sums *sums)
{
  if (!sums) return;
  ls_overlap_free(sums->overlap);
  ls_iallreduce_free(sums->transfer);
  ls_node_free(sums->node);
  free(sums->workers);
  free(sums->decoded);
  free(sums);
}

/* Elements of one format: the whole vector is two such spans. */
typedef struct span {
  size_t first, end;
  ls_fixed format;
} span;

/* The part of [first, end) that is gradient (which = 0) or statistics (1). */
static span span_of(const ls_sums *sums, size_t which, size_t first, size_t end)
{
  const size_t grads = sums->options.grads;
  return (span){.first = which == 0 ? first : ls_size_max(first, grads),
                .end = which == 0 ? ls_size_min(end, grads) : end,
                .format = sums->formats[which]};
}

ls_sums_limits ls_sums_find_limits(const ls_sums *sums)
{
  return (ls_sums_limits){.grad = (double)sums->formats[0].limit,
                          .stat = (double)sums->formats[1].limit,
                          .loss = sums->loss_limit};
}

static ls_sums_flags *flags_of(const ls_sums *sums, const ls_sums_worker *self)
{
  return &self->flags[sums->turn];
}

/* Put the part's last micro-batch to those before it. */
static bool keep_grads(const ls_sums *sums, ls_sums_worker *self, bool is_first)
{
  bool is_within = true;
  for (size_t which = 0; which < 2; which++) {
    const span s = span_of(sums, which, 0, sums->count);
    if (s.first >= s.end) continue;
    is_within &= (is_first ? ls_fixed_set : ls_fixed_add)(&s.format, self->grads + s.first, s.end - s.first,
                                                          self->sums + s.first);
  }
  return is_within;
}

float *ls_sums_next(ls_sums *sums, size_t part)
{
  ls_sums_worker *self = &sums->mine[part];
  ls_sums_flags *mine = flags_of(sums, self);
  if (mine->has_grads) {
    mine->tally[LS_TALLY_OUTSIDE] += !keep_grads(sums, self, !mine->has_sums);
    mine->has_sums = true;
  }
  mine->has_grads = true;
  return self->grads;
}

void ls_sums_count(ls_sums *sums, size_t part, ls_tally what, uint64_t count)
{
  flags_of(sums, &sums->mine[part])->tally[what] += count;
}

void ls_sums_add_loss(ls_sums *sums, size_t part, double loss)
{
  const bool outside = !(fabs(loss) < sums->loss_limit);
  ls_sums_count(sums, part, LS_TALLY_OUTSIDE, outside);
  if (!outside) ls_sums_count(sums, part, LS_TALLY_LOSS, (uint64_t)llround(loss * LOSS_SCALE));
}

/* Sum `count` elements from `first` on, all of one format, over the node's workers. Returns whether all were
 * within range. */
static bool sum_block(const ls_sums *sums, const ls_fixed *format, size_t first, size_t count,
                      uint64_t *restrict totals)
{
  bool is_within = true, is_first = true;
  for (size_t w = 0; w < sums->worker_count; w++) {
    const ls_sums_worker *self = &sums->workers[w];
    const ls_sums_flags *flags = flags_of(sums, self);
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

/* Sum the elements of a span over the node. */
static bool sum_span(const ls_sums *sums, const span *s)
{
  uint64_t totals[BLOCK];
  bool is_within = true;
  for (size_t first = s->first; first < s->end; first += BLOCK) {
    const size_t count = ls_size_min(BLOCK, s->end - first);
    is_within &= sum_block(sums, &s->format, first, count, totals);
    if (ls_sums_are_exact(sums))
      memcpy(sums->totals + first, totals, count * sizeof *totals);
    else
      ls_fixed_read(&s->format, totals, count, sums->result + first);
  }
  return is_within;
}

/* First element of a worker's chunk: cut at cache lines. */
static size_t chunk_first(const ls_sums *sums, size_t index)
{
  const size_t line = LS_ALIGNMENT / sizeof(uint64_t);
  return ls_size_min(sums->count,
                     ls_part_first(ls_size_ceil_div(sums->count, line), sums->worker_count, index) * line);
}

bool ls_sums_range(ls_sums *sums, size_t first, size_t end)
{
  bool is_within = true;
  for (size_t which = 0; which < 2; which++) {
    const span s = span_of(sums, which, first, end);
    is_within &= sum_span(sums, &s);
  }
  return is_within;
}

/* The chunk of this rank's thread `part`. */
static void sum_part(void *user, size_t part)
{
  ls_sums *sums = user;
  const size_t index = (size_t)(sums->mine - sums->workers) + part;
  ls_sums_count(sums, part, LS_TALLY_OUTSIDE,
                !ls_sums_range(sums, chunk_first(sums, index), chunk_first(sums, index + 1)));
}

static void decode_part(void *user, size_t part)
{
  const ls_sums *sums = user;
  const size_t first = ls_part_first(sums->count, sums->options.threads, part);
  const size_t end = ls_part_first(sums->count, sums->options.threads, part + 1);
  for (size_t which = 0; which < 2; which++) {
    const span s = span_of(sums, which, first, end);
    if (s.first < s.end)
      ls_fixed_read(&s.format, sums->totals + s.first, s.end - s.first, sums->decoded + s.first);
  }
}

static void add_tallies(const ls_sums *sums, uint64_t tally[LS_TALLY_COUNT])
{
  memset(tally, 0, LS_TALLY_COUNT * sizeof *tally);
  for (size_t w = 0; w < sums->worker_count; w++)
    for (size_t i = 0; i < LS_TALLY_COUNT; i++) tally[i] += flags_of(sums, &sums->workers[w])->tally[i];
}

/* Sum vectors and tallies as integers, all at once. By the nodes' first ranks. Collective. */
static ls_status send_integers(ls_sums *sums)
{
  return ls_node_sum_u64(sums->node, sums->totals, sums->count + LS_TALLY_COUNT);
}

/* Likewise as floats: the tally's bytes are one each, whose sums floats hold up to 65,000 nodes. */
static ls_status send_floats(ls_sums *sums)
{
  uint64_t *tally = sums->totals + sums->count;
  float *digits = sums->result + sums->count;
  for (size_t i = 0; i < TALLY_FLOATS; i++)
    digits[i] = (float)(tally[i / DIGITS] >> (8 * (i % DIGITS)) & 0xff);
  LS_PASS(ls_node_sum_f32(sums->node, sums->result, sums->count + TALLY_FLOATS));
  memset(tally, 0, LS_TALLY_COUNT * sizeof *tally);
  for (size_t i = 0; i < TALLY_FLOATS; i++) tally[i / DIGITS] += (uint64_t)digits[i] << (8 * (i % DIGITS));
  return LS_OK;
}

/* Likewise by messages of our own; of an overlap, what has not come yet. The tally goes behind them. */
static ls_status send_blocks(ls_sums *sums)
{
  uint64_t *tally = sums->totals + sums->count;
  if (sums->overlap) {
    LS_PASS(ls_overlap_end(sums->overlap));
    add_tallies(sums, tally);
    tally[LS_TALLY_OUTSIDE] += ls_overlap_outside(sums->overlap);
  } else {
    LS_PASS(ls_iallreduce_begin(sums->transfer));
    LS_PASS(ls_iallreduce_start(sums->transfer, 0));
    LS_PASS(ls_iallreduce_end(sums->transfer));
  }
  return ls_node_sum_u64(sums->node, tally, LS_TALLY_COUNT);
}

/* The nodes' vectors and tallies. Collective. */
static ls_status sum_nodes(ls_sums *sums)
{
  if (ls_node_rank(sums->node) > 0) return LS_OK;
  if (!sums->overlap) add_tallies(sums, sums->totals + sums->count);
  if (sums->transfer) return send_blocks(sums);
  return ls_sums_are_exact(sums) ? send_integers(sums) : send_floats(sums);
}

/* From the nodes' totals to everyone's result. Collective. */
static ls_status join_nodes(ls_sums *sums)
{
  ls_activity *activity = ls_comm_activity(sums->options.comm);
  ls_activity_wait(activity, "summing the gradients over the hosts");
  LS_PASS(sum_nodes(sums));
  ls_activity_work(activity);
  ls_node_barrier(sums->node);
  memcpy(sums->tally, sums->totals + sums->count, sizeof sums->tally);
  if (!sums->decoded) return LS_OK;
  ls_team_run(sums->options.threads, decode_part, sums);
  return LS_OK;
}

/* The flags of the next step, which no rank reads any more. */
static void turn_flags(ls_sums *sums)
{
  sums->turn = 1 - sums->turn;
  for (size_t t = 0; t < sums->options.threads; t++)
    *flags_of(sums, &sums->mine[t]) = (ls_sums_flags){.has_grads = false};
}

void ls_sums_begin(ls_sums *sums, size_t samples)
{
  sums->formats[1] = ls_fixed_make(STAT_SCALE, 1.0 / (double)samples, sums->options.microbatches);
  if (sums->overlap) ls_overlap_begin(sums->overlap);
}

void ls_sums_ready(ls_sums *sums, size_t part, size_t first)
{
  if (sums->overlap) ls_overlap_ready(sums->overlap, part, first);
}

void ls_sums_finish(ls_sums *sums, size_t part)
{
  if (sums->overlap) ls_overlap_finish(sums->overlap, part);
}

/* Sum over the node what was not summed meanwhile. Collective over the node. */
static ls_status sum_node(ls_sums *sums)
{
  ls_node_barrier(sums->node);
  ls_team_run(sums->options.threads, sum_part, sums);
  ls_node_barrier(sums->node);
  return LS_OK;
}

ls_status ls_sums_reduce(ls_sums *sums)
{
  if (!sums->overlap) LS_PASS(sum_node(sums));
  if (are_sent(sums))
    LS_PASS(join_nodes(sums));
  else
    add_tallies(sums, sums->tally);
  turn_flags(sums);
  sums->step++;
  return LS_OK;
}

const float *ls_sums_result(const ls_sums *sums)
{
  return sums->result;
}

uint64_t ls_sums_total(const ls_sums *sums, ls_tally what)
{
  return sums->tally[what];
}

double ls_sums_loss(const ls_sums *sums)
{
  return (double)(int64_t)sums->tally[LS_TALLY_LOSS] / LOSS_SCALE;
}

const char *ls_sums_split_reason(const ls_sums *sums)
{
  return ls_node_split_reason(sums->node);
}
