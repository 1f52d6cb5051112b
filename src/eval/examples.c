/* SPDX-License-Identifier: BSD-3-Clause */
/* The arrays of the examples, as one table of rows: allocated, gathered and released alike. */
#include "eval/examples.h"

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

/* Close the gaps between the ranks' parts, each of which has room for `most`. */
static void compact(unsigned char *all, size_t bytes, const uint64_t *counts, size_t ranks, size_t most)
{
  size_t end = 0;
  for (size_t r = 0; r < ranks; r++) {
    memmove(all + end, all + r * most * bytes, counts[r] * bytes);
    end += counts[r] * bytes;
  }
}

static ls_status gather_all(ls_examples *mine, ls_examples *all, ls_comm *comm, const uint64_t *counts)
{
  const size_t most = mine->most;
  array from[ARRAY_COUNT], to[ARRAY_COUNT];
  list_arrays(mine, from);
  list_arrays(all, to);
  for (size_t i = 0; i < ARRAY_COUNT; i++) {
    LS_PASS(ls_comm_gather(comm, *from[i].items, most * from[i].bytes, *to[i].items));
    if (ls_comm_rank(comm) == 0) compact(*to[i].items, to[i].bytes, counts, (size_t)ls_comm_size(comm), most);
  }
  return LS_OK;
}

ls_status ls_examples_gather(ls_examples *examples, ls_comm *comm)
{
  const size_t rank = (size_t)ls_comm_rank(comm), ranks = (size_t)ls_comm_size(comm);
  const size_t room = rank == 0 ? ranks * examples->most : 0;
  ls_examples all = {.count = 0};
  uint64_t *counts = NULL;
  ls_status status;
  LS_GO(share_counts(&counts, comm, examples->count));
  LS_GO(ls_comm_agree(comm, allocate(&all, examples->shape, room)));
  LS_GO(gather_all(examples, &all, comm, counts));
  all.count = 0;
  for (size_t r = 0; rank == 0 && r < ranks; r++) all.count += counts[r];
  ls_examples_fini(examples);
  *examples = all;
  all = (ls_examples){.count = 0};
done:
  free(counts);
  ls_examples_fini(&all);
  return status;
}
