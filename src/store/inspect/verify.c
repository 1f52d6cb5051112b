/* SPDX-License-Identifier: BSD-3-Clause */
/* Checking a checkpoint without its model: every dataset is read, so every checksum is checked, and the
 * weights' digest is made again from the order that the tensors carry. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/internal.h"

enum { MAX_TENSORS = 10000 };

typedef struct sum {
  uint64_t order;
  char digest[LS_DIGEST_CHARS];
} sum;

typedef struct verification {
  sum *sums; /* [MAX_TENSORS] the model's tensors so far */
  size_t count;
} verification;

static int compare_orders(const void *a, const void *b)
{
  uint64_t x = ((const sum *)a)->order, y = ((const sum *)b)->order;
  return (x > y) - (x < y);
}

/* Read a tensor and digest it. */
static ls_status digest_tensor(ls_h5_data *data, char digest[LS_DIGEST_CHARS])
{
  LS_PASS(ls_h5_data_check_floats(data));
  LS_PASS(ls_h5_data_check_plain(data));
  float *values;
  LS_PASS(ls_alloc(&values, data->count, sizeof *values, "a tensor"));
  ls_status status = ls_h5_data_read(data, LS_H5_FLOAT32, values);
  ls_digest_of(values, data->count * sizeof *values, digest);
  free(values);
  return status;
}

/* Check one tensor; `model`: the weights' digest covers it. */
static ls_status check_tensor(verification *self, const ls_h5_entry *entry, bool model)
{
  ls_h5_data data;
  LS_PASS(ls_h5_data_open(&data, entry->parent, entry->name));
  sum tensor;
  ls_status status = digest_tensor(&data, tensor.digest);
  if (status == LS_OK && model)
    status = ls_h5_get_count(data.id, LS_TENSOR_ORDER, 0, MAX_TENSORS - 1, &tensor.order);
  ls_h5_data_close(&data);
  LS_PASS(status);
  if (!model) return LS_OK;
  if (self->count == MAX_TENSORS)
    return ls_fail(LS_E_INPUT, "group /model: more than %d tensors", MAX_TENSORS);
  self->sums[self->count++] = tensor;
  return LS_OK;
}

static bool starts_with(const char *path, const char *start)
{
  return strncmp(path, start, strlen(start)) == 0;
}

static ls_status check_entry(void *user, const ls_h5_entry *entry)
{
  if (entry->type == LS_H5_GROUP) return LS_OK;
  if (entry->type != LS_H5_DATASET)
    return ls_fail(LS_E_INPUT, "%s: groups and datasets alone belong here, each once", entry->path);
  if (starts_with(entry->path, "/metrics/")) return LS_OK;
  return check_tensor(user, entry, starts_with(entry->path, "/model/"));
}

static ls_status check_digest(verification *self, const char *expected)
{
  char digest[LS_DIGEST_CHARS] = "";
  qsort(self->sums, self->count, sizeof *self->sums, compare_orders);
  for (size_t i = 0; i < self->count; i++) {
    if (self->sums[i].order != i)
      return ls_fail(LS_E_INPUT, "group /model: the tensor with order %zu is missing or comes twice", i);
    ls_digest_chain(digest, self->sums[i].digest);
  }
  if (strcmp(digest, expected) == 0) return LS_OK;
  return ls_fail(LS_E_INPUT, "damaged: weights_digest %s expected, the weights have %s", expected, digest);
}

ls_status ls_checkpoint_verify(ls_h5_id file, const ls_checkpoint_info *info)
{
  verification self = {0};
  ls_history train = {0}, validation = {0};
  ls_split_metrics split_metrics = {{NULL}};
  ls_status status;
  LS_GO(ls_alloc(&self.sums, MAX_TENSORS, sizeof *self.sums, "the digests of a checkpoint"));
  LS_GO(ls_h5_walk(file, check_entry, &self));
  LS_GO(check_digest(&self, info->weights_digest));
  LS_GO(ls_histories_read(file, &train, &validation));
  LS_GO(ls_split_metrics_read(file, info->classes, &split_metrics));
done:
  ls_split_metrics_fini(&split_metrics);
  ls_history_fini(&train);
  ls_history_fini(&validation);
  free(self.sums);
  return status;
}
