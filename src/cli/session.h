/* SPDX-License-Identifier: BSD-3-Clause */
/* Checkpoints that are evaluated on a split of a dataset: one, or several that vote. */
#ifndef LS_CLI_SESSION_H
#define LS_CLI_SESSION_H

#include <jansson.h>
#include <stdbool.h>

#include "base/text.h"
#include "cli/process/watch.h"
#include "comm/comm.h"
#include "data/loader.h"
#include "data/source.h"
#include "eval/ensemble.h"
#include "eval/loaded.h"
#include "eval/report/metrics.h"
#include "eval/votes.h"
#include "train/evaluate.h"

/** Texts are borrowed until the session is over. */
typedef struct ls_session_options {
  const char *const *checkpoints; /* [count] files and run directories; of an ensemble's all members vote */
  size_t count;
  const char *data;   /* catalogue name, folder or .h5 file; NULL: the dataset trained on */
  ls_reading reading; /* what is said of its files: transposition and first label */
  ls_eval_split split;
  bool tta, flips;    /* test-time augmentation; with mirror images */
  bool reported_data; /* what is odd about the data has been told already */
  bool predictions;   /* what is said of each sample is wanted, too */
} ls_session_options;

/** In the order in which it is made; zero-initialize it. */
typedef struct ls_session {
  ls_session_options options;
  ls_names paths;      /* of those that vote: files and run directories */
  const char **names;  /* [count] of their checkpoints; the array is owned */
  ls_loaded *networks; /* [count] */
  ls_member *members;  /* [count] */
  ls_tta *tta;         /* of all members; NULL: not asked for */
  size_t count, threads;
  ls_source *source;
  ls_loader *loader;
  bool fits_weights;          /* several networks that held out the same samples, which are at hand */
  ls_evaluation evaluation;   /* of the soft vote */
  ls_predictions predictions; /* likewise; rank 0, where they are wanted */
  ls_votes votes, held_out;   /* of several networks; rank 0 */
  const char **class_names;   /* rank 0; NULL: the dataset has none */
  ls_metrics *metrics;        /* rank 0 */
  ls_text other_classes;      /* lines: of networks that were trained on others than the data's */
  ls_ensemble *ensemble;      /* rank 0; NULL: a single network */
} ls_session;

/** Load the checkpoints and evaluate them; `watch` takes the times of the first one. On error
 * ls_session_fini() is still due.
 *
 * Collective. Errors: LS_E_INPUT if a checkpoint is damaged, does not fit the data, or the split has no
 * samples; LS_E_CONFIG, LS_E_IO, LS_E_MEMORY, LS_E_COMM.
 */
ls_status ls_session_open(ls_session *out, ls_comm *comm, const ls_session_options *options,
                          const ls_watch *watch) LS_CHECKED;
void ls_session_fini(ls_session *session);

/** Append the report for people. Rank 0. */
void ls_session_report(const ls_session *session, ls_text *text);

/** Append the predictions as CSV: index,label,class,probability,class_name; a line each, in the order of the
 * samples. Without class names those are the numbers. Rank 0. */
void ls_session_csv(const ls_session *session, ls_text *csv);

/** Add the split's metrics under its name, and "ensemble" where there are several. False without memory.
 * Rank 0. */
bool ls_session_add_json(const ls_session *session, json_t *document);

#endif
