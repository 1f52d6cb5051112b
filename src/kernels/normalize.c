/* SPDX-License-Identifier: BSD-3-Clause */
#include "kernels/normalize.h"

/* One channel of one image, `stride` floats from pixel to pixel in x. */
static inline void apply_channel(const uint8_t *restrict image, float mean, float scale, size_t pixels,
                                 size_t stride, float *restrict x)
{
  for (size_t i = 0; i < pixels; i++) x[i * stride] = ((float)image[i] - mean) * scale;
}

void ls_normalization_apply(const ls_normalization *normalization, const uint8_t *images, size_t n,
                            size_t pixels, float *x)
{
  const size_t channels = normalization->channels;
  if (channels == 1) { /* the layouts agree: one straight, vectorizable loop over the whole micro-batch */
    apply_channel(images, (float)normalization->mean[0], (float)(1.0 / normalization->deviation[0]),
                  n * pixels, 1, x);
    return;
  }
  for (size_t i = 0; i < n * channels; i++) {
    size_t c = i % channels;
    apply_channel(images + i * pixels, (float)normalization->mean[c],
                  (float)(1.0 / normalization->deviation[c]), pixels, channels,
                  x + i / channels * pixels * channels + c);
  }
}
