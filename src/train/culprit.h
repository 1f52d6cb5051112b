/* SPDX-License-Identifier: BSD-3-Clause */
/* The layer where a step goes wrong: the first whose output is not finite or, if all of them are, the first
 * on the way back whose gradient cannot be summed. */
#ifndef LS_TRAIN_CULPRIT_H
#define LS_TRAIN_CULPRIT_H

#include "base/status.h"
#include "nn/model.h"

/** Set model and n. */
typedef struct ls_culprit {
  const ls_model *model;
  size_t n;              /* samples of the pass */
  const ls_layer *layer; /* found in the forward pass; NULL: none yet */
  const float *grads;    /* while they are searched */
} ls_culprit;

/** For ls_pass.observe, with the culprit as observer. Local. */
void ls_culprit_observe(void *culprit, const ls_layer *layer, const float *y);

/** LS_OK if nothing is wrong; otherwise LS_E_NONFINITE, naming the layer. Loss and gradient are of the same
 * pass. Local. */
ls_status ls_culprit_tell(ls_culprit *culprit, double loss, const float *grads) LS_CHECKED;

#endif
