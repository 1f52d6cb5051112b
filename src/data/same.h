/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks that all ranks see the same dataset: a rank that was started in another folder, or has an old copy
 * on its own host, would train on other data. */
#ifndef LS_DATA_SAME_H
#define LS_DATA_SAME_H

#include "base/status.h"
#include "comm/comm.h"
#include "data/source.h"

/** Compare shape, classes, counts and labels of the dataset with rank 0's. Collective. Errors: LS_E_INPUT
 * with the rank and what differs; LS_E_MEMORY; LS_E_COMM. */
ls_status ls_source_check_same(const ls_source *source, ls_comm *comm) LS_CHECKED;

#endif
