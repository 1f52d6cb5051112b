/* SPDX-License-Identifier: BSD-3-Clause */
/* A dataset as a text of lines. Its name and format are left out: the same samples may lie elsewhere on
 * another host. So are the images, which no rank reads as a whole: their labels distinguish two datasets. */
#include "data/same.h"

#include <stdlib.h>

#include "base/text.h"

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
