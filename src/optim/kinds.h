/* SPDX-License-Identifier: BSD-3-Clause */
/* The lists of optimizer and schedule kinds: a new kind is a file of its own and one word here.
 * Private to the module; others go through the registries in optimizer.h and schedule.h. */
#ifndef LS_OPTIM_KINDS_H
#define LS_OPTIM_KINDS_H

#include <math.h>

#include "optim/optimizer.h"
#include "optim/schedule.h"

#define LS_OPTIMIZER_LIST(X) X(sgd) X(adam) X(adamw) X(lars)
#define LS_SCHEDULE_LIST(X) X(constant) X(step) X(exponential) X(cosine) X(onecycle) X(plateau)

#define LS_OPTIMIZER_DECLARE(name) extern const ls_optimizer_kind ls_optimizer_##name;
LS_OPTIMIZER_LIST(LS_OPTIMIZER_DECLARE)
#undef LS_OPTIMIZER_DECLARE

#define LS_SCHEDULE_DECLARE(name) extern const ls_schedule_kind ls_schedule_##name;
LS_SCHEDULE_LIST(LS_SCHEDULE_DECLARE)
#undef LS_SCHEDULE_DECLARE

/** What every schedule takes: the first member of each kind's options. */
typedef struct ls_schedule_common {
  double warmup_epochs; /* linear warm-up, >= 0, may be a fraction */
} ls_schedule_common;

/* Its row, the same in every kind. */
#define LS_SCHEDULE_WARMUP_KEY                                                                               \
  {                                                                                                          \
    .path = "warmup_epochs", .type = LS_KEY_REAL, .offset = offsetof(ls_schedule_common, warmup_epochs),     \
    .preset = "0", .max = INFINITY, .unit = "epochs",                                                        \
    .doc = "Length of the linear warm-up that comes before the schedule; may be a fraction."                 \
  }

/** The operation `warmup_epochs` of every kind. */
double ls_schedule_warmup_epochs(const void *options);

#endif
