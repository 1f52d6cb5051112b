/* SPDX-License-Identifier: BSD-3-Clause */
/* The survey of a dataset. The digest runs over numbers in little-endian order, whatever the machine's is. */
#include "data/survey.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "data/readers/reader.h"

enum { BLOCK_BYTES = 1 << 20, NUMBER_BYTES = 8, LABEL_BYTES = 2 };

/* A pass over the samples. */
typedef struct survey_pass {
  ls_source *source;
  const ls_ticker *ticker;
  ls_digest *digest;
  size_t done, total;                  /* samples */
  size_t block;                        /* samples read at once */
  uint8_t *images;                     /* [block, c, h, w] */
  ls_pixel_sums sums[LS_MAX_CHANNELS]; /* of the split */
} survey_pass;

static void digest_number(ls_digest *digest, uint64_t value, size_t bytes)
{
  unsigned char little[NUMBER_BYTES];
  for (size_t i = 0; i < bytes; i++) little[i] = (unsigned char)(value >> (8 * i));
  ls_digest_add(digest, little, bytes);
}

static void add_block(survey_pass *pass, size_t count)
{
  const ls_dataset_info *info = ls_source_info(pass->source);
  const size_t pixels = info->height * info->width;
  for (size_t i = 0; i < count; i++)
    for (size_t c = 0; c < info->channels; c++)
      ls_pixel_sums_add(&pass->sums[c], pass->images + (i * info->channels + c) * pixels, pixels);
  ls_digest_add(pass->digest, pass->images, count * info->channels * pixels);
}

static ls_status survey_split(survey_pass *pass, ls_split split, ls_split_survey *out)
{
  const ls_dataset_info *info = ls_source_info(pass->source);
  const uint16_t *labels = ls_source_labels(pass->source, split);
  const size_t count = info->count[split];
  LS_PASS(ls_alloc(&out->per_class, info->classes, sizeof *out->per_class, "the counts per class"));
  digest_number(pass->digest, count, NUMBER_BYTES);
  if (count == 0) return LS_OK;
  memset(pass->sums, 0, sizeof pass->sums);
  for (size_t first = 0; first < count; first += pass->block) {
    const size_t now = ls_size_min(count - first, pass->block);
    LS_PASS(ls_source_read_images(pass->source, split, first, now, pass->images));
    add_block(pass, now);
    pass->done += now;
    ls_tick(pass->ticker, pass->done, pass->total);
  }
  for (size_t i = 0; i < count; i++) {
    out->per_class[labels[i]]++;
    digest_number(pass->digest, labels[i], LABEL_BYTES);
  }
  for (size_t c = 0; c < info->channels; c++) {
    out->mean[c] = ls_pixel_sums_mean(&pass->sums[c]);
    out->deviation[c] = ls_pixel_sums_deviation(&pass->sums[c]);
  }
  return LS_OK;
}

ls_status ls_survey_make(ls_survey *out, ls_source *source, const ls_ticker *ticker)
{
  const ls_dataset_info *info = ls_source_info(source);
  const size_t image_bytes = ls_source_image_bytes(source);
  survey_pass pass = {.source = source,
                      .ticker = ticker,
                      .total = info->count[LS_SPLIT_TRAIN] + info->count[LS_SPLIT_TEST],
                      .block = ls_size_max(BLOCK_BYTES / image_bytes, 1)};
  *out = (ls_survey){.digest = ""};
  ls_status status;
  LS_GO(ls_digest_new(&pass.digest));
  LS_GO(ls_alloc(&pass.images, pass.block, image_bytes, "a block of images"));
  digest_number(pass.digest, info->channels, NUMBER_BYTES);
  digest_number(pass.digest, info->height, NUMBER_BYTES);
  digest_number(pass.digest, info->width, NUMBER_BYTES);
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++)
    LS_GO(survey_split(&pass, (ls_split)split, &out->splits[split]));
  ls_digest_text(pass.digest, out->digest);
done:
  if (status != LS_OK) ls_survey_fini(out);
  free(pass.images);
  ls_digest_free(pass.digest);
  return status;
}

void ls_survey_fini(ls_survey *survey)
{
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++) free(survey->splits[split].per_class);
  *survey = (ls_survey){.digest = ""};
}
