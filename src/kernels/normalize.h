/* SPDX-License-Identifier: BSD-3-Clause */
/* From stored bytes to the model's input: x = (pixel - mean) / deviation per channel, CHW to HWC. */
#ifndef LS_KERNELS_NORMALIZE_H
#define LS_KERNELS_NORMALIZE_H

#include <stddef.h>
#include <stdint.h>

enum { LS_MAX_CHANNELS = 16 };

/** Raw pixel units, 0 .. 255. `unit`: mean 0, deviation 255. `none`: mean 0, deviation 1. */
typedef struct ls_normalization {
  size_t channels;
  double mean[LS_MAX_CHANNELS];
  double deviation[LS_MAX_CHANNELS]; /* > 0: a constant channel gets 1 */
} ls_normalization;

/** Convert n images [n, c, h, w] of pixels = h * w to x [n, h, w, c]. */
void ls_normalization_apply(const ls_normalization *normalization, const uint8_t *images, size_t n,
                            size_t pixels, float *x);

#endif
