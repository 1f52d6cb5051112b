/* SPDX-License-Identifier: BSD-3-Clause */
/* A dataset is compared as a text of lines. Its name and format are left out: the same samples may lie
 * elsewhere on another host. So are the images, which no rank reads as a whole: labels distinguish two
 * datasets. */
#include "data/collective.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "comm/scatter.h"
#include "data/readers/reader.h"

/* Give the ranks that have not read the labels of a split those of rank 0. Collective. */
static ls_status share_labels(ls_source *source, ls_comm *comm, ls_split split)
{
  const bool is_root = ls_comm_rank(comm) == 0;
  uint64_t lacking = source->lacks_labels[split], count = source->info.count[split];
  uint16_t *labels = NULL;
  LS_PASS(ls_comm_sum_u64(comm, &lacking, 1));
  if (lacking == 0) return LS_OK;
  LS_PASS(ls_comm_broadcast(comm, &count, sizeof count));
  ls_status status;
  LS_GO(ls_comm_agree(comm, is_root ? LS_OK : ls_alloc(&labels, count, sizeof *labels, "the labels")));
  LS_GO(ls_comm_broadcast(comm, is_root ? source->labels[split] : labels, count * sizeof *labels));
  if (!source->lacks_labels[split]) goto done;
  source->labels[split] = labels;
  source->info.count[split] = count;
  source->lacks_labels[split] = false;
  return LS_OK;
done:
  free(labels);
  return status;
}

ls_status ls_source_open_collective(ls_source **out, ls_comm *comm, const char *where,
                                    const ls_reading *reading)
{
  ls_source *source = NULL;
  const bool checks_files = ls_comm_rank(comm) == 0;
  ls_status status;
  LS_GO(ls_comm_agree(comm, ls_source_find(&source, where, reading, checks_files)));
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++) LS_GO(share_labels(source, comm, (ls_split)split));
  LS_GO(ls_comm_agree(comm, ls_source_resolve(source, reading)));
  LS_GO(ls_comm_agree(comm, ls_source_resize(&source, reading)));
  *out = source;
  return LS_OK;
done:
  ls_source_close(source);
  return status;
}

/* ---- the same on every rank ---- */

static ls_status describe(const ls_source *source, char **out)
{
  const ls_dataset_info *info = ls_source_info(source);
  ls_text lines = {0};
  ls_text_add(&lines, "image channels: %zu\nrows of pixels: %zu\ncolumns of pixels: %zu\nclasses: %zu\n",
              info->channels, info->height, info->width, info->classes);
  ls_text_add(&lines, "images that lie by columns: %s\n", info->is_transposed ? "yes" : "no");
  for (int split = 0; split < LS_SPLIT_COUNT; split++)
    ls_text_add(&lines, "%s samples: %zu\n", ls_split_words[split], info->count[split]);
  for (int split = 0; split < LS_SPLIT_COUNT; split++) {
    char digest[LS_DIGEST_CHARS];
    ls_source_labels_digest(source, (ls_split)split, digest);
    ls_text_add(&lines, "digest of the %s labels: %s\n", ls_split_words[split], digest);
  }
  return ls_text_take(&lines, out);
}

ls_status ls_source_check_same(const ls_source *source, ls_comm *comm)
{
  char *lines = NULL;
  ls_status status;
  LS_GO(ls_comm_agree(comm, describe(source, &lines)));
  status = ls_comm_same(comm, lines, "data.source: this rank's dataset is", LS_E_INPUT);
done:
  free(lines);
  return status;
}

/* ---- images ---- */

/* The split that is read. */
typedef struct split_rows {
  ls_source *source;
  ls_split split;
} split_rows;

static ls_status make_rows(void *user, size_t first, size_t count, void *rows)
{
  const split_rows *self = user;
  return ls_source_read_images(self->source, self->split, first, count, rows);
}

ls_status ls_source_read_collective(ls_source *source, ls_comm *comm, ls_split split, size_t first,
                                    size_t count, uint8_t *images)
{
  const ls_reader *reader = source->reader;
  uint64_t sequential = reader->is_sequential && reader->is_sequential(source, split);
  LS_PASS(ls_comm_sum_u64(comm, &sequential, 1));
  if (sequential == 0) return ls_comm_agree(comm, ls_source_read_images(source, split, first, count, images));
  const ls_row_range mine = {.first = first, .count = count, .rows = images};
  split_rows rows = {.source = source, .split = split};
  return ls_comm_scatter_rows(comm, &mine, ls_source_image_bytes(source), make_rows, &rows);
}
