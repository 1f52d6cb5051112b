/* SPDX-License-Identifier: BSD-3-Clause */
/* Which configuration each member of an ensemble is trained by: the ensemble's own with another seed, a file
 * of ensemble.configs, or what the member's run has kept. */
#ifndef LS_CLI_TRAIN_ENSEMBLE_CONFIG_H
#define LS_CLI_TRAIN_ENSEMBLE_CONFIG_H

#include "cli/setup.h"

/** Zero-initialize it apart from the first three, which are borrowed. */
typedef struct ls_ensemble_config {
  const ls_spec *spec; /* of the ensemble */
  const ls_setup_arguments *arguments;
  const char *text; /* the ensemble's configuration */
  char **texts;     /* [ensemble.configs] */
  char **own;       /* [members, 2] configuration that a member's run has, and the file that it is from; NULL:
                       none yet. NULL: a configuration was given */
} ls_ensemble_config;

/** Read the members' configuration files, or those of their runs if the ensemble in `run_path` goes on by
 * itself. On error the caller still calls ls_ensemble_config_fini(). Collective. Errors: LS_E_INPUT,
 * LS_E_CONFIG, LS_E_IO, LS_E_MEMORY, LS_E_COMM. */
ls_status ls_ensemble_config_read(ls_ensemble_config *ensemble, ls_comm *comm,
                                  const char *run_path) LS_CHECKED;
void ls_ensemble_config_fini(ls_ensemble_config *ensemble);

/** May members differ in more than their seeds? */
bool ls_ensemble_config_differs(const ls_ensemble_config *ensemble);

/** Set up a member's training as far as ls_setup_parse_config() does; `member` from 0. On error the caller
 * still calls ls_setup_fini(). Local. Errors: LS_E_CONFIG, LS_E_MEMORY. */
ls_status ls_ensemble_config_parse(const ls_ensemble_config *ensemble, size_t member,
                                   ls_setup *setup) LS_CHECKED;

#endif
