/* SPDX-License-Identifier: BSD-3-Clause */
/* Every rank fills in the rows of its samples in a table of all, the rest being zero; the sum over the ranks
 * is the table. */
#include "eval/votes.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "comm/team.h"
#include "nn/probability.h"

/* A sample and where its votes lie. */
typedef struct row {
  uint64_t sample, index;
} row;

typedef struct vote_table {
  const ls_soft_vote *soft_vote;
  const ls_loader *loader;
  ls_eval_split split;
  size_t samples, classes;
  size_t *first;        /* [micro-batches of this rank] row of the first sample */
  uint64_t *keys;       /* [samples, 2]: sample, label */
  float *probabilities; /* [samples, members, classes] */
} vote_table;

static size_t row_floats(const vote_table *table)
{
  return table->soft_vote->count * table->classes;
}

static ls_status prepare(vote_table *table)
{
  size_t floats;
  if (!ls_size_mul(table->samples, row_floats(table), &floats))
    return ls_fail(LS_E_MEMORY, "no memory for the votes on %zu samples", table->samples);
  LS_PASS(ls_alloc(&table->keys, table->samples, 2 * sizeof *table->keys, "the votes"));
  LS_PASS(ls_alloc(&table->probabilities, floats, sizeof *table->probabilities, "the votes"));
  return ls_alloc(&table->first, ls_loader_eval_microbatches(table->loader, table->split) + 1,
                  sizeof *table->first, "the votes");
}

/* Rows of this rank follow those of the ranks before. Collective. */
static ls_status place_rows(vote_table *table, ls_comm *comm)
{
  const size_t count = ls_loader_eval_microbatches(table->loader, table->split);
  const size_t ranks = (size_t)ls_comm_size(comm), rank = (size_t)ls_comm_rank(comm);
  uint64_t *counts = NULL;
  LS_AGREE(comm, ls_alloc(&counts, ranks, sizeof *counts, "the votes"));
  for (size_t i = 0; i < count; i++)
    counts[rank] += ls_loader_eval_microbatch(table->loader, table->split, i).n;
  const ls_status status = ls_comm_sum_u64(comm, counts, ranks);
  for (size_t r = 0; r < rank; r++) table->first[0] += (size_t)counts[r];
  for (size_t i = 0; i < count; i++)
    table->first[i + 1] = table->first[i] + ls_loader_eval_microbatch(table->loader, table->split, i).n;
  free(counts);
  return status;
}

static void fill_microbatch(const vote_table *table, size_t part, size_t i)
{
  const ls_microbatch microbatch = ls_loader_eval_microbatch(table->loader, table->split, i);
  const size_t classes = table->classes;
  for (size_t m = 0; m < table->soft_vote->count; m++) {
    const float *logits = ls_member_logits(&table->soft_vote->members[m], part, &microbatch);
    for (size_t s = 0; s < microbatch.n; s++)
      ls_softmax(logits + s * classes, 1, classes,
                 table->probabilities + (table->first[i] + s) * row_floats(table) + m * classes);
  }
  for (size_t s = 0; s < microbatch.n; s++) {
    table->keys[2 * (table->first[i] + s)] = microbatch.samples[s];
    table->keys[2 * (table->first[i] + s) + 1] = microbatch.labels[s];
  }
}

static void fill_part(void *user, size_t part)
{
  const vote_table *table = user;
  const size_t threads = table->soft_vote->threads;
  const size_t count = ls_loader_eval_microbatches(table->loader, table->split);
  for (size_t i = ls_part_first(count, threads, part); i < ls_part_first(count, threads, part + 1); i++)
    fill_microbatch(table, part, i);
}

static int by_sample(const void *a, const void *b)
{
  const row *x = a, *y = b;
  return (x->sample > y->sample) - (x->sample < y->sample);
}

/* The rows in the order of their samples. Rank 0. */
static ls_status sort_rows(const vote_table *table, ls_votes *out)
{
  row *rows;
  *out = (ls_votes){.samples = table->samples, .members = table->soft_vote->count, .classes = table->classes};
  LS_PASS(ls_alloc(&out->probabilities, table->samples * row_floats(table), sizeof(float), "the votes"));
  LS_PASS(ls_alloc(&out->labels, table->samples, sizeof *out->labels, "the votes"));
  LS_PASS(ls_alloc(&rows, table->samples, sizeof *rows, "the votes"));
  for (size_t i = 0; i < table->samples; i++) rows[i] = (row){table->keys[2 * i], i};
  qsort(rows, table->samples, sizeof *rows, by_sample);
  for (size_t i = 0; i < table->samples; i++) {
    out->labels[i] = (uint16_t)table->keys[2 * rows[i].index + 1];
    memcpy(out->probabilities + i * row_floats(table),
           table->probabilities + rows[i].index * row_floats(table), row_floats(table) * sizeof(float));
  }
  free(rows);
  return LS_OK;
}

ls_status ls_votes_collect(ls_votes *out, ls_comm *comm, const ls_soft_vote *soft_vote,
                           const ls_loader *loader, ls_eval_split split)
{
  vote_table table = {.soft_vote = soft_vote,
                      .loader = loader,
                      .split = split,
                      .samples = ls_loader_eval_count(loader, split),
                      .classes = ls_model_classes(soft_vote->members[0].network->model)};
  *out = (ls_votes){0};
  if (table.samples == 0) return ls_fail(LS_E_INPUT, "there are no samples to evaluate on");
  ls_status status;
  LS_GO(ls_comm_agree(comm, prepare(&table)));
  LS_GO(place_rows(&table, comm));
  ls_team_run(soft_vote->threads, fill_part, &table);
  LS_GO(ls_comm_sum_u64(comm, table.keys, 2 * table.samples));
  LS_GO(ls_comm_sum_f32(comm, table.probabilities, table.samples * row_floats(&table)));
  LS_GO(ls_comm_agree(comm, ls_comm_rank(comm) == 0 ? sort_rows(&table, out) : LS_OK));
done:
  free(table.first);
  free(table.keys);
  free(table.probabilities);
  if (status != LS_OK) ls_votes_fini(out);
  return status;
}

void ls_votes_fini(ls_votes *votes)
{
  free(votes->probabilities);
  free(votes->labels);
  *votes = (ls_votes){0};
}
