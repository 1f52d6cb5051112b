/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by the files of an ensemble's training. Private to ensemble_*.c. */
#ifndef LS_CLI_TRAIN_ENSEMBLE_JOB_H
#define LS_CLI_TRAIN_ENSEMBLE_JOB_H

#include "base/digest.h"
#include "base/files/directory.h"
#include "cli/train/ensemble_config.h"
#include "cli/train/training.h"
#include "comm/comm.h"
#include "comm/placement/placement.h"
#include "data/source.h"
#include "store/checkpoint.h"

/* How a member has ended; its words are summed over the ranks, of which one alone has others than zeros. */
typedef union ls_member_end {
  struct {
    uint64_t status;                           /* ls_status */
    char checkpoint[LS_CHECKPOINT_NAME_CHARS]; /* of its final weights, in its run directory */
    char digest[LS_DIGEST_CHARS];              /* of these weights */
    char folder[4096];                         /* its run directory, which may have been moved */
    char error[464];
  } is;
  uint64_t words[592];
} ls_member_end;

/* The state of an ensemble's training, in the order in which it is made. */
typedef struct ls_ensemble_job {
  const ls_spec *spec; /* of the ensemble */
  ls_comm *world;
  const ls_training_options *options;
  size_t members;
  ls_ensemble_config config;
  ls_placement placement;   /* of this rank, among all */
  double *costs;            /* [members] */
  ls_dataset_info voted_on; /* the first member's dataset, without class_names */
  bool has_test, has_validation;
  ls_directory run_dir; /* open on rank 0, which has locked it, and on those that lead a group */
  ls_comm *group;
  size_t *group_of_rank, *group_of_member, *order;
  ls_member_end *ends; /* [members] */
} ls_ensemble_job;

/** Would each member train, and can all vote together? Prints the warnings on each. Collective. */
ls_status ls_ensemble_check(ls_ensemble_job *job) LS_CHECKED;

/** Make, or take again, the run directories of the ensemble and its members. Rank 0. */
ls_status ls_ensemble_open_run_dirs(ls_ensemble_job *job, const char *resolved) LS_CHECKED;

/** Share the ends of each rank's members with all ranks, and find the members' run directories. Collective.
 */
ls_status ls_ensemble_share_ends(ls_ensemble_job *job) LS_CHECKED;

/** LS_STOPPED if members are not done; or the error of the first member that failed. Local. */
ls_status ls_ensemble_outcome(const ls_ensemble_job *job) LS_CHECKED;

/** Let the members that are done vote. Collective. */
ls_status ls_ensemble_combine(ls_ensemble_job *job) LS_CHECKED;

#endif
