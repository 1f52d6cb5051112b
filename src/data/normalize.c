/* SPDX-License-Identifier: BSD-3-Clause */
/* Normalization. The sums over the pixels are integers, and the variance is found from them in 128-bit
 * integer arithmetic, so mean and deviation are the same bits for any number of ranks and a constant channel
 * has a variance of exactly 0. */
#include "data/normalize.h"

#include <assert.h>
#include <math.h>

#include "base/show.h"

static const double WHITE = 255.0;

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
  assert(ls_loader_image_bytes(loader) % channels == 0);
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
  for (size_t c = 0; c < out->channels; c++) out->deviation[c] = WHITE;
  return LS_OK;
}

static ls_status find_none(ls_normalization *out, ls_comm *comm, const ls_loader *loader)
{
  (void)comm;
  (void)loader;
  for (size_t c = 0; c < out->channels; c++) out->deviation[c] = 1.0;
  return LS_OK;
}

/* The value of a channel; one value is that of all. */
static double value_of(const ls_real_list *list, size_t channel, double preset)
{
  if (list->count == 0) return preset;
  return list->items[list->count == 1 ? 0 : channel];
}

/* (pixel * scale - mean) / deviation, in units of pixels. */
static void take_given(ls_normalization *out, const ls_normalize_values *given)
{
  const double unit = given->scale.word >= 0 ? WHITE : 1.0 / given->scale.real;
  for (size_t c = 0; c < out->channels; c++) {
    out->mean[c] = unit * value_of(&given->mean, c, 0.0);
    out->deviation[c] = unit * value_of(&given->deviation, c, 1.0);
  }
}

static ls_status check_count(const ls_real_list *list, const char *name, size_t channels)
{
  if (list->count <= 1 || list->count == channels) return LS_OK;
  return ls_fail(LS_E_CONFIG, "data.normalize.%s: %zu values, but the images have %zu channel%s", name,
                 list->count, channels, ls_plural(channels));
}

ls_status ls_normalization_check(const ls_spec_data *data, size_t channels)
{
  const ls_normalize_values *given = data->normalize.options;
  if (channels < 1 || channels > LS_MAX_CHANNELS)
    return ls_fail(LS_E_INPUT, "images with %zu channels: 1 to %d are supported", channels, LS_MAX_CHANNELS);
  if (!given) return LS_OK;
  LS_PASS(check_count(&given->mean, "mean", channels));
  return check_count(&given->deviation, "deviation", channels);
}

bool ls_normalization_needs_samples(const ls_spec_data *data)
{
  return data->normalize.word == LS_NORMALIZE_STANDARD;
}

ls_status ls_normalization_find(ls_normalization *out, ls_comm *comm, const ls_loader *loader,
                                const ls_spec_data *data, size_t channels)
{
  static ls_status (*const finders[])(ls_normalization *, ls_comm *,
                                      const ls_loader *) = {[LS_NORMALIZE_UNIT] = find_unit,
                                                            [LS_NORMALIZE_STANDARD] = find_standard,
                                                            [LS_NORMALIZE_NONE] = find_none};
  LS_PASS(ls_normalization_check(data, channels));
  *out = (ls_normalization){.channels = channels};
  if (!data->normalize.options) return finders[data->normalize.word](out, comm, loader);
  take_given(out, data->normalize.options);
  return LS_OK;
}
