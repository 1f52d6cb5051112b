/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of a run, its evaluation, and its way to and from the run directory; private to the trainer. */
#ifndef LS_TRAIN_RUN_RUN_H
#define LS_TRAIN_RUN_RUN_H

#include "base/text.h"
#include "optim/schedule.h"
#include "train/engine.h"
#include "train/trainer.h"

typedef struct ls_run {
  const ls_trainer_options *options;
  ls_network network;
  ls_network average; /* moving average of the weights; params NULL: none is kept */
  ls_engine *engine;
  ls_loader *loader;
  ls_state state;             /* its vectors are the network's and the engine's */
  ls_schedule_state schedule; /* what the schedule remembers, for `state` too */
  ls_checkpoint_info info;    /* what every checkpoint of the run records of data and configuration */
  ls_checkpoint_info from;    /* rank 0: of the checkpoint that the run goes on from */
  char *from_path;            /* likewise; NULL: it starts from the beginning */
  ls_activity *activity;      /* the communicator's; NULL: none is kept */
  uint64_t first_saved_step;  /* of the first checkpoint that this session has written, or gone on from */
  uint64_t saved_step;        /* of the last checkpoint that was written, or gone on from; 0: none */
  bool is_checked;            /* the weights as they are now, by ls_run_check() */
  bool restored;              /* rank 0: the weights are those of best.h5 */
  double started_s;           /* clock time that time_limit counts from */
  ls_step_times times;        /* of this rank, of the steps of this session */
  uint64_t timed_steps;       /* how many those are */
  double checkpoint_s;        /* clock at the last checkpoint, for every_minutes; rank 0's counts */
} ls_run;

/** Build network, engine, loader and initial or resumed state. On error the run is still released by
 * ls_run_fini(). Collective. */
ls_status ls_run_init(ls_run *run, const ls_trainer_options *options) LS_CHECKED;

/** Collective. */
void ls_run_fini(ls_run *run);

/** Are the weights and running statistics the same on all ranks, and finite? Asked once of the
 * same weights. Collective. Errors: LS_E_NONFINITE if not; LS_E_MEMORY; LS_E_COMM. */
ls_status ls_run_check(ls_run *run) LS_CHECKED;

/** To an error about the weights after `step` steps, add which checkpoint is intact, and a remedy. Returns
 * `status`. Local. */
ls_status ls_run_advise(const ls_run *run, uint64_t step, ls_status status) LS_CHECKED;

/** Add the weights of the completed step to their moving average, if one is kept. Local. */
void ls_run_average(ls_run *run);

/** Evaluate the moving average, if one is kept, or the network. *metrics as from ls_evaluate_call.
 * Collective. Errors: LS_E_NONFINITE if the loss is not finite: such a network is none to save or to end
 * with; LS_E_MEMORY, LS_E_COMM. */
ls_status ls_run_evaluate(ls_run *run, ls_metrics_split split, ls_evaluation_figures *figures,
                          ls_metrics **metrics) LS_CHECKED;

/** Keep the figures of a split, which are handed over, for the files of the run. Rank 0. */
void ls_run_keep(ls_run *run, ls_metrics_split split, ls_metrics *metrics);

/** Evaluate on the validation split, keep the figures, and make the epoch's row of them. Collective. Errors:
 * as ls_run_evaluate(). */
ls_status ls_run_validate(ls_run *run, ls_epoch_metrics *row) LS_CHECKED;

/** Check the weights, write checkpoint-<step>.h5 and remove old checkpoints. Collective. Errors:
 * LS_E_IO, LS_E_MEMORY, LS_E_NONFINITE, LS_E_COMM; the same for the others below. */
ls_status ls_run_save(ls_run *run) LS_CHECKED;

/** Write metrics.h5 and metrics.csv. Collective. */
ls_status ls_run_save_metrics(ls_run *run) LS_CHECKED;

/** Write a checkpoint under another name, which stays: "best.h5". Collective. */
ls_status ls_run_save_as(ls_run *run, const char *name) LS_CHECKED;

/** Take the weights of best.h5; if that is missing or not of the best epoch, say so and keep the last.
 * Collective. */
ls_status ls_run_restore_best(ls_run *run) LS_CHECKED;

/* ---- for the files of this folder ---- */

/** Hand a text to whoever listens, whole or not at all, and release it. Rank 0 hands it over. Local. Errors:
 * LS_E_MEMORY. */
ls_status ls_run_say(const ls_run *run, ls_text *text) LS_CHECKED;

/** The run directory may have been moved, and another one may have its path: the run goes on in its own.
 * Rank 0. Errors: LS_E_IO if it was removed; LS_E_MEMORY. */
ls_status ls_run_follow(const ls_run *run) LS_CHECKED;

/** Write config.yaml. An earlier run's configuration stays until the new run is known to start. Rank 0.
 * Errors: LS_E_IO, LS_E_MEMORY. */
ls_status ls_run_write_config(const ls_run *run) LS_CHECKED;

/** Find the newest intact checkpoint and read it into the state; *found: there is one. Rank 0. Errors:
 * LS_E_INPUT if all are damaged or of another experiment; LS_E_IO, LS_E_MEMORY. */
ls_status ls_run_load_newest(ls_run *run, bool *found) LS_CHECKED;

/** Do the loaded samples fit the loaded checkpoint? Rank 0. Errors: LS_E_INPUT if not. */
ls_status ls_run_check_loaded(const ls_run *run) LS_CHECKED;

/** A resumed run makes no snapshot of a cycle that is over: are those there? Rank 0. Errors: LS_E_INPUT if
 * not; LS_E_IO, LS_E_MEMORY. */
ls_status ls_run_check_snapshots(const ls_run *run) LS_CHECKED;

/** Has early stopping ended the run? Asked anew after a resume, so that more patience lets it go on. Local.
 */
bool ls_run_is_stopped_early(const ls_run *run);

/** Compute features of the training and validation samples once, where frozen layers, the data and the memory
 * allow it, and epochs are to come that would find them. A rank that is asked to stop leaves it. After the
 * weights and the data are there. Collective. Errors: LS_E_MEMORY, LS_E_COMM. */
ls_status ls_run_extract(ls_run *run) LS_CHECKED;

/** Broadcast rank 0's weights, optimizer state and progress. Collective. Errors: LS_E_COMM. */
ls_status ls_run_broadcast(ls_run *run) LS_CHECKED;

#endif
