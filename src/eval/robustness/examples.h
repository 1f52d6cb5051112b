/* SPDX-License-Identifier: BSD-3-Clause */
/* Adversarial examples: made by every rank, gathered on the first, written as a dataset. */
#ifndef LS_EVAL_ROBUSTNESS_EXAMPLES_H
#define LS_EVAL_ROBUSTNESS_EXAMPLES_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "comm/comm.h"
#include "draw/png.h"
#include "data/source.h"
#include "nn/shape.h"

/** In the order of the split; zero-initialize it. The arrays are owned. */
typedef struct ls_examples {
  ls_shape shape; /* of an image */
  size_t count;
  float *images;        /* [count, c, h, w] in raw pixel units, 0 .. 1: what is measured */
  uint8_t *pixels;      /* [count, c, h, w] the same in 8 bits, which the network may take otherwise */
  uint8_t *originals;   /* [count, c, h, w] */
  uint64_t *samples;    /* [count] numbers in the file's split */
  uint16_t *labels;     /* [count] */
  uint16_t *before;     /* [count] class that the network takes the original for */
  uint16_t *after;      /* [count] class that it takes the adversarial image for */
  uint16_t *after_8bit; /* [count] and the same in 8 bits */
  float *confidences;   /* [count] probability of that class */
} ls_examples;

/** Allocate `count` examples. Local. Errors: LS_E_MEMORY. */
ls_status ls_examples_init(ls_examples *examples, ls_shape shape, size_t count) LS_CHECKED;
void ls_examples_fini(ls_examples *examples);

/** Put the ranks' examples together, in portions, in the order of the split: afterwards rank 0 has all of
 * them, the others none. Collective. Errors: LS_E_MEMORY, LS_E_COMM. */
ls_status ls_examples_gather(ls_examples *examples, ls_comm *comm) LS_CHECKED;

/** Write the examples as an HDF5 dataset whose test split they are.
 *
 * /test/adversarial holds the images that were measured, float32 in 0 .. 1; /test/images, which readers of
 * datasets take, the same in 8 bits; /test/{original, sample, before, after, after_8bit, confidence} the
 * rest. Attributes epsilon, accuracy (of the former) and accuracy_8bit; the dataset's name says that it is in
 * 8 bits.
 *
 * @param[in] data  what was attacked: name, shape and classes
 *
 * Local. Errors: LS_E_IO, LS_E_MEMORY.
 */
ls_status ls_examples_write(const ls_examples *examples, const char *path, double epsilon,
                            const ls_dataset_info *data) LS_CHECKED;

/** Draw up to LS_EXAMPLES_DRAWN examples, first those whose class has changed: the original, the perturbation
 * (grey is none, black and white are -epsilon and epsilon), the adversarial image, and their classes.
 *
 * @param[out] out  released with ls_picture_fini()
 *
 * Local. Errors: LS_E_MEMORY.
 */
ls_status ls_examples_draw(ls_picture *out, const ls_examples *examples, double epsilon,
                           const ls_dataset_info *data) LS_CHECKED;

enum { LS_EXAMPLES_DRAWN = 20 };

#endif
