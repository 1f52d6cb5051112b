/* SPDX-License-Identifier: BSD-3-Clause */
/* A launcher is a row: the variables that it leaves in its processes' environment. The first row whose
 * variables are set counts: mpirun under Slurm has Slurm's variables as well. */
#include "comm/placement/launcher.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/size.h"

enum { MOST_MARKS = 3, MOST_SIZES = 2, MOST_ANCESTORS = 64, LINE_CHARS = 4096 };

/* The unit that a launcher gives to ranks: cores or hyper-threads. */
typedef struct rank_needs {
  size_t cores, cpus;
} rank_needs;

typedef struct row {
  const char *name;
  const char *marks[MOST_MARKS]; /* any of them; what ends in '_' is the beginning of names */
  const char *sizes[MOST_SIZES]; /* how many processes there are: the first that is set */
  const char *rank;              /* which of them this one is */
  bool allots;                   /* SLURM_CPUS_ON_NODE and SLURM_CPUS_PER_TASK are its words */
  bool needs_size;               /* its environment modules set the variables, too */
  const char *socket;            /* names a descriptor that it has opened in its processes; NULL: none does */
  const char *remedy;            /* for processes that do not know of each other; NULL: another launcher */
  void (*warn_cores)(const rank_needs *needs, ls_text *text);
} row;

static void warn_open_mpi(const rank_needs *needs, ls_text *text)
{
  ls_text_add(text, "mpirun --map-by slot:PE=%zu --bind-to core", needs->cores);
}

static void warn_hydra(const rank_needs *needs, ls_text *text)
{
  ls_text_add(text, "mpiexec -bind-to core:%zu", needs->cores);
}

static void warn_intel(const rank_needs *needs, ls_text *text)
{
  ls_text_add(text, "mpirun -genv I_MPI_PIN_DOMAIN=%zu", needs->cpus);
}

static void warn_slurm(const rank_needs *needs, ls_text *text)
{
  ls_text_add(text, "srun --cpus-per-task=%zu or export SRUN_CPUS_PER_TASK=%zu", needs->cpus, needs->cpus);
}

static void warn_any(const rank_needs *needs, ls_text *text)
{
  warn_open_mpi(needs, text);
  ls_text_add(text, ", or srun --cpus-per-task=%zu", needs->cpus);
}

static const row rows[LS_LAUNCHER_COUNT] = {
    [LS_LAUNCHER_NONE] = {.name = "none, a process by itself", .warn_cores = warn_any},
    [LS_LAUNCHER_PRRTE] = {.name = "mpirun (PRRTE's prterun)",
                           .marks = {"PRTE_LAUNCHED"},
                           .sizes = {"OMPI_COMM_WORLD_SIZE"},
                           .rank = "OMPI_COMM_WORLD_RANK",
                           .warn_cores = warn_open_mpi},
    [LS_LAUNCHER_OPENMPI] = {.name = "mpirun (Open MPI)",
                             .marks = {"OMPI_COMM_WORLD_SIZE"},
                             .sizes = {"OMPI_COMM_WORLD_SIZE"},
                             .rank = "OMPI_COMM_WORLD_RANK",
                             .warn_cores = warn_open_mpi},
    [LS_LAUNCHER_INTEL] = {.name = "mpiexec (Intel MPI's Hydra)",
                           .marks = {"I_MPI_"},
                           .sizes = {"PMI_SIZE", "MPI_LOCALNRANKS"},
                           .rank = "PMI_RANK",
                           .needs_size = true,
                           .socket = "PMI_FD",
                           .warn_cores = warn_intel},
    [LS_LAUNCHER_HYDRA] = {.name = "mpiexec (MPICH's Hydra)",
                           .marks = {"HYDI_", "MPI_LOCALNRANKS"},
                           .sizes = {"PMI_SIZE", "MPI_LOCALNRANKS"},
                           .rank = "PMI_RANK",
                           .socket = "PMI_FD",
                           .warn_cores = warn_hydra},
    [LS_LAUNCHER_SLURM] = {.name = "srun",
                           .marks = {"SLURM_STEP_ID"},
                           .sizes = {"SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"},
                           .rank = "SLURM_PROCID",
                           .allots = true,
                           .remedy = "srun --mpi=pmix (`srun --mpi=list` shows what there is)",
                           .warn_cores = warn_slurm},
    [LS_LAUNCHER_PMI] = {.name = "mpiexec (MPICH's, or another that speaks PMI)",
                         .marks = {"PMI_SIZE"},
                         .sizes = {"PMI_SIZE"},
                         .rank = "PMI_RANK",
                         .socket = "PMI_FD",
                         .warn_cores = warn_any},
};

bool ls_launcher_is_any(ls_launcher launcher)
{
  return rows[launcher].marks[0] != NULL;
}

bool ls_launcher_allots(ls_launcher launcher)
{
  return rows[launcher].allots;
}

/* ---- who it was ---- */

static bool is_marked(const char *mark)
{
  const size_t length = strlen(mark);
  if (mark[length - 1] != '_') return getenv(mark) != NULL;
  for (char **variable = environ; *variable; variable++)
    if (strncmp(*variable, mark, length) == 0) return true;
  return false;
}

