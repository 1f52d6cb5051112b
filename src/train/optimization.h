/* SPDX-License-Identifier: BSD-3-Clause */
/* From a step's reduced gradient to the next step's weights, by a team of threads: norms, the optimizer, and
 * the parameters' packed form. */
#ifndef LS_TRAIN_OPTIMIZATION_H
#define LS_TRAIN_OPTIMIZATION_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "config/spec.h"
#include "nn/network.h"
#include "optim/optimizer.h"
#include "train/gradient.h"

typedef struct ls_optimization {
  const ls_network *network;  /* borrowed; its vectors change with every step */
  const ls_spec_train *train; /* borrowed */
  size_t threads;
  ls_gradient *gradient;
  float *slots[LS_OPTIMIZER_MAX_SLOTS]; /* optimizer state, [params] each, in the order of its kind's slots */
  size_t slot_count;
} ls_optimization;

/** Set up; the first three members are the caller's. On error it is still released by ls_optimization_fini().
 * Local. Errors: LS_E_MEMORY. */
ls_status ls_optimization_init(ls_optimization *self) LS_CHECKED;

/** All zeros is fine. Local. */
void ls_optimization_fini(ls_optimization *self);

/** Update the network: parameters, their packed form, running statistics. Local.
 *
 * @param[in] reduced  [grads] in the kernels' layout, and the batch statistics behind them
 * @param[in] lr       learning rate of this step
 * @param[in] step     of the optimizer, from 1
 */
void ls_optimization_step(ls_optimization *self, const float *reduced, double lr, uint64_t step);

#endif
