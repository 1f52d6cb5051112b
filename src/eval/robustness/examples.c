/* SPDX-License-Identifier: BSD-3-Clause */
/* The arrays of the examples, as one table of rows: allocated, gathered and released alike; and their file.
 */
#include "eval/robustness/examples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "comm/gather.h"
#include "data/readers/h5set_write.h"
#include "data/readers/memory.h"

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

ls_status ls_examples_init(ls_examples *examples, ls_shape shape, size_t count)
{
  *examples = (ls_examples){.shape = shape, .count = count};
  array arrays[ARRAY_COUNT];
  list_arrays(examples, arrays);
  ls_status status = LS_OK;
  for (size_t i = 0; i < ARRAY_COUNT && status == LS_OK; i++)
    status = ls_alloc(arrays[i].items, count, arrays[i].bytes, "the adversarial examples");
  if (status != LS_OK) ls_examples_fini(examples);
  return status;
}

void ls_examples_fini(ls_examples *examples)
{
  array arrays[ARRAY_COUNT];
  list_arrays(examples, arrays);
  for (size_t i = 0; i < ARRAY_COUNT; i++) free(*arrays[i].items);
  *examples = (ls_examples){.count = 0};
}

/* ---- to rank 0 ---- */

/* An example of any rank: its number in the split, and its number among all in the order of the ranks. */
typedef struct row {
  uint64_t sample;
  size_t gathered;
} row;

typedef struct gathering {
  row *rows;         /* [count] */
  size_t *sorted_at; /* [count] where the example belongs that is so many-th in the order of the ranks */
  size_t count;
  array to; /* of all examples */
} gathering;

static int by_sample(const void *a, const void *b)
{
  const uint64_t x = ((const row *)a)->sample, y = ((const row *)b)->sample;
  return (x > y) - (x < y);
}

static void take_samples(void *user, size_t first, const void *rows, size_t count)
{
  const gathering *self = user;
  const uint64_t *samples = rows;
  for (size_t i = 0; i < count; i++) self->rows[first + i] = (row){samples[i], first + i};
}

static void take_values(void *user, size_t first, const void *rows, size_t count)
{
  const gathering *self = user;
  const size_t bytes = self->to.bytes;
  unsigned char *to = *self->to.items;
  for (size_t i = 0; i < count; i++)
    memcpy(to + self->sorted_at[first + i] * bytes, (const unsigned char *)rows + i * bytes, bytes);
}

/* Rank 0. */
static ls_status allocate_all(gathering *self, ls_examples *all, ls_shape shape)
{
  LS_PASS(ls_alloc(&self->rows, self->count, sizeof *self->rows, "the order of the adversarial examples"));
  LS_PASS(ls_alloc(&self->sorted_at, self->count, sizeof *self->sorted_at,
                   "the order of the adversarial examples"));
  return ls_examples_init(all, shape, self->count);
}

static ls_status gather_all(gathering *self, ls_examples *mine, ls_examples *all, ls_comm *comm)
{
  array from[ARRAY_COUNT], to[ARRAY_COUNT];
  LS_ROOT(comm, allocate_all(self, all, mine->shape));
  LS_PASS(ls_comm_gather_rows(comm, mine->samples, mine->count, sizeof *mine->samples, take_samples, self));
  if (ls_comm_rank(comm) == 0) qsort(self->rows, self->count, sizeof *self->rows, by_sample);
  for (size_t k = 0; ls_comm_rank(comm) == 0 && k < self->count; k++)
    self->sorted_at[self->rows[k].gathered] = k;
  list_arrays(mine, from);
  list_arrays(all, to);
  for (size_t i = 0; i < ARRAY_COUNT; i++) {
    self->to = to[i];
    LS_PASS(ls_comm_gather_rows(comm, *from[i].items, mine->count, from[i].bytes, take_values, self));
  }
  return LS_OK;
}

ls_status ls_examples_gather(ls_examples *examples, ls_comm *comm)
{
  uint64_t count = examples->count;
  gathering self = {.rows = NULL};
  ls_examples all = {.count = 0};
  ls_status status;
  LS_GO(ls_comm_sum_u64(comm, &count, 1));
  self.count = (size_t)count;
  LS_GO(gather_all(&self, examples, &all, comm));
  ls_examples_fini(examples);
  *examples = all;
  all = (ls_examples){.count = 0};
done:
  free(self.rows);
  free(self.sorted_at);
  ls_examples_fini(&all);
  return status;
}

/* ---- as a dataset like any other, with what 8 bits cannot hold beside it ---- */

static double accuracy_of(const ls_examples *examples, const uint16_t *classes)
{
  size_t correct = 0;
  for (size_t i = 0; i < examples->count; i++) correct += classes[i] == examples->labels[i];
  return (double)correct / (double)examples->count;
}

ls_status ls_examples_write(const ls_examples *examples, const char *path, double epsilon,
                            const ls_dataset_info *data)
{
  const ls_h5set_extra arrays[] = {
      {"adversarial", LS_H5SET_FLOAT32, true, examples->images},
      {"original", LS_H5SET_UINT8, true, examples->originals},
      {"sample", LS_H5SET_UINT64, false, examples->samples},
      {"before", LS_H5SET_UINT16, false, examples->before},
      {"after", LS_H5SET_UINT16, false, examples->after},
      {"after_8bit", LS_H5SET_UINT16, false, examples->after_8bit},
      {"confidence", LS_H5SET_FLOAT32, false, examples->confidences},
  };
  const ls_h5set_number numbers[] = {{"epsilon", epsilon},
                                     {"accuracy", accuracy_of(examples, examples->after)},
                                     {"accuracy_8bit", accuracy_of(examples, examples->after_8bit)}};
  const ls_h5set_extras extras = {.arrays = arrays,
                                  .array_count = sizeof arrays / sizeof *arrays,
                                  .numbers = numbers,
                                  .number_count = sizeof numbers / sizeof *numbers};
  const ls_ticker silent = {.tick = NULL};
  ls_dataset_info named = *data;
  ls_source *source;
  snprintf(named.name, sizeof named.name, "%.44s-adversarial-8bit", data->name);
  LS_PASS(ls_memory_source(&source, &named, examples->pixels, examples->labels, examples->count));
  const ls_status status = ls_h5set_write_extra(path, source, &extras, &silent);
  ls_source_close(source);
  return status;
}
