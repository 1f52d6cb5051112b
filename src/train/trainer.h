/* SPDX-License-Identifier: BSD-3-Clause */
/* A training run from start or checkpoint to the final evaluation: epochs, schedule, validation, early
 * stopping, checkpoints. It prints nothing: the caller gets events. */
#ifndef LS_TRAIN_TRAINER_H
#define LS_TRAIN_TRAINER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "comm/comm.h"
#include "config/spec.h"
#include "data/loader.h"
#include "data/source.h"
#include "nn/network.h"
#include "store/checkpoint.h"
#include "train/balance.h"

/** After a step; means over the epoch so far. */
typedef struct ls_step_event {
  size_t epoch, epochs; /* the running one, from 1, and how many there will be */
  size_t step, steps;   /* done of this epoch, and its length */
  double loss, accuracy;
  uint64_t samples;          /* trained on of this epoch */
  double samples_per_second; /* of this epoch in this session */
} ls_step_event;

/** After an epoch. */
typedef struct ls_epoch_event {
  size_t epoch, epochs;
  const ls_epoch_metrics *train;
  const ls_epoch_metrics *validation; /* NULL: no validation split */
  double samples_per_second;
} ls_epoch_event;

/** The caller's callbacks, on rank 0 only; any may be NULL. */
typedef struct ls_trainer_events {
  void *user;
  void (*step)(void *user, const ls_step_event *event);
  void (*epoch)(void *user, const ls_epoch_event *event);
  void (*message)(void *user,
                  const char *text); /* a line to show: resumed from, damaged checkpoint skipped */
} ls_trainer_events;

/** A network between two steps, and the split that it is to be evaluated on. All is borrowed. */
typedef struct ls_evaluation_input {
  ls_comm *comm;
  const ls_network *network;
  ls_workspace **workspaces; /* [threads] */
  size_t threads;
  const ls_loader *loader;
  ls_eval_split split; /* has samples */
} ls_evaluation_input;

/** The figures that every rank decides by; the same bits on each. */
typedef struct ls_evaluation_figures {
  double loss; /* mean over the samples; infinite where it is not finite */
  uint64_t samples, correct;
} ls_evaluation_figures;

/** Evaluate a network. Rank 0 gets all its figures, handed over, without their epoch; the others get NULL.
 * Collective. Errors: LS_E_MEMORY, LS_E_COMM. */
typedef ls_status ls_evaluate_call(const ls_evaluation_input *input, ls_evaluation_figures *figures,
                                   ls_metrics **metrics);

typedef struct ls_trainer_options {
  ls_comm *comm;
  const ls_spec *spec;
  const ls_schemas *schemas; /* to read the configuration in a checkpoint */
  const char *config;        /* the resolved configuration as text, stored in every checkpoint */
  ls_source *source;
  const ls_model *model;
  size_t threads;
  ls_directory *run_dir; /* borrowed; open on rank 0, on the others its path alone. May be moved meanwhile */
  bool resume;
  double started_s;                  /* clock time that train.time_limit counts from */
  const volatile sig_atomic_t *stop; /* becomes non-zero when this rank was asked to stop */
  ls_evaluate_call *evaluate;        /* for the validation split, and the test at the end */
  ls_trainer_events events;
} ls_trainer_options;

enum { LS_SNAPSHOT_CHARS = 40 };

/** File in the run directory of a snapshot ensemble's member, counted from 1: "snapshot-1.h5". Returns
 * `name`. */
const char *ls_snapshot_name(size_t number, char name[LS_SNAPSHOT_CHARS]);

/** How a run ended; the same on every rank. Owned; ls_train_result_fini(). */
typedef struct ls_train_result {
  ls_progress progress;
  bool has_validation, has_test;
  ls_split_metrics splits; /* rank 0: of the final weights: the best ones when early stopping restores them */
  char weights_digest[LS_DIGEST_CHARS];
  char init_digest[LS_DIGEST_CHARS]; /* of the file of model.init_from; "": there was none. Rank 0 */
  char ema_digest[LS_DIGEST_CHARS];  /* of their moving average, which was evaluated; "": there is none */
  double samples_per_second;         /* training, over all sessions, without evaluation */
  char checkpoint[LS_CHECKPOINT_NAME_CHARS]; /* file of the run directory that holds the final weights */
  ls_balance balance; /* which rank took how long in this session; its loads on rank 0 */
} ls_train_result;

/** Train, evaluate, and leave checkpoints and metrics in the run directory. If that is moved meanwhile, the
 * run follows it, and rank 0's options->run_dir has the new path.
 *
 * Collective. Errors: LS_STOPPED after a stop request (checkpoint written); LS_E_NONFINITE; LS_E_INPUT if the
 * checkpoint to resume from belongs to another experiment; LS_E_IO, LS_E_MEMORY, LS_E_COMM.
 */
ls_status ls_train(const ls_trainer_options *options, ls_train_result *result) LS_CHECKED;
void ls_train_result_fini(ls_train_result *result);

#endif
