/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds the layer where values stop being finite: the first layer whose batch statistics cannot be summed or
 * whose output is not finite; if there is none, the first layer of the backward pass whose gradient cannot be
 * summed. If the loss cannot be summed, it is the layer in which values grow most. */
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
