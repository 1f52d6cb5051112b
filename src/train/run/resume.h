/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks whether a run may go on from a checkpoint, and reports the differences. */
#ifndef LS_TRAIN_RUN_RESUME_H
#define LS_TRAIN_RUN_RESUME_H

#include "config/spec.h"
#include "optim/schedule.h"
#include "store/checkpoint.h"
#include "train/trainer.h"

typedef struct ls_resume {
  const ls_spec *then, *now;       /* configuration of the checkpoint, and of the run */
  const ls_checkpoint_info *found; /* what the checkpoint says */
  const ls_checkpoint_info *data;  /* what the run's own would say of the dataset */
  const ls_trainer_events *events; /* whose message() gets a line for each change */
} ls_resume;

/** Is the checkpoint's experiment the one that is configured, on the same samples? Rank 0. Errors: LS_E_INPUT
 * naming what differs. */
ls_status ls_resume_check(const ls_resume *resume) LS_CHECKED;

/** The same of what is known only once the images are: their normalization, for `found` and `data`, and the
 * steps of an epoch. Rank 0. Errors: LS_E_INPUT. */
ls_status ls_resume_check_loaded(const ls_checkpoint_info *found, const ls_checkpoint_info *data,
                                 size_t steps) LS_CHECKED;

/** Report the changes, and reset what was measured by another metric. Rank 0. Errors: LS_E_MEMORY; progress
 * and schedule are unchanged then. */
ls_status ls_resume_adapt(const ls_resume *resume, ls_progress *progress,
                          ls_schedule_state *schedule) LS_CHECKED;

#endif
