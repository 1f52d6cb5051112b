/* SPDX-License-Identifier: BSD-3-Clause */
/* Normalization. The sums over the pixels are integers, and the variance is found from them in 128-bit
 * integer arithmetic, so mean and deviation are the same bits for any number of ranks and a constant channel
 * has a variance of exactly 0. */
#include "data/normalize.h"

#include <assert.h>
#include <math.h>

__extension__ typedef unsigned __int128 wide;

void ls_pixel_sums_add(ls_pixel_sums *sums, const uint8_t *plane, size_t pixels)
{
  uint64_t sum = 0;
  uint64_t square = 0;
  for (size_t i = 0; i < pixels; i++) {
    uint32_t pixel = plane[i];
    sum += pixel;
    square += pixel * pixel;
  }
  sums->items[LS_SUM_ONE] += pixels;
  sums->items[LS_SUM_PIXEL] += sum;
  sums->items[LS_SUM_SQUARE] += square;
}

double ls_pixel_sums_mean(const ls_pixel_sums *sums)
{
  return (double)sums->items[LS_SUM_PIXEL] / (double)sums->items[LS_SUM_ONE];
}

double ls_pixel_sums_deviation(const ls_pixel_sums *sums)
{
  const uint64_t *items = sums->items;
  /* n^2 times the variance */
  const wide spread =
      (wide)items[LS_SUM_ONE] * items[LS_SUM_SQUARE] - (wide)items[LS_SUM_PIXEL] * items[LS_SUM_PIXEL];
  return sqrt((double)spread) / (double)items[LS_SUM_ONE];
}

/* Sums over this rank's training samples. */
static void add_shard(ls_pixel_sums *sums, const ls_loader *loader, size_t channels)
{
  const size_t pixels = ls_loader_image_bytes(loader) / channels;
  for (size_t b = 0; b < ls_loader_eval_microbatches(loader, LS_EVAL_TRAIN); b++) {
    ls_microbatch batch = ls_loader_eval_microbatch(loader, LS_EVAL_TRAIN, b);
    for (size_t i = 0; i < batch.n * channels; i++)
      ls_pixel_sums_add(&sums[i % channels], batch.images + i * pixels, pixels);
  }
}

static ls_status find_standard(ls_normalization *out, ls_comm *comm, const ls_loader *loader)
{
  ls_pixel_sums sums[LS_MAX_CHANNELS] = {{{0}}};
  add_shard(sums, loader, out->channels);
  LS_PASS(ls_comm_sum_u64(comm, sums[0].items, (size_t)LS_MAX_CHANNELS * LS_SUM_COUNT));
  for (size_t c = 0; c < out->channels; c++) {
    const double deviation = ls_pixel_sums_deviation(&sums[c]);
    out->mean[c] = ls_pixel_sums_mean(&sums[c]);
    out->deviation[c] = deviation > 0 ? deviation : 1.0; /* a constant channel becomes 0 */
  }
  return LS_OK;
}

static ls_status find_unit(ls_normalization *out, ls_comm *comm, const ls_loader *loader)
{
  (void)comm;
  (void)loader;
  for (size_t c = 0; c < out->channels; c++) out->deviation[c] = 255.0;
  return LS_OK;
}

static ls_status find_none(ls_normalization *out, ls_comm *comm, const ls_loader *loader)
{
  (void)comm;
  (void)loader;
  for (size_t c = 0; c < out->channels; c++) out->deviation[c] = 1.0;
  return LS_OK;
}

static void take_given(ls_normalization *out, const ls_spec_data *data)
{
  assert(data->mean.count == out->channels && data->std.count == out->channels);
  for (size_t c = 0; c < out->channels; c++) {
    out->mean[c] = 255.0 * data->mean.items[c];
    out->deviation[c] = 255.0 * data->std.items[c];
  }
}

ls_status ls_normalization_find(ls_normalization *out, ls_comm *comm, const ls_loader *loader,
                                const ls_spec_data *data, size_t channels)
{
  static ls_status (*const finders[])(ls_normalization *, ls_comm *,
                                      const ls_loader *) = {[LS_NORMALIZE_UNIT] = find_unit,
                                                            [LS_NORMALIZE_STANDARD] = find_standard,
                                                            [LS_NORMALIZE_NONE] = find_none};
  if (channels < 1 || channels > LS_MAX_CHANNELS)
    return ls_fail(LS_E_INPUT, "images with %zu channels: 1 to %d are supported", channels, LS_MAX_CHANNELS);
  assert(ls_loader_image_bytes(loader) % channels == 0);
  *out = (ls_normalization){.channels = channels};
  if (data->mean.count == 0) return finders[data->normalize](out, comm, loader);
  take_given(out, data);
  return LS_OK;
}
