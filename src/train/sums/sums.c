/* SPDX-License-Identifier: BSD-3-Clause */
/* The sums of a step. The node's threads, of all its ranks, each sum one chunk over all of the node's threads
 * into the common segment: its result or, with several nodes, its totals. These then go between the nodes. */
#include "train/sums/sums.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "comm/iallreduce.h"
#include "comm/node.h"
#include "comm/team.h"
#include "train/sums/overlap.h"
#include "train/sums/workers.h"

static const double GRAD_SCALE = 0x1p40, STAT_SCALE = 0x1p28, LOSS_SCALE = 0x1p32;
static const double BUCKET_FLOATS = 0x1p18; /* in a mebibyte */

enum {
  DIGITS = 8, /* bytes of a tally's word */
  TALLY_FLOATS = DIGITS * LS_TALLY_COUNT
};

struct ls_sums {
  ls_sums_options options;
  ls_node *node;
  ls_workers workers; /* of the node */
  double loss_limit;  /* of a micro-batch's loss */
  float *result;      /* [count], and the tally behind it on its way to other nodes */
  float *decoded; /* the result's memory when it is this rank's own: several nodes, exact; or by MPI alone */
  uint64_t *totals; /* [count + LS_TALLY_COUNT] of the node, then of all; several nodes, or by MPI alone */
  uint64_t tally[LS_TALLY_COUNT];
  ls_overlap *overlap;     /* NULL: everything is summed after the last micro-batch */
  ls_iallreduce *transfer; /* between nodes, by the first rank of each; NULL: by MPI_Allreduce() */
};

/* Do totals travel between nodes? If so, only some ranks of a node have them at first. */
static bool are_sent(const ls_sums *sums)
{
  return ls_node_count(sums->node) > 1 || sums->options.by_mpi;
}

/* Totals travel between nodes as integers. */
static bool are_exact(const ls_sums *sums)
{
  return are_sent(sums) && !sums->options.is_fast;
}

/* The common segment: result, totals, and what the overlap needs. */
static size_t common_bytes(const ls_sums *sums, size_t *totals, size_t *overlap)
{
  ls_arena arena = {0};
  const size_t count = sums->workers.count;
  ls_arena_reserve(&arena, count + TALLY_FLOATS, sizeof(float));
  *totals = ls_arena_reserve(&arena, count + LS_TALLY_COUNT, sizeof(uint64_t));
  *overlap = ls_arena_reserve(&arena, ls_overlap_bytes(count, sums->options.bucket), 1);
  return arena.bytes;
}

/* Set up the transfer of vectors between nodes, unless MPI_Allreduce() does it. Local. */
static ls_status plan_transfer(ls_sums *sums, bool overlaps)
{
  const size_t count = sums->workers.count;
  const bool is_needed = overlaps || (sums->options.is_brief && ls_node_count(sums->node) > 1);
  if (!is_needed || ls_node_rank(sums->node) > 0) return LS_OK;
  if (are_exact(sums))
    return ls_iallreduce_new(&sums->transfer, sums->node, LS_WIRE_U64, sums->totals, count);
  return ls_iallreduce_new(&sums->transfer, sums->node, sums->options.is_brief ? LS_WIRE_BF16 : LS_WIRE_F32,
                           sums->result, count);
}

/* Set the memory of the reduced values. Local. */
static ls_status plan_result(ls_sums *sums)
{
  size_t totals, shared;
  ls_workers *workers = &sums->workers;
  const size_t bucket = sums->options.bucket;
  const bool overlaps = ls_overlap_pays(workers->count, bucket, ls_node_count(sums->node));
  common_bytes(sums, &totals, &shared);
  ls_arena common = {.base = ls_node_common(sums->node)};
  sums->result = ls_arena_at(&common, 0);
  sums->totals = ls_arena_at(&common, totals);
  workers->result = are_exact(sums) ? NULL : sums->result;
  workers->totals = sums->totals;
  LS_PASS(plan_transfer(sums, overlaps));
  const ls_overlap_options options = {.workers = workers,
                                      .transfer = sums->transfer,
                                      .comm = sums->options.comm,
                                      .bucket = bucket,
                                      .shared = ls_arena_at(&common, shared)};
  if (overlaps) LS_PASS(ls_overlap_new(&sums->overlap, &options));
  if (!are_exact(sums)) return LS_OK;
  LS_PASS(ls_alloc_untouched(&sums->decoded, workers->count, sizeof(float), "the gradient"));
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
  ls_workers *workers = &sums->workers;
  const size_t sum_count = most > 1 ? workers->count : 0;
  size_t totals, overlap;
  const ls_node_options node = {.max_ranks = options->by_mpi ? 1 : options->node_ranks,
                                .threads = options->threads,
                                .bytes = ls_workers_bytes(workers->count, options->threads, sum_count),
                                .common_bytes = common_bytes(sums, &totals, &overlap)};
  LS_PASS(ls_node_new(&sums->node, options->comm, &node));
  workers->node = sums->node;
  ls_workers_announce(workers, sum_count);
  ls_node_barrier(sums->node);
  LS_AGREE(options->comm, ls_workers_find(workers));
  LS_AGREE(options->comm, plan_result(sums));
  return LS_OK;
}

