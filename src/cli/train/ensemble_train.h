/* SPDX-License-Identifier: BSD-3-Clause */
/* Training several networks in one job, and letting them vote. */
#ifndef LS_CLI_TRAIN_ENSEMBLE_TRAIN_H
#define LS_CLI_TRAIN_ENSEMBLE_TRAIN_H

#include "cli/train/training.h"

/** Train the members of an ensemble and combine them.
 *
 * Independent members are trained side by side by groups of ranks, whole hosts first, each in
 * RUN_DIR/member-<i>; if there are more members than ranks, in turns, the longest first. Each is what
 * `lockstep train` makes of its config.yaml. One that fails is reported, and the others go on. Snapshots are
 * those of one training. Leaves ensemble.json and reliability.svg in RUN_DIR.
 *
 * @param[in] parent     its setup holds the parsed configuration, with ensemble.members above 0; used up
 * @param[in] arguments  of the command line: its overrides hold for every member
 *
 * Collective. Errors: as ls_training_run(); LS_STOPPED if a member was asked to stop; the code of the first
 * member that failed, after all others are done.
 */
ls_status ls_ensemble_train(ls_training *parent, ls_comm *comm, const ls_setup_arguments *arguments,
                            const ls_training_options *options) LS_CHECKED;

#endif
