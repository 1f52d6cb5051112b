/* SPDX-License-Identifier: BSD-3-Clause */
/* Training steps for measuring: on data in memory, with nothing around them, and with a learning rate of
 * zero, so that the weights never change. */
#ifndef LS_STUDY_STEPPER_H
#define LS_STUDY_STEPPER_H

#include <stddef.h>

#include "base/status.h"
#include "comm/comm.h"
#include "config/spec.h"
#include "data/source.h"
#include "nn/model.h"
#include "train/engine.h"
#include "train/step_profile.h"

typedef struct ls_stepper ls_stepper;

typedef struct ls_stepper_options {
  ls_comm *comm;       /* borrowed, as are the others */
  const ls_spec *spec; /* all but its batch */
  ls_source *source;
  const ls_model *model;
  size_t batch; /* global, samples */
  size_t threads;
} ls_stepper_options;

/** Collective. Errors: LS_E_INPUT, LS_E_IO, LS_E_MEMORY, LS_E_COMM. */
ls_status ls_stepper_new(ls_stepper **out, const ls_stepper_options *options) LS_CHECKED;

/** NULL is fine. Collective. */
void ls_stepper_free(ls_stepper *stepper);

/** Reduce from now on by this way of train.allreduce; at first, by the configuration's. Each has an engine,
 * made when it is first asked for; they share the weights. Collective. Errors: LS_E_INPUT where OpenMP gives
 * too few threads; LS_E_MEMORY, LS_E_COMM: the way stays as it was. */
ls_status ls_stepper_reduce_by(ls_stepper *stepper, ls_allreduce way) LS_CHECKED;

/** Samples to train on: a step takes no more. */
size_t ls_stepper_train_count(const ls_stepper *stepper);

/** Take a step, and open the next epoch after an epoch's last. `profile` as in ls_step. Collective. Errors:
 * LS_E_MEMORY, LS_E_COMM. */
ls_status ls_stepper_take(ls_stepper *stepper, ls_step_profile *profile, ls_step_result *result) LS_CHECKED;

#endif
