/* SPDX-License-Identifier: BSD-3-Clause */
/* A checkpoint: one HDF5 file that holds the whole experiment. The layout is in ARCHITECTURE.md.
 *
 * Written to a temporary file, synced, renamed, by rank 0. Three checks find damage: the file's first 512
 * bytes hold the length and digest of the whole file, every dataset carries a Fletcher-32 checksum, and the
 * weights' digest is checked on load. */
#ifndef LS_STORE_CHECKPOINT_H
#define LS_STORE_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/files/directory.h"
#include "base/field.h"
#include "base/status.h"
#include "nn/model.h"
#include "store/split_metrics.h"

enum { LS_STATE_MAX_SLOTS = 4, LS_CHECKPOINT_MAX_CHANNELS = 16 };

/** One row of /metrics/train or /metrics/validation. */
typedef struct ls_epoch_metrics {
  uint64_t epoch;       /* from 1: epochs completed */
  uint64_t step;        /* steps completed since the start of the run */
  double loss;          /* mean over the samples */
  double accuracy;      /* fraction; not a number where labels are values */
  double learning_rate; /* at the epoch's last step; 0 in validation rows */
  double seconds;       /* wall time of the epoch (train), of the evaluation (validation) */
  /* Of validation rows alone, as in ls_metrics; on rank 0, and 0 in rows of older checkpoints. */
  double brier, ece, macro_precision, macro_recall, macro_f1;
  double micro_f1, mean_average_precision; /* of several labels */
  double mae, rmse, r2;                    /* of values */
} ls_epoch_metrics;

typedef struct ls_history {
  ls_epoch_metrics *rows; /* owned; freed with ls_history_fini() */
  size_t count;
} ls_history;

/** Append a copy of `row`. Local. Errors: LS_E_MEMORY. */
ls_status ls_history_add(ls_history *history, const ls_epoch_metrics *row) LS_CHECKED;
void ls_history_fini(ls_history *history);

/** Where training stands. Attributes of /progress, under the members' names. */
typedef struct ls_progress {
  uint64_t epoch;                        /* epochs completed */
  uint64_t step;                         /* steps completed since the start */
  uint64_t epoch_step;                   /* completed steps of the current epoch */
  double epoch_seconds;                  /* wall time of that epoch so far */
  double epoch_loss;                     /* sum over that epoch's samples so far */
  uint64_t epoch_correct, epoch_samples; /* likewise */
  uint64_t best_epoch;                   /* epoch of the best validation metric; 0: none yet */
  double best_metric;                    /* that metric's value */
  uint64_t bad_epochs;                   /* epochs without improvement (patience counter) */
  double seconds;                        /* training time so far, over all sessions of the run */
} ls_progress;

/** Numbers that a kind, such as a schedule, remembers: attributes of /progress, under the names that the kind
 * gives them. The store does not know what they mean. */
typedef struct ls_named_numbers {
  ls_fields fields; /* none: nothing is remembered */
  void *values;     /* the struct of the fields; the caller's */
} ls_named_numbers;

/** A moving average of the weights. Vectors are the caller's. */
typedef struct ls_average {
  float *params;  /* [params]; NULL: none is kept */
  float *buffers; /* [buffers] */
} ls_average;

/** The state of a run. The caller owns the vectors. */
typedef struct ls_state {
  const ls_model *model; /* gives names, shapes and offsets */
  float *params;         /* [params] */
  float *buffers;        /* [buffers] */
  ls_average average;    /* /ema */
  struct {
    const char *name; /* "momentum_buffer", "exp_avg", ...: /optimizer/<name>/<layer>/<tensor> */
    float *data;      /* [params] */
    bool is_squares;  /* means of squares, which are never negative */
  } slots[LS_STATE_MAX_SLOTS];
  size_t slot_count;
  uint64_t optimizer_step; /* steps that the optimizer has taken (Adam's t) */
  ls_progress progress;
  ls_named_numbers schedule; /* those that the schedule remembers */
  ls_label_form labels;      /* of the training data: which columns the histories have */
  ls_history train, validation;
  ls_split_metrics split_metrics; /* rank 0 */
} ls_state;

/** What a reader needs before it can build the model and the state. Owned; ls_checkpoint_info_fini(). */
typedef struct ls_checkpoint_info {
  char *config; /* resolved configuration, YAML */
  char weights_digest[LS_DIGEST_CHARS];
  char lockstep_version[32];
  size_t channels, height, width;               /* of an input image */
  size_t classes;                               /* or labels, or values */
  ls_label_form labels;                         /* what they are */
  char *class_names;                            /* one a line, or NULL */
  char dataset[64];                             /* name of the dataset trained on */
  char picture[16];                             /* word of data.picture, not auto; "": an older file */
  double mean[LS_CHECKPOINT_MAX_CHANNELS];      /* normalization, pixel units */
  double deviation[LS_CHECKPOINT_MAX_CHANNELS]; /* likewise; positive */
  size_t train_count; /* samples of the training split, validation included; 0: an older file */
  char labels_digest[LS_DIGEST_CHARS]; /* of their labels, uint16; written and read with train_count */
  ls_progress progress;
  char init_digest[LS_DIGEST_CHARS]; /* of the file that the run's first weights came from; "": none */
  size_t file_bytes;                 /* length of the file that it was read from; not written */
} ls_checkpoint_info;

