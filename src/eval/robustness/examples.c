/* SPDX-License-Identifier: BSD-3-Clause */
/* The arrays of the examples, as one table of rows: allocated, gathered and released alike. */
#include "eval/robustness/examples.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"

enum { ARRAY_COUNT = 9 };

/* One array of examples, and the bytes that each of them has there. */
typedef struct array {
  void **items;
  size_t bytes;
} array;

static void list_arrays(ls_examples *examples, array arrays[ARRAY_COUNT])
{
  const size_t pixels = ls_shape_count(examples->shape);
  const array all[ARRAY_COUNT] = {{(void **)&examples->images, pixels * sizeof *examples->images},
                                  {(void **)&examples->pixels, pixels},
                                  {(void **)&examples->originals, pixels},
                                  {(void **)&examples->samples, sizeof *examples->samples},
                                  {(void **)&examples->labels, sizeof *examples->labels},
                                  {(void **)&examples->before, sizeof *examples->before},
                                  {(void **)&examples->after, sizeof *examples->after},
                                  {(void **)&examples->after_8bit, sizeof *examples->after_8bit},
                                  {(void **)&examples->confidences, sizeof *examples->confidences}};
  memcpy(arrays, all, sizeof all);
}

/* Local. */
static ls_status allocate(ls_examples *examples, ls_shape shape, size_t count)
{
  *examples = (ls_examples){.shape = shape, .count = count, .most = count};
  array arrays[ARRAY_COUNT];
  list_arrays(examples, arrays);
  ls_status status = LS_OK;
  for (size_t i = 0; i < ARRAY_COUNT && status == LS_OK; i++)
    status = ls_alloc(arrays[i].items, count, arrays[i].bytes, "the adversarial examples");
  if (status != LS_OK) ls_examples_fini(examples);
  return status;
}

/* The ranks' counts, [ranks], freed by the caller. Collective. */
static ls_status share_counts(uint64_t **counts, ls_comm *comm, size_t mine)
{
  const size_t ranks = (size_t)ls_comm_size(comm);
  LS_AGREE(comm, ls_alloc(counts, ranks, sizeof **counts, "the counts of the ranks"));
  (*counts)[ls_comm_rank(comm)] = mine;
  return ls_comm_sum_u64(comm, *counts, ranks);
}

ls_status ls_examples_init(ls_examples *examples, ls_comm *comm, ls_shape shape, size_t count)
{
  const size_t ranks = (size_t)ls_comm_size(comm);
  uint64_t *counts = NULL;
  size_t most = 0;
  ls_status status;
  LS_GO(share_counts(&counts, comm, count));
  for (size_t r = 0; r < ranks; r++) most = ls_size_max(most, counts[r]);
  LS_GO(ls_comm_agree(comm, allocate(examples, shape, most)));
  examples->count = count;
done:
  free(counts);
  return status;
}

void ls_examples_fini(ls_examples *examples)
{
  array arrays[ARRAY_COUNT];
  list_arrays(examples, arrays);
  for (size_t i = 0; i < ARRAY_COUNT; i++) free(*arrays[i].items);
  *examples = (ls_examples){.count = 0};
}

/* A gathered example: its number in the split, and where it lies among all. */
typedef struct row {
  uint64_t sample;
  size_t at;
} row;

static int compare_samples(const void *a, const void *b)
{
  const uint64_t x = ((const row *)a)->sample, y = ((const row *)b)->sample;
  return (x > y) - (x < y);
}

/* The examples of all ranks, each of which has scratch for `most`, in the order of the split. Freed by the
 * caller. */
static ls_status sort_rows(row **rows, const ls_examples *all, const uint64_t *counts, size_t ranks)
{
  const size_t most = all->most / ranks;
  size_t count = 0;
  LS_PASS(ls_alloc(rows, all->count, sizeof **rows, "the order of the adversarial examples"));
  for (size_t r = 0; r < ranks; r++)
    for (size_t i = r * most; i < r * most + counts[r]; i++)
      (*rows)[count++] = (row){.sample = all->samples[i], .at = i};
  qsort(*rows, count, sizeof **rows, compare_samples);
  return LS_OK;
}

/* Rank 0, which then has no gaps between the ranks' parts, and the same order whatever their number. */
static ls_status put_in_order(ls_examples *all, const uint64_t *counts, size_t ranks)
{
  row *rows = NULL;
  array arrays[ARRAY_COUNT];
  ls_status status;
  list_arrays(all, arrays);
  LS_GO(sort_rows(&rows, all, counts, ranks));
  for (size_t i = 0; i < ARRAY_COUNT; i++) {
    const size_t bytes = arrays[i].bytes;
    unsigned char *sorted, *gathered = *arrays[i].items;
    LS_GO(ls_alloc(&sorted, all->count, bytes, "the adversarial examples"));
    for (size_t k = 0; k < all->count; k++) memcpy(sorted + k * bytes, gathered + rows[k].at * bytes, bytes);
    free(gathered);
    *arrays[i].items = sorted;
  }
done:
  free(rows);
  return status;
}

static ls_status gather_all(ls_examples *mine, ls_examples *all, ls_comm *comm)
{
  const size_t most = mine->most;
  array from[ARRAY_COUNT], to[ARRAY_COUNT];
  list_arrays(mine, from);
  list_arrays(all, to);
  for (size_t i = 0; i < ARRAY_COUNT; i++)
    LS_PASS(ls_comm_gather(comm, *from[i].items, most * from[i].bytes, *to[i].items));
  return LS_OK;
}

ls_status ls_examples_gather(ls_examples *examples, ls_comm *comm)
{
  const size_t rank = (size_t)ls_comm_rank(comm), ranks = (size_t)ls_comm_size(comm);
  const size_t scratch = rank == 0 ? ranks * examples->most : 0;
  ls_examples all = {.count = 0};
  uint64_t *counts = NULL;
  ls_status status;
  LS_GO(share_counts(&counts, comm, examples->count));
  LS_GO(ls_comm_agree(comm, allocate(&all, examples->shape, scratch)));
  LS_GO(gather_all(examples, &all, comm));
  all.count = 0;
  for (size_t r = 0; rank == 0 && r < ranks; r++) all.count += counts[r];
  LS_GO(ls_comm_agree(comm, rank == 0 ? put_in_order(&all, counts, ranks) : LS_OK));
  ls_examples_fini(examples);
  *examples = all;
  all = (ls_examples){.count = 0};
done:
  free(counts);
  ls_examples_fini(&all);
  return status;
}
