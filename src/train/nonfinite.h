/* SPDX-License-Identifier: BSD-3-Clause */
/* The layer where a step goes wrong: the first whose batch statistics cannot be summed or whose output is not
 * finite or, if all is well forward, the first on the way back whose gradient cannot be summed. Where it is
 * the loss that cannot be summed, the layer in which values grow most. */
#ifndef LS_TRAIN_NONFINITE_H
#define LS_TRAIN_NONFINITE_H

#include "base/status.h"
#include "nn/model.h"
#include "train/sums/sums.h"

/** Set the first four. */
typedef struct ls_nonfinite {
  const ls_model *model;
  const ls_pass *pass; /* of one micro-batch, whose statistics were zero before it */
  ls_sums_limits limits;
  const float *grads;    /* the pass's gradient alone, once it has run backward */
  const ls_layer *layer; /* found in the forward pass; NULL: none yet */
  bool is_statistic;     /* found for its statistics */
  double largest;        /* value of the last layer's output */
  struct {
    const ls_layer *layer; /* whose largest output is the most times that of the layer before */
    double factor, largest;
  } growth;
} ls_nonfinite;

/** For ls_pass.observe, with the nonfinite as observer. Local. */
void ls_nonfinite_observe(void *nonfinite, const ls_layer *layer, const float *y);

/** LS_OK if nothing is wrong; otherwise LS_E_NONFINITE, naming the layer. The loss is that of the pass.
 * Local. */
ls_status ls_nonfinite_check(ls_nonfinite *nonfinite, double loss) LS_CHECKED;

#endif
