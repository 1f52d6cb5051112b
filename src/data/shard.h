/* SPDX-License-Identifier: BSD-3-Clause */
/* The store: samples that a rank holds, in the order in which it needs them.
 *
 * Memory. Between epochs the training samples move from one shard to another of the same size, so a rank
 * holds 2/R of the training images while an exchange runs, and there is no third copy: MPI gathers what it
 * sends from the current shard, which training goes on reading, and scatters what it receives into the next
 * one (comm/exchange.h). Beside the images there are 10 bytes a sample in each shard, and until the
 * exchange is complete about 90 bytes of touched memory for each sample that travels, in Open MPI's
 * datatypes. MPI_Ialltoallv would need packed copies of both sides, 4/R. While loading, the slice of the
 * file that a rank has read stands in for the second shard.
 * Labels do not travel: each rank holds all of them, 2 bytes a sample, and 4 for each value where they are
 * not classes. Nor do sample numbers: both sides compute them. Features that stand in the place of images
 * travel as these do.
 */
#ifndef LS_DATA_SHARD_H
#define LS_DATA_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "data/plan.h"
#include "data/readers/resize.h"

typedef struct ls_shard {
  size_t count;       /* samples */
  size_t image_bytes; /* of an image, c * h * w; or of features */
  uint8_t *images;    /* [count, c, h, w]; owned */
  bool has_features;  /* float32 [count, values] in the place of images */
  size_t columns;     /* values of a sample; 0: labels are classes */
  uint16_t *labels;   /* [count]; owned */
  float *values;      /* [count, columns]; owned */
  uint64_t *samples;  /* [count] numbers in the file's split; owned */
} ls_shard;

/** The images are left untouched (ls_alloc_untouched()). Local. Errors: LS_E_MEMORY. */
ls_status ls_shard_init(ls_shard *shard, size_t count, size_t image_bytes, size_t columns) LS_CHECKED;
void ls_shard_fini(ls_shard *shard);

/** How the threads of a rank share the samples of a shard. */
typedef struct ls_shard_use {
  const ls_plan *steps; /* they take micro-batches of each step (train/engine.c); NULL: neighbours, as in
                           evaluations (eval/forward.c) */
  size_t rank, threads;
} ls_shard_use;

/** What a thread does with samples of a shard that are its own. */
typedef void ls_shard_visit(void *user, size_t thread, size_t first, size_t count);

/** Visit all samples, each by the thread that will use it. Local. */
void ls_shard_walk(const ls_shard *shard, const ls_shard_use *use, ls_shard_visit *visit, void *user);

/** Write zeros to the images, so that their memory is near the threads that will read it. Local. */
void ls_shard_clear(ls_shard *shard, const ls_shard_use *use);

/** Put images that are made of a shard's in their place; a shard without storage stays as it is. Local.
 * Errors: LS_E_MEMORY. */
ls_status ls_shard_resize(ls_shard *shard, const ls_shard_use *use, const ls_resizer *resizer,
                          size_t image_bytes) LS_CHECKED;

/** Look the labels of `samples` up in the labels of the whole split; and the values, [samples of the split,
 * columns]. */
void ls_shard_label(ls_shard *shard, const uint16_t *split_labels, const float *split_values);

#endif