/* What it says of its processes. */
static void read_size(const row *launcher, ls_launch *launch)
{
  const char *rank = getenv(launcher->rank);
  launch->is_first = !rank || strcmp(rank, "0") == 0;
  for (size_t i = 0; i < MOST_SIZES && launcher->sizes[i] && !launch->variable; i++) {
    const char *text = getenv(launcher->sizes[i]);
    uint64_t count;
    if (!text || !ls_parse_count(text, &count)) continue;
    launch->processes = (size_t)count;
    launch->variable = launcher->sizes[i];
  }
}

/* A program that it has started may have started this one, with its environment, but seldom with its files.
 */
static bool is_passed_on(const row *launcher)
{
  const char *text = launcher->socket ? getenv(launcher->socket) : NULL;
  uint64_t descriptor;
  if (!text || !ls_parse_count(text, &descriptor)) return false;
  return fcntl((int)descriptor, F_GETFD) < 0;
}

ls_launch ls_launcher_find(void)
{
  for (size_t i = LS_LAUNCHER_NONE + 1; i < LS_LAUNCHER_COUNT; i++) {
    ls_launch launch = {.launcher = (ls_launcher)i};
    bool has_mark = false;
    for (size_t m = 0; m < MOST_MARKS && rows[i].marks[m]; m++) has_mark |= is_marked(rows[i].marks[m]);
    read_size(&rows[i], &launch);
    if (has_mark && (launch.variable || !rows[i].needs_size) && !is_passed_on(&rows[i])) return launch;
  }
  return (ls_launch){.launcher = LS_LAUNCHER_NONE};
}

const char *ls_launcher_name(ls_launcher launcher)
{
  return rows[launcher].name;
}

void ls_launcher_describe(ls_launcher launcher, ls_text *text)
{
  ls_text_add(text, "%s", rows[launcher].name);
  const char *job = getenv("SLURM_JOB_ID"), *nodes = getenv("SLURM_JOB_NUM_NODES");
  const char *list = getenv("SLURM_JOB_NODELIST");
  if (!job || !nodes || !list) return;
  ls_text_add(text, ", Slurm job %s on %s node%s (%s)", job, nodes, strcmp(nodes, "1") == 0 ? "" : "s", list);
}

void ls_launcher_warn_cores(ls_launcher launcher, size_t threads, size_t siblings, ls_text *text)
{
  const size_t of_core = ls_size_max(1, siblings), cores = ls_size_ceil_div(threads, of_core);
  rows[launcher].warn_cores(&(rank_needs){.cores = cores, .cpus = cores * of_core}, text);
}

void ls_launcher_warn_apart(const ls_launch *launch, size_t ranks, const char *library, ls_text *text)
{
  const row *launcher = &rows[launch->launcher];
  if (ranks != 1 || launch->processes <= 1) return;
  ls_text_add(text,
              "%s has started %zu processes (%s), but the MPI library of this program, %s, knows of 1: each "
              "would do the whole work by itself; try: ",
              launcher->name, launch->processes, launch->variable, library);
  if (launcher->remedy) ls_text_add(text, "%s, or ", launcher->remedy);
  ls_text_add(text, "the mpirun of %s; if each is to work by itself: env", library);
  for (size_t i = 0; i < MOST_SIZES && launcher->sizes[i]; i++)
    if (getenv(launcher->sizes[i])) ls_text_add(text, " -u %s", launcher->sizes[i]);
  ls_text_add(text, " lockstep ...");
}

/* ---- its process ---- */

/* What /proc/PID/status says of a process. */
typedef struct ancestor {
  char name[32];
  long parent; /* 0: there is none that can be seen */
} ancestor;

/* The value of a line "Name:\tvalue"; NULL: it is of another name. */
static const char *value_of(const char *line, const char *name)
{
  const size_t length = strlen(name);
  if (strncmp(line, name, length) != 0 || line[length] != ':') return NULL;
  return line + length + 1 + strspn(line + length + 1, " \t");
}

static ancestor read_ancestor(const char *proc, long pid)
{
  char path[256], line[LINE_CHARS];
  ancestor found = {.parent = 0};
  snprintf(path, sizeof path, "%s/%ld/status", proc, pid);
  FILE *file = fopen(path, "r");
  while (file && fgets(line, sizeof line, file)) {
    const char *name = value_of(line, "Name"), *parent = value_of(line, "PPid");
    if (name) snprintf(found.name, sizeof found.name, "%.*s", (int)strcspn(name, "\n"), name);
    if (parent) found.parent = strtol(parent, NULL, 10);
  }
  if (file) fclose(file);
  return found;
}

/* The processes whose children ranks are, by the beginning of their names. */
static bool is_launcher(const char *name)
{
  static const char *const names[] = {"mpirun", "mpiexec", "orte", "prte", "hydra_", "slurmstepd"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (strncmp(name, names[i], strlen(names[i])) == 0) return true;
  return false;
}

/* Scripts and `timeout` may be in between. */
long ls_launcher_process(ls_launcher launcher, const char *proc, long pid)
{
  for (size_t i = 0; i < MOST_ANCESTORS; i++) {
    pid = read_ancestor(proc, pid).parent;
    if (pid <= 0) return 0;
    if (!ls_launcher_is_any(launcher) || is_launcher(read_ancestor(proc, pid).name)) return pid;
  }
  return 0;
}
