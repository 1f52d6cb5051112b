/* SPDX-License-Identifier: BSD-3-Clause */
/* What setup.c checks once the data are open. Private to it. */
#ifndef LS_CLI_SETUP_CHECKS_H
#define LS_CLI_SETUP_CHECKS_H

#include "config/spec.h"
#include "data/source.h"
#include "nn/model.h"

/** Does the loss take the labels, and the targets that are made of them? Local. Errors: LS_E_CONFIG,
 * LS_E_INPUT. */
ls_status ls_setup_check_labels(const ls_spec *spec, const ls_source *source) LS_CHECKED;

/** One value has no variance: may a batch norm be trained on the micro-batches of so many samples? Local.
 * Errors: LS_E_CONFIG. */
ls_status ls_setup_check_statistics(const ls_spec_train *train, const ls_model *model,
                                    size_t samples) LS_CHECKED;

#endif
