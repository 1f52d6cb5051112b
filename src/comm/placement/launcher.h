/* SPDX-License-Identifier: BSD-3-Clause */
/* The launcher of this process: the variables by which it is recognized, the number of processes that it
 * reports, and its option for more cores per rank. */
#ifndef LS_COMM_PLACEMENT_LAUNCHER_H
#define LS_COMM_PLACEMENT_LAUNCHER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

typedef enum ls_launcher {
  LS_LAUNCHER_NONE,
  LS_LAUNCHER_PRRTE,
  LS_LAUNCHER_OPENMPI,
  LS_LAUNCHER_INTEL,
  LS_LAUNCHER_HYDRA,
  LS_LAUNCHER_SLURM,
  LS_LAUNCHER_PMI,
  LS_LAUNCHER_COUNT
} ls_launcher;

typedef struct ls_launch {
  ls_launcher launcher;
  size_t processes;     /* that it has started for this program, as the environment says; 0: it does not */
  const char *variable; /* which says so; NULL: none */
  bool is_first;        /* of those processes, or not known to be another: it may speak for all */
} ls_launch;

/** The launcher, from the environment. Call it before MPI is started: MPI opens files, and afterwards it
 * cannot be seen whether the launcher has started this process or an ancestor of it. Local. */
ls_launch ls_launcher_find(void);

/** "srun"; "none, a process by itself". */
const char *ls_launcher_name(ls_launcher launcher);

/** Has a launcher started this process? Local. */
bool ls_launcher_is_any(ls_launcher launcher);

/** Does it say in the environment how many cores it has allotted, on the host and for a task? Local. */
bool ls_launcher_allots(ls_launcher launcher);

/** Append what started this job: "srun, Slurm job 17 on 2 nodes (n[1-2])". Local. */
void ls_launcher_describe(ls_launcher launcher, ls_text *text);

/** Append how to give each rank the cores, of `siblings` hyper-threads, for so many threads:
 * "srun --cpus-per-task=4". All there is to try, where the launcher is not known. Local. */
void ls_launcher_warn_cores(ls_launcher launcher, size_t threads, size_t siblings, ls_text *text);

/** Append why processes that do not know of each other are a mistake, and the remedy, where the launcher has
 * started several and MPI's world, of this library, has one rank; nothing where all is well. Local. */
void ls_launcher_warn_apart(const ls_launch *launch, size_t ranks, const char *library, ls_text *text);

/** The launcher's process among the ancestors of process `pid`; of no launcher: its parent. `proc` is /proc
 * but in tests. 0: it cannot be found. Local. */
long ls_launcher_process(ls_launcher launcher, const char *proc, long pid);

#endif
