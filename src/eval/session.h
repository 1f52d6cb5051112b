/* SPDX-License-Identifier: BSD-3-Clause */
/* Trained networks and the data that they are tried on, each opened once, for evaluation, attacks and
 * prediction. Nothing is printed: the caller gets notes as lines of text. */
#ifndef LS_EVAL_SESSION_H
#define LS_EVAL_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/files/directory.h"
#include "base/status.h"
#include "base/text.h"
#include "comm/comm.h"
#include "data/loader.h"
#include "data/source.h"
#include "eval/forward.h"
#include "eval/loaded.h"

/** Texts are borrowed until the session is over. */
typedef struct ls_session_options {
  const char *const *checkpoints; /* [count] files and run directories */
  size_t count;
  bool expands;        /* an ensemble's directory stands for all its members */
  bool input_gradient; /* see ls_loaded_open() */
  bool fits_weights;  /* of several networks: the validation split is wanted, too, if all held out the same */
  bool tta, flips;    /* test-time augmentation; with mirror images */
  const char *data;   /* catalogue name, folder or .h5 file; NULL: the dataset trained on */
  ls_reading reading; /* what is said of its files: transposition and first label */
  ls_eval_split split;
} ls_session_options;

/** In the order in which it is made; zero-initialize it. */
typedef struct ls_session {
  ls_session_options options;
  ls_names paths;      /* of the networks, where an ensemble's directory may stand for several */
  size_t wanted;       /* networks that there will be */
  const char **names;  /* [count] of their checkpoints; the array is owned */
  ls_loaded *networks; /* [count] */
  size_t count, threads;
  ls_text notes; /* lines: which checkpoint of a run directory was taken. Rank 0 */
  ls_source *source;
  ls_text other_classes; /* lines: of networks that were trained on others than the data's */
  bool fits_weights;     /* wanted, and possible */
} ls_session;

/** The steps, in their order; the caller calls ls_session_close() after any of them, also after an error. */

/** Find the checkpoints of the networks. Collective; `checkpoints` are rank 0's. Errors: as
 * ls_loaded_members(). */
ls_status ls_session_find(ls_session *session, ls_comm *comm, const ls_session_options *options) LS_CHECKED;

/** Open them. Collective; with comm NULL, on this process alone. Errors: as ls_loaded_open(). */
ls_status ls_session_open(ls_session *session, ls_comm *comm) LS_CHECKED;

/** Open the data. Collective. Errors: LS_E_INPUT if they do not fit a network, or not all have held out the
 * same samples for validation, where these are wanted; those of ls_loaded_open_data(); LS_E_COMM. */
ls_status ls_session_open_data(ls_session *session, ls_comm *comm) LS_CHECKED;

void ls_session_close(ls_session *session);

/** Networks of a session that look at its split together, and this rank's samples; zero-initialize it. */
typedef struct ls_group {
  ls_members members;
  ls_tta *tta; /* of all members; NULL: not asked for */
  ls_loader *loader;
} ls_group;

/** Load the samples for `count` networks from the `first` one on. The session's first network decides which
 * samples there are. The caller calls ls_group_close() on error, too.
 *
 * Collective. Errors: LS_E_INPUT if the split has no samples; those of ls_loader_new(). */
ls_status ls_session_load(ls_group *out, ls_comm *comm, const ls_session *session, size_t first,
                          size_t count) LS_CHECKED;
/** Collective. */
void ls_group_close(ls_group *group);

#endif