void ls_checkpoint_info_fini(ls_checkpoint_info *info);

/** Digest of the weights: parameters, then buffers, in PyTorch's layouts; equal bits give equal digests. */
void ls_weights_digest(const ls_model *model, const float *params, const float *buffers,
                       char text[LS_DIGEST_CHARS]);

/** Are all weights finite, and is no running variance negative? Arguments as above. Local. Errors:
 * LS_E_NONFINITE or LS_E_INPUT naming the tensor. */
ls_status ls_weights_check(const ls_model *model, const float *params, const float *buffers) LS_CHECKED;

/** The same for all that a state holds, the average and the optimizer's vectors too. Local. Errors: as above.
 */
ls_status ls_state_check(const ls_state *state) LS_CHECKED;

/** Write a checkpoint durably: what `path` held before stays intact until the new file is complete.
 * info's weights_digest, lockstep_version, progress and file_bytes are ignored: they are made from the state.
 * Rank 0. Errors: LS_E_IO, LS_E_MEMORY. */
ls_status ls_checkpoint_write(const char *path, const ls_checkpoint_info *info,
                              const ls_state *state) LS_CHECKED;

/** The same, as the file `name` of an open folder. */
ls_status ls_checkpoint_write_in(const ls_directory *directory, const char *name,
                                 const ls_checkpoint_info *info, const ls_state *state) LS_CHECKED;

/** Read everything that is needed to build the model. Rank 0. Errors: LS_E_INPUT if it is no intact
 * checkpoint. */
ls_status ls_checkpoint_read_info(const char *path, ls_checkpoint_info *info) LS_CHECKED;

/** Read weights, optimizer state, progress, history and figures into `state`, whose model and vectors are
 * given; check shapes and the digests. Where a checkpoint has no average, the weights stand in for it;
 * state->average may be params and buffers themselves, for those that evaluate the network. On error the
 * vectors are undefined. Rank 0. Errors: LS_E_INPUT naming the file, dataset, expected and found;
 * LS_E_MEMORY. */
ls_status ls_checkpoint_read(const char *path, ls_state *state) LS_CHECKED;

/** The same for the weights and their average alone: nothing else of `state` is changed. */
ls_status ls_checkpoint_read_weights(const char *path, ls_state *state) LS_CHECKED;

enum { LS_CHECKPOINT_NAME_CHARS = 40 };

/** "checkpoint-<step>.h5". Returns `name`. Local. */
const char *ls_checkpoint_name(uint64_t step, char name[LS_CHECKPOINT_NAME_CHARS]);

/** The newest intact checkpoint of a run directory.
 *
 * @param[out] path     newly made, freed with free(); NULL if there is none
 * @param[out] damaged  appended: a line for each newer one that was skipped, and why
 *
 * "Intact" means that every dataset can be read and the weights' digest holds. Rank 0. Errors: LS_E_IO,
 * LS_E_MEMORY, LS_E_INPUT where a newer one may be intact, but cannot be read.
 */
ls_status ls_checkpoint_newest(const ls_directory *run_dir, char **path, ls_text *damaged) LS_CHECKED;

/** Steps first .. last; none if first is above last. */
typedef struct ls_step_range {
  uint64_t first, last;
} ls_step_range;

/** Remove all but the newest `keep` intact checkpoint-<step>.h5 of a run directory, and temporary files that
 * an interrupted write left. Damaged ones that are newer do not count and stay.
 *
 * @param[in] known  checkpoints that this run has written or read, and so need not be read again: the last of
 *                   them is intact, whatever happened to the others since
 *
 * Rank 0. Errors: LS_E_IO, LS_E_MEMORY. */
ls_status ls_checkpoint_prune(const ls_directory *run_dir, size_t keep,
                              const ls_step_range *known) LS_CHECKED;

/** Write metrics.h5 (tables /metrics/train and /metrics/validation; groups /validation and /test of the
 * newest figures) and metrics.csv of a run directory. Of info only class_names are read. Rank 0. */
ls_status ls_metrics_write(const ls_directory *run_dir, const ls_checkpoint_info *info,
                           const ls_state *state) LS_CHECKED;

/** Append what any HDF5 file of ours (checkpoint, metrics, dataset) holds: attributes, datasets with shape,
 * type, and for weights mean, deviation, range. Rank 0. Errors: LS_E_INPUT, LS_E_MEMORY. */
ls_status ls_inspect(const char *path, ls_text *text) LS_CHECKED;

#endif
