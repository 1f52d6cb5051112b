/* SPDX-License-Identifier: BSD-3-Clause */
/* What started this job. */
#ifndef LS_COMM_LAUNCHER_H
#define LS_COMM_LAUNCHER_H

#include "base/text.h"

/** Append it as the environment tells: "srun, Slurm job 17 on 2 nodes (n[1-2])". Local. */
void ls_launcher_describe(ls_text *text);

#endif
