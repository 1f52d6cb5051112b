/* SPDX-License-Identifier: BSD-3-Clause */
/* A trained network on every rank, from a checkpoint, or from weights of another program with a configuration
 * beside them (eval/foreign.h). */
#ifndef LS_EVAL_LOADED_H
#define LS_EVAL_LOADED_H

#include "base/files/directory.h"
#include "base/status.h"
#include "base/text.h"
#include "comm/comm.h"
#include "config/spec.h"
#include "data/source.h"
#include "store/checkpoint.h"
#include "nn/network.h"

typedef struct ls_loaded {
  char *path;    /* of the checkpoint or weights: that in a run directory, if one was given; owned */
  ls_text notes; /* lines: which checkpoint of a run directory was taken; rank 0 */
  ls_checkpoint_info info;
  ls_spec *spec; /* the configuration it was trained with */
  ls_model *model;
  ls_network network; /* packed: ready for forward passes */
} ls_loaded;

/** Build the model that info and configuration describe, and a network with empty vectors. info.classes 0: as
 * many as the model has. Local. Errors: LS_E_INPUT if the file that info was read from cannot hold its
 * weights; LS_E_CONFIG, LS_E_MEMORY. */
ls_status ls_loaded_build(ls_loaded *loaded, bool input_gradient) LS_CHECKED;

/** The paths that vote for `count` paths: of an ensemble's directory its members (store/checkpoint_find.h).
 * `members` is zero-initialized; the caller calls ls_names_fini() on error, too.
 *
 * Collective; `paths` are rank 0's. Errors: LS_E_INPUT, LS_E_IO, LS_E_MEMORY, LS_E_COMM. */
ls_status ls_loaded_members(ls_names *members, ls_comm *comm, const char *const *paths,
                            size_t count) LS_CHECKED;

/** Does the dataset fit the network of the checkpoint `path`? Local. Errors: LS_E_INPUT. */
ls_status ls_loaded_check_fit(const ls_loaded *loaded, const ls_dataset_info *data,
                              const char *path) LS_CHECKED;

/** Was the same validation split held out for both networks, of the checkpoints `first_path` and `path`?
 * Local. Errors: LS_E_INPUT if each has seen samples that the other has not. */
ls_status ls_loaded_check_held_out(const ls_loaded *first, const char *first_path, const ls_loaded *other,
                                   const char *path) LS_CHECKED;

/** The same as a question. Local. */
bool ls_loaded_holds_out_the_same(const ls_loaded *first, const ls_loaded *other);

/** Open the data that a network is to be tried on: `where`, or NULL for those it was trained on, which are
 * read as then; what `given` says of transposition and first label holds before that. Collective. Errors:
 * those of ls_source_open_collective(). */
ls_status ls_loaded_open_data(ls_source **out, ls_comm *comm, const ls_loaded *loaded, const char *where,
                              const ls_reading *given) LS_CHECKED;

/** Append a line if the classes of the data have other names than those that the network of the checkpoint
 * `path` was trained on, or are another number of them. Local. */
void ls_loaded_compare_classes(const ls_loaded *loaded, const ls_dataset_info *data, const char *path,
                               ls_text *text);

/** Closing twice is fine. */
void ls_loaded_close(ls_loaded *loaded);

#endif
