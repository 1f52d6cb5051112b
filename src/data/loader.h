/* SPDX-License-Identifier: BSD-3-Clause */
/* What a rank trains and evaluates on: its shard of the training split, exchanged between epochs so that
 * the shuffle is global, and its part of the validation and test samples.
 *
 * The order of the training samples in an epoch is a function of (seed, epoch) alone. A step takes the next
 * `batch` of them (the last step of an epoch: what is left), cut into micro-batches; the micro-batches of a
 * step are dealt to the ranks in order, as evenly as can be. A rank holds just the samples of its
 * micro-batches, as uint8, in the order in which it needs them, and receives the next epoch's meanwhile.
 */
#ifndef LS_DATA_LOADER_H
#define LS_DATA_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "comm/comm.h"
#include "config/spec.h"
#include "data/source.h"

/** Samples that one thread carries through the model at once; pointers into the loader. */
typedef struct ls_microbatch {
  const uint8_t *images;   /* [n, c, h, w]; NULL: there are features instead */
  const float *features;   /* [n, values], see ls_loader_set_features(); NULL: there are images */
  const uint16_t *labels;  /* [n] */
  const float *values;     /* [n, columns], where labels are not classes; else NULL */
  const uint64_t *samples; /* [n] index in the file's training (or test) split */
  size_t n;                /* 1 .. microbatch */
} ls_microbatch;

typedef enum ls_eval_split { LS_EVAL_TRAIN, LS_EVAL_VALIDATION, LS_EVAL_TEST, LS_EVAL_COUNT } ls_eval_split;

typedef struct ls_loader ls_loader;

typedef struct ls_loader_options {
  const ls_spec_data *data; /* validation, per_class, shuffle; others are not read */
  uint64_t seed;
  size_t batch; /* global batch */
  size_t microbatch;
  bool evens_out;     /* see ls_plan: what is trained takes statistics of a micro-batch's samples */
  size_t first_epoch; /* from 0: the epoch that training starts or goes on with */
  size_t threads;     /* OpenMP threads that plan the exchanges, between epochs; 0: one */
  bool test_only;     /* for an evaluation: read the test split alone, the others are empty */
} ls_loader_options;

/** Read this rank's slice of every split and bring the training samples to the ranks that need them in
 * first_epoch. LS_EVAL_TRAIN walks them from here on. The source is not needed afterwards.
 *
 * Collective. Errors: LS_E_INPUT (also: nothing left to train on, validation larger than the split),
 * LS_E_IO, LS_E_MEMORY, LS_E_COMM.
 */
ls_status ls_loader_new(ls_loader **out, ls_comm *comm, ls_source *source,
                        const ls_loader_options *options) LS_CHECKED;

/** Complete or abandon a running exchange and free everything. Collective. NULL is fine. */
void ls_loader_free(ls_loader *loader);

/** Put features in the place of the images of the training or validation samples, to travel like them from
 * then on. Before the first ls_loader_epoch().
 *
 * @param features  [samples of this rank's micro-batches of the split, in their order, values]; handed over
 */
void ls_loader_set_features(ls_loader *loader, ls_eval_split split, float *features, size_t values);

/** Bytes of an image: c * h * w; of a sample's features where these stand in its place. */
size_t ls_loader_image_bytes(const ls_loader *loader);

/** Training samples (validation excluded), and steps of an epoch: ceil(train_count / batch). */
size_t ls_loader_train_count(const ls_loader *loader);
size_t ls_loader_steps(const ls_loader *loader);
/** Samples of a split on all ranks; LS_EVAL_TRAIN: the training samples. */
size_t ls_loader_eval_count(const ls_loader *loader, ls_eval_split split);

/** Make `epoch` the current one and start the exchange for epoch + 1 unless it is the last.
 *
 * `epoch` must be first_epoch at the first call and then grow by one. Collective. Errors: LS_E_INPUT if the
 * exchange is too large for MPI; LS_E_MEMORY, LS_E_COMM.
 */
ls_status ls_loader_epoch(ls_loader *loader, size_t epoch, bool is_last) LS_CHECKED;

/** Advance a running exchange; call once a step. Local. Errors: LS_E_COMM. */
ls_status ls_loader_advance(ls_loader *loader) LS_CHECKED;

/** Samples of the global batch of step `step` (from 0 within the epoch): batch, or less in the last. */
size_t ls_loader_step_samples(const ls_loader *loader, size_t step);

/** How many micro-batches of that step are this rank's; may be 0. */
size_t ls_loader_step_microbatches(const ls_loader *loader, size_t step);

/** The i-th of them. */
ls_microbatch ls_loader_microbatch(const ls_loader *loader, size_t step, size_t i);

/** Micro-batches of an evaluation split that are this rank's, and the i-th of them. The cut into
 * micro-batches is the same for any number of ranks. LS_EVAL_TRAIN walks the current epoch's samples. */
size_t ls_loader_eval_microbatches(const ls_loader *loader, ls_eval_split split);
ls_microbatch ls_loader_eval_microbatch(const ls_loader *loader, ls_eval_split split, size_t i);

/** Samples of an evaluation split that are this rank's. */
size_t ls_loader_rank_samples(const ls_loader *loader, ls_eval_split split);

#endif
