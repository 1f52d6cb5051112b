/* SPDX-License-Identifier: BSD-3-Clause */
/* Adversarial examples as a dataset like any other, with what 8 bits cannot hold beside it. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "data/h5set.h"
#include "data/memory.h"
#include "eval/examples.h"

/* 8-bit pixels, rounded towards the original: a change is never made larger. */
static void round_pixels(const ls_examples *examples, uint8_t *pixels)
{
  const size_t count = examples->count * ls_shape_count(examples->shape);
  for (size_t i = 0; i < count; i++) {
    const double pixel = 255.0 * (double)examples->images[i];
    const double nearest = nearbyint(pixel); /* float32 hits whole pixels all but exactly */
    const bool is_whole = fabs(pixel - nearest) < 1e-3;
    pixels[i] = (uint8_t)(is_whole                                 ? nearest
                          : pixel > (double)examples->originals[i] ? floor(pixel)
                                                                   : ceil(pixel));
  }
}

ls_status ls_examples_write(const ls_examples *examples, const char *path, const ls_dataset_info *data)
{
  const ls_h5set_extra extras[] = {
      {"adversarial", LS_H5SET_FLOAT32, true, examples->images},
      {"original", LS_H5SET_UINT8, true, examples->originals},
      {"sample", LS_H5SET_UINT64, false, examples->samples},
      {"before", LS_H5SET_UINT16, false, examples->before},
      {"after", LS_H5SET_UINT16, false, examples->after},
      {"confidence", LS_H5SET_FLOAT32, false, examples->confidences},
  };
  const ls_ticker silent = {.tick = NULL};
  ls_source *source = NULL;
  uint8_t *pixels = NULL;
  ls_status status;
  LS_GO(ls_alloc(&pixels, examples->count, ls_shape_count(examples->shape), "the adversarial examples"));
  round_pixels(examples, pixels);
  LS_GO(ls_memory_source(&source, data, pixels, examples->labels, examples->count));
  LS_GO(ls_h5set_write_extra(path, source, extras, sizeof extras / sizeof *extras, &silent));
done:
  ls_source_close(source);
  free(pixels);
  return status;
}
