/* SPDX-License-Identifier: BSD-3-Clause */
/* Storage of a shard: three parallel arrays, so that the images of a micro-batch lie side by side. */
#include "data/shard.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

ls_status ls_shard_init(ls_shard *shard, size_t count, size_t image_bytes, size_t columns)
{
  *shard = (ls_shard){.count = count, .image_bytes = image_bytes, .columns = columns};
  ls_status status;
  LS_GO(ls_alloc_untouched(&shard->images, count, image_bytes, "the images of a shard"));
  LS_GO(ls_alloc(&shard->labels, count, sizeof *shard->labels, "the labels of a shard"));
  if (columns > 0)
    LS_GO(ls_alloc(&shard->values, count, columns * sizeof *shard->values, "the values of a shard"));
  LS_GO(ls_alloc(&shard->samples, count, sizeof *shard->samples, "the sample numbers of a shard"));
done:
  if (status != LS_OK) ls_shard_fini(shard);
  return status;
}

void ls_shard_fini(ls_shard *shard)
{
  free(shard->images);
  free(shard->labels);
  free(shard->values);
  free(shard->samples);
  *shard = (ls_shard){0};
}

void ls_shard_label(ls_shard *shard, const uint16_t *split_labels, const float *split_values)
{
  const size_t columns = shard->columns;
  for (size_t i = 0; i < shard->count; i++) shard->labels[i] = split_labels[shard->samples[i]];
  for (size_t i = 0; columns > 0 && i < shard->count; i++)
    memcpy(shard->values + i * columns, split_values + shard->samples[i] * columns, columns * sizeof(float));
}