ls_status ls_sums_new(ls_sums **out, const ls_sums_options *options)
{
  ls_sums *sums = NULL;
  LS_AGREE(options->comm, ls_team_check(options->threads)); /* they wait for each other */
  LS_AGREE(options->comm, ls_alloc(&sums, 1, sizeof *sums, "the step's sums"));
  sums->options = *options;
  sums->workers = (ls_workers){.grads = options->grads,
                               .count = options->grads + options->stats,
                               .threads = options->threads,
                               .formats = {ls_fixed_make(GRAD_SCALE, 1.0, options->microbatches)}};
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
  ls_workers_fini(&sums->workers);
  free(sums->decoded);
  free(sums);
}

ls_sums_limits ls_sums_find_limits(const ls_sums *sums)
{
  return (ls_sums_limits){.grad = (double)sums->workers.formats[0].limit,
                          .stat = (double)sums->workers.formats[1].limit,
                          .loss = sums->loss_limit};
}

float *ls_sums_next(ls_sums *sums, size_t part)
{
  return ls_workers_next(&sums->workers, part);
}

void ls_sums_count(ls_sums *sums, size_t part, ls_tally what, uint64_t count)
{
  ls_workers_count(&sums->workers, part, what, count);
}

void ls_sums_add_loss(ls_sums *sums, size_t part, double loss)
{
  const bool outside = !(fabs(loss) < sums->loss_limit);
  ls_sums_count(sums, part, LS_TALLY_OUTSIDE, outside);
  if (!outside) ls_sums_count(sums, part, LS_TALLY_LOSS, (uint64_t)llround(loss * LOSS_SCALE));
}

static void sum_part(void *user, size_t part)
{
  ls_workers_sum_part(user, part);
}

static void decode_part(void *user, size_t part)
{
  const ls_sums *sums = user;
  const size_t count = sums->workers.count, threads = sums->options.threads;
  ls_workers_read(&sums->workers, sums->totals, ls_part_first(count, threads, part),
                  ls_part_first(count, threads, part + 1), sums->decoded);
}

/* Sum vectors and tallies as integers, all at once. By the nodes' first ranks. Collective. */
static ls_status send_integers(ls_sums *sums)
{
  return ls_node_sum_u64(sums->node, sums->totals, sums->workers.count + LS_TALLY_COUNT);
}

/* The same as floats: each byte of the tally becomes a float, whose sums are exact up to 65,000 nodes. */
static ls_status send_floats(ls_sums *sums)
{
  uint64_t *tally = sums->totals + sums->workers.count;
  float *digits = sums->result + sums->workers.count;
  for (size_t i = 0; i < TALLY_FLOATS; i++)
    digits[i] = (float)(tally[i / DIGITS] >> (8 * (i % DIGITS)) & 0xff);
  LS_PASS(ls_node_sum_f32(sums->node, sums->result, sums->workers.count + TALLY_FLOATS));
  memset(tally, 0, LS_TALLY_COUNT * sizeof *tally);
  for (size_t i = 0; i < TALLY_FLOATS; i++) tally[i / DIGITS] += (uint64_t)digits[i] << (8 * (i % DIGITS));
  return LS_OK;
}

/* The same by messages of our own; with an overlap, only what it has not finished. The tally follows the
 * vector. */
static ls_status send_blocks(ls_sums *sums)
{
  uint64_t *tally = sums->totals + sums->workers.count;
  if (sums->overlap) {
    LS_PASS(ls_overlap_end(sums->overlap));
    ls_workers_add_tallies(&sums->workers, tally);
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
  if (!sums->overlap) ls_workers_add_tallies(&sums->workers, sums->totals + sums->workers.count);
  if (sums->transfer) return send_blocks(sums);
  return are_exact(sums) ? send_integers(sums) : send_floats(sums);
}

/* Turn the nodes' totals into the result of every rank. Collective. */
static ls_status join_nodes(ls_sums *sums)
{
  ls_activity *activity = ls_comm_activity(sums->options.comm);
  ls_activity_wait(activity, "summing the gradients over the hosts");
  LS_PASS(sum_nodes(sums));
  ls_activity_work(activity);
  ls_node_barrier(sums->node);
  memcpy(sums->tally, sums->totals + sums->workers.count, sizeof sums->tally);
  if (!sums->decoded) return LS_OK;
  ls_team_run(sums->options.threads, decode_part, sums);
  return LS_OK;
}

void ls_sums_begin(ls_sums *sums, size_t samples)
{
  sums->workers.formats[1] = ls_fixed_make(STAT_SCALE, 1.0 / (double)samples, sums->options.microbatches);
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

/* Sum over the node what the overlap has not summed. Collective over the node. */
static void sum_node(ls_sums *sums)
{
  ls_node_barrier(sums->node);
  ls_team_run(sums->options.threads, sum_part, &sums->workers);
  ls_node_barrier(sums->node);
}

ls_status ls_sums_reduce(ls_sums *sums)
{
  if (!sums->overlap) sum_node(sums);
  if (are_sent(sums))
    LS_PASS(join_nodes(sums));
  else
    ls_workers_add_tallies(&sums->workers, sums->tally);
  ls_workers_turn(&sums->workers);
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
