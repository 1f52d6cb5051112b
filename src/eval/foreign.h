/* SPDX-License-Identifier: BSD-3-Clause */
/* Weights of another program as a trained network: a weight file with a configuration of the same name beside
 * it (model.pt and model.yaml), or a configuration whose model.init_from names the weights. */
#ifndef LS_EVAL_FOREIGN_H
#define LS_EVAL_FOREIGN_H

#include "base/status.h"
#include "comm/comm.h"
#include "eval/loaded.h"

/** The configuration that says what network the weights of a path are of.
 *
 * @param[out] config  its path, freed with free(); NULL: the path is that of a checkpoint or run directory,
 * or of nothing
 *
 * Rank 0. Errors: LS_E_INPUT for a weight file of another program without one; LS_E_IO, LS_E_MEMORY. */
ls_status ls_foreign_find(const char *path, char **config) LS_CHECKED;

/** The same on every rank. Collective; `path` is rank 0's. Errors: as above; LS_E_COMM. */
ls_status ls_foreign_find_shared(char **config, ls_comm *comm, const char *path) LS_CHECKED;

/** Build the network of a configuration and load its weights, all of which must be in the file. The images'
 * shape, classes and normalization are those that the configuration gives, else those of its dataset.
 *
 * @param[in,out] out  zero-initialized; ls_loaded_close() is due on error, too
 * @param[in] path     of the weights, FILE or FILE#KEY, or of the configuration itself
 * @param[in] comm     NULL: this process alone, without a dataset
 *
 * Collective. Errors: as ls_loaded_open() (eval/loading.h), and those of ls_transfer_read() and
 * ls_source_open_collective(). */
ls_status ls_foreign_open(ls_loaded *out, ls_comm *comm, const char *path, const char *config,
                          const ls_schemas *schemas, bool input_gradient) LS_CHECKED;

#endif
