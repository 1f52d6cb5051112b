/* SPDX-License-Identifier: BSD-3-Clause */
/* The survey of a dataset. The digest runs over numbers in little-endian order, whatever the machine's is. */
#include "data/survey.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "data/readers/reader.h"

enum { BLOCK_BYTES = 1 << 20, NUMBER_BYTES = 8, LABEL_BYTES = 2, FLOAT_BYTES = 4 };

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

static void count_classes(const survey_pass *pass, ls_split split, size_t *per_class)
{
  const uint16_t *labels = ls_source_labels(pass->source, split);
  for (size_t i = 0; i < ls_source_info(pass->source)->count[split]; i++) {
    per_class[labels[i]]++;
    digest_number(pass->digest, labels[i], LABEL_BYTES);
  }
}

/* In two passes, so that a mean far from 0 costs no digits. */
static ls_value_survey survey_column(const float *values, size_t count, size_t columns)
{
  ls_value_survey out = {.least = (double)values[0], .most = (double)values[0]};
  double sum = 0, squares = 0;
  for (size_t i = 0; i < count; i++) {
    const double value = (double)values[i * columns];
    out.least = fmin(out.least, value);
    out.most = fmax(out.most, value);
    sum += value;
  }
  out.mean = sum / (double)count;
  for (size_t i = 0; i < count; i++) {
    const double off = (double)values[i * columns] - out.mean;
    squares += off * off;
  }
  out.deviation = sqrt(squares / (double)count);
  return out;
}

/* Of a split that has samples. */
static void survey_values(const survey_pass *pass, ls_split split, ls_split_survey *out)
{
  const ls_dataset_info *info = ls_source_info(pass->source);
  const float *values = ls_source_values(pass->source, split);
  for (size_t i = 0; i < info->count[split]; i++)
    for (size_t k = 0; k < info->classes; k++) {
      uint32_t bits;
      memcpy(&bits, &values[i * info->classes + k], sizeof bits);
      digest_number(pass->digest, bits, FLOAT_BYTES);
      out->per_class[k] += ls_source_has_label(pass->source, split, i, k);
    }
  for (size_t k = 0; out->values && k < info->classes; k++)
    out->values[k] = survey_column(values + k, info->count[split], info->classes);
}

static ls_status make_counts(ls_split_survey *out, const ls_dataset_info *info)
{
  LS_PASS(ls_alloc(&out->per_class, info->classes, sizeof *out->per_class, "the counts per class"));
  if (info->labels != LS_LABELS_VALUES) return LS_OK;
  return ls_alloc(&out->values, info->classes, sizeof *out->values, "the figures of values");
}

static ls_status survey_split(survey_pass *pass, ls_split split, ls_split_survey *out)
{
  const ls_dataset_info *info = ls_source_info(pass->source);
  const size_t count = info->count[split];
  LS_PASS(make_counts(out, info));
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
  if (info->labels == LS_LABELS_CLASS)
    count_classes(pass, split, out->per_class);
  else
    survey_values(pass, split, out);
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
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++) {
    free(survey->splits[split].per_class);
    free(survey->splits[split].values);
  }
  *survey = (ls_survey){.digest = ""};
}
