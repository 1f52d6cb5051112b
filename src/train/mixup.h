/* SPDX-License-Identifier: BSD-3-Clause */
/* Mixtures of images and of their labels: sample i of a micro-batch becomes share * i + (1 - share) * (i +
 * 1), the last one with the first. The share is max(b, 1 - b) with b from Beta(alpha, alpha), a function of
 * (seed, epoch, sample), so that the sample itself prevails.
 *
 * Source: Zhang, Cisse, Dauphin, Lopez-Paz: "mixup: Beyond Empirical Risk Minimization", ICLR 2018. */
#ifndef LS_TRAIN_MIXUP_H
#define LS_TRAIN_MIXUP_H

#include "base/status.h"
#include "data/loader.h"
#include "nn/loss.h"

typedef struct ls_mixup ls_mixup; /* opaque */

typedef struct ls_mixup_options {
  double alpha;  /* 0 .. 1; 0: no mixtures */
  size_t values; /* of an image */
  size_t microbatch, threads;
  uint64_t seed; /* of the run */
} ls_mixup_options;

/** *out stays NULL without mixtures. Local. Errors: LS_E_MEMORY. */
ls_status ls_mixup_new(ls_mixup **out, const ls_mixup_options *options) LS_CHECKED;
void ls_mixup_free(ls_mixup *mixup); /* NULL is fine, as below */

/** Mix x [n, values] in place, by thread `part`. No allocation. Local. */
void ls_mixup_apply(ls_mixup *mixup, size_t part, const ls_microbatch *microbatch, uint64_t epoch, float *x);

/** The labels of what thread `part` mixed last; NULL without mixtures. Borrowed. Local. */
const ls_loss_mix *ls_mixup_labels(const ls_mixup *mixup, size_t part);

#endif
