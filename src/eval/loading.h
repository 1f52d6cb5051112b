/* SPDX-License-Identifier: BSD-3-Clause */
/* Loads trained networks: checkpoints, and weights of other programs (eval/foreign.h). */
#ifndef LS_EVAL_LOADING_H
#define LS_EVAL_LOADING_H

#include "eval/loaded.h"

/** Read a checkpoint, that of a run directory (store/checkpoint_find.h), or weights of another program whose
 * configuration does without a dataset, and build the network, on this process alone. Local. Errors as below,
 * without LS_E_COMM.
 */
ls_status ls_loaded_read(ls_loaded *out, const char *path, const ls_schemas *schemas) LS_CHECKED;

/** Read a checkpoint, that of a run directory, or weights of another program, on rank 0 and build the network
 * on every rank.
 *
 * @param[in] input_gradient  backward passes may ask for the gradient with respect to the input, which is
 * that of exact arithmetic where windows of an image are equal (ls_model_options.keep_ties)
 *
 * Collective. Errors: LS_E_INPUT if it is no intact checkpoint; LS_E_CONFIG if the configuration in it cannot
 * be read; LS_E_MEMORY; LS_E_COMM. On error there is nothing to release.
 */
ls_status ls_loaded_open(ls_loaded *out, ls_comm *comm, const char *path, const ls_schemas *schemas,
                         bool input_gradient) LS_CHECKED;

#endif
