/* SPDX-License-Identifier: BSD-3-Clause */
/* Which mean and deviation the pixels of a dataset are normalized by. */
#ifndef LS_DATA_NORMALIZE_H
#define LS_DATA_NORMALIZE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "comm/comm.h"
#include "config/spec.h"
#include "data/loader.h"
#include "kernels/normalize.h"

/** Find the normalization that is configured; `standard` takes the mean and deviation that are given, as many
 * as there are channels, or else the exact integer sums over the training samples of all ranks (validation
 * excluded), so it is the same for any number of ranks. Collective. Errors: LS_E_COMM. */
ls_status ls_normalization_find(ls_normalization *out, ls_comm *comm, const ls_loader *loader,
                                const ls_spec_data *data, size_t channels) LS_CHECKED;

#endif
