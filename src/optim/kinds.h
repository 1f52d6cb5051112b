/* SPDX-License-Identifier: BSD-3-Clause */
/* The lists of optimizer and schedule kinds: a new kind is a file of its own and one word here.
 * Private to the module; others go through the registries in optimizer.h and schedule.h. */
#ifndef LS_OPTIM_KINDS_H
#define LS_OPTIM_KINDS_H

#include "optim/optimizer.h"
#include "optim/schedule.h"

#define LS_OPTIMIZER_LIST(X)                                                                                 \
  X(sgd) X(rmsprop) X(adagrad) X(adadelta) X(adam) X(adamw) X(nadam) X(lion) X(lars) X(lamb)
#define LS_SCHEDULE_LIST(X) X(constant) X(step) X(exponential) X(cosine) X(onecycle) X(plateau)

#define LS_OPTIMIZER_DECLARE(name) extern const ls_optimizer_kind ls_optimizer_##name;
LS_OPTIMIZER_LIST(LS_OPTIMIZER_DECLARE)
#undef LS_OPTIMIZER_DECLARE

#define LS_SCHEDULE_DECLARE(name) extern const ls_schedule_kind ls_schedule_##name;
LS_SCHEDULE_LIST(LS_SCHEDULE_DECLARE)
#undef LS_SCHEDULE_DECLARE

#endif
