/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds the checkpoint that a run directory stands for, or the reason why there is none. */
#ifndef LS_STORE_CHECKPOINT_FIND_H
#define LS_STORE_CHECKPOINT_FIND_H

#include "base/files/directory.h"
#include "base/status.h"
#include "base/text.h"

/** The checkpoint that a path means: of a run directory best.h5, else the newest intact one; of anything else
 * the path itself, unless it is missing where other checkpoints of a run are.
 *
 * @param[out] found  newly made, freed with free(); NULL on error
 * @param[out] notes  appended: a line that says which was chosen, after one for each damaged one; NULL: not
 * wanted
 *
 * Rank 0. Errors: LS_E_INPUT if the folder has none, or holds an ensemble, or if the file is missing: with
 * the reason, and the one to take; LS_E_IO, LS_E_MEMORY.
 */
ls_status ls_checkpoint_find(const char *path, char **found, ls_text *notes) LS_CHECKED;

/** To the error of reading a checkpoint, add the newest intact one of the same run if that one is damaged.
 * Returns `status`. Rank 0. */
ls_status ls_checkpoint_advise(ls_status status, const char *path) LS_CHECKED;

/** Append the paths that vote for a path: the members' run directories, or the snapshots, of an ensemble's
 * directory; of anything else the path alone. Rank 0. Errors: LS_E_INPUT, LS_E_IO, LS_E_MEMORY. */
ls_status ls_checkpoint_members(const char *path, ls_names *members) LS_CHECKED;

#endif
