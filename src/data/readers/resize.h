/* SPDX-License-Identifier: BSD-3-Clause */
/* Scaling of images of 8 bits, as Pillow does it, to the level. */
#ifndef LS_DATA_READERS_RESIZE_H
#define LS_DATA_READERS_RESIZE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct ls_image_shape {
  size_t channels, height, width; /* all above 0 */
} ls_image_shape;

typedef struct ls_resizer ls_resizer;

/** Plan the way from images of one shape to those of another, which has as many channels, or any number in
 * the place of one: that is repeated then. Freed with ls_resizer_free(). Local. Errors: LS_E_MEMORY. */
ls_status ls_resizer_new(ls_resizer **out, ls_image_shape from, ls_image_shape to) LS_CHECKED;
void ls_resizer_free(ls_resizer *resizer);

/** Bytes that a thread needs beside the images. */
size_t ls_resizer_scratch_bytes(const ls_resizer *resizer);

/** Scale `count` images by the bilinear filter, which is widened where they shrink, so that every pixel
 * counts: Pillow's resize(..., BILINEAR), whose rows, and then columns, become whole levels. Weights are
 * whole multiples of 2^-22, as there: the result is the same on every machine.
 *
 * @param[in]  in       [count, channels, height, width] of `from`
 * @param[out] out      the same of `to`
 * @param[out] scratch  ls_resizer_scratch_bytes(), the calling thread's own
 *
 * Local. Cannot fail.
 */
void ls_resizer_run(const ls_resizer *resizer, const uint8_t *in, size_t count, uint8_t *out,
                    uint8_t *scratch);

#endif
