/* SPDX-License-Identifier: BSD-3-Clause */
/* What follows the reduction of a gradient: from the kernels' layout to that of the parameters, its norm, the
 * optimizer. Work is cut into pieces by the model alone, never by the number of threads, so that every sum
 * has one order. */
#ifndef LS_TRAIN_GRADIENT_H
#define LS_TRAIN_GRADIENT_H

#include <stddef.h>

#include "base/status.h"
#include "nn/model.h"
#include "train/optimizer.h"

typedef struct ls_gradient ls_gradient;

/** Local. Errors: LS_E_MEMORY. */
ls_status ls_gradient_new(ls_gradient **out, const ls_model *model) LS_CHECKED;

/** NULL is fine. What ls_gradient_read() took in is not needed. Local. */
void ls_gradient_free(ls_gradient *gradient);

/** Take in the reduced gradient, [grads] in the kernels' layout, which must stay until the update is done.
 * Work item `part` of `parts`; all items before anything below. */
void ls_gradient_read(ls_gradient *gradient, const float *reduced, size_t part, size_t parts);

/** Its L2 norm. Local. */
double ls_gradient_norm(const ls_gradient *gradient);

/** Update the parameters: work item `part` of `parts`. Arguments as for ls_optimizer_update(). */
void ls_gradient_apply(const ls_gradient *gradient, const ls_kind_spec *optimizer, const ls_update *update,
                       const ls_optimizer_vectors *vectors, size_t part, size_t parts);

#endif
