/* SPDX-License-Identifier: BSD-3-Clause */
/* What follows the reduction of a gradient: from the kernels' layout to that of the parameters, its norm, the
 * optimizer, and the parameters' packed form. Work is cut into pieces by the model alone, never by the number
 * of threads, so that every sum has one order. */
#ifndef LS_TRAIN_GRADIENT_H
#define LS_TRAIN_GRADIENT_H

#include <stddef.h>

#include "base/status.h"
#include "nn/model.h"
#include "optim/optimizer.h"

typedef struct ls_gradient ls_gradient;

/** Local. Errors: LS_E_MEMORY. */
ls_status ls_gradient_new(ls_gradient **out, const ls_model *model) LS_CHECKED;

/** NULL is fine. Local. */
void ls_gradient_free(ls_gradient *gradient);

/** Measure `reduced`, [grads] in the kernels' layout. Work item `part` of `parts`; all items before
 * ls_gradient_norm(). */
void ls_gradient_measure(ls_gradient *gradient, const float *reduced, size_t part, size_t parts);

/** The L2 norm of what was measured last. Local. */
double ls_gradient_norm(const ls_gradient *gradient);

/** Measure, for ls_gradient_norms(), each tensor of the parameters, and what `optimizer` makes of its
 * gradient: ls_optimizer_direction(). `update` is as for that. */
void ls_gradient_measure_tensors(ls_gradient *gradient, const float *reduced, const ls_optimizer *optimizer,
                                 const ls_update *update, size_t part, size_t parts);

/** Norms of the model's tensors as they were measured last, 0 where they are frozen; borrowed. Local. */
const ls_tensor_norms *ls_gradient_norms(ls_gradient *gradient);

/** One step of an optimizer; all is borrowed. */
typedef struct ls_gradient_step {
  const float *reduced; /* [grads] in the kernels' layout */
  const ls_optimizer *optimizer;
  const ls_update *update;
  float *packed; /* the model's; written */
} ls_gradient_step;

/** Update the parameters and pack them: work item `part` of `parts`. */
void ls_gradient_apply(const ls_gradient *gradient, const ls_gradient_step *step, size_t part, size_t parts);

#endif
