/* SPDX-License-Identifier: BSD-3-Clause */
#include "comm/launcher.h"

#include <stdlib.h>
#include <string.h>

/* The first that has left its mark: mpirun under Slurm has Slurm's as well. */
static const struct {
  const char *variable, *name;
} launchers[] = {
    {"OMPI_COMM_WORLD_SIZE", "mpirun"},
    {"SLURM_STEP_ID", "srun"},
};

void ls_launcher_describe(ls_text *text)
{
  const char *name = "none, a process by itself";
  for (size_t i = sizeof launchers / sizeof *launchers; i-- > 0;)
    if (getenv(launchers[i].variable)) name = launchers[i].name;
  ls_text_add(text, "%s", name);
  const char *job = getenv("SLURM_JOB_ID"), *nodes = getenv("SLURM_JOB_NUM_NODES");
  const char *list = getenv("SLURM_JOB_NODELIST");
  if (!job || !nodes || !list) return;
  ls_text_add(text, ", Slurm job %s on %s node%s (%s)", job, nodes, strcmp(nodes, "1") == 0 ? "" : "s", list);
}
