/* SPDX-License-Identifier: BSD-3-Clause */
/* Warnings about the placements of the ranks. Each trouble is a row: which ranks have it, its name, and the
 * remedy. A thousand ranks usually have the same one, so it is reported once, with the figures of the first
 * of them.
 */
#include "comm/placement/placement.h"

#include <stdlib.h>
#include <string.h>

#include "base/show.h"
#include "base/size.h"
#include "base/text.h"

typedef struct trouble {
  bool (*has)(const ls_placement *placement);
  const char *what;
  void (*report)(const ls_placement *placement, ls_text *lines); /* the figures of one rank, and the remedy */
} trouble;

/* Take away what leaves OpenMP a part of the cores: "unset OMP_PLACES". */
static void warn_unset(const ls_placement *placement, ls_text *lines)
{
  ls_text_add(lines, "unset %.*s", (int)strcspn(placement->omp_binding, "="), placement->omp_binding);
}

static bool has_shortage(const ls_placement *placement)
{
  return *placement->shortage != '\0';
}

static void warn_shortage(const ls_placement *placement, ls_text *lines)
{
  ls_text_add(lines, "%s", placement->shortage);
}

static bool has_too_many_threads(const ls_placement *placement)
{
  return placement->threads > placement->core_count;
}

/* More cores help only where the host has them. */
static void warn_too_many_threads(const ls_placement *placement, ls_text *lines)
{
  const size_t fair = ls_size_max(1, placement->core_count / placement->sharing);
  const size_t possible = ls_size_min(placement->threads, placement->host_cores);
  ls_text_add(lines, "%zu threads on %zu bound core%s (%s)", placement->threads, placement->core_count,
              ls_plural(placement->core_count), placement->cores);
  if (*placement->omp_binding) ls_text_show(lines, " by %s", placement->omp_binding);
  ls_text_add(lines, "; try: ");
  if (*placement->omp_binding)
    warn_unset(placement, lines);
  else if (possible > placement->core_count)
    ls_launcher_warn_cores(placement->launcher, possible, placement->siblings, lines);
  if (*placement->omp_binding || possible > placement->core_count) ls_text_add(lines, ", or ");
  ls_text_add(lines, "OMP_NUM_THREADS=%zu", fair);
}

static bool is_crowded(const ls_placement *placement)
{
  return placement->sharing > 1 && placement->crowd_threads > placement->core_count &&
         placement->crowd_threads > placement->threads;
}

static void warn_crowded(const ls_placement *placement, ls_text *lines)
{
  ls_text_add(
      lines, "%zu ranks share %zu core%s (%s), which %zu threads have to live on; try: ", placement->sharing,
      placement->core_count, ls_plural(placement->core_count), placement->cores, placement->crowd_threads);
  if (*placement->omp_binding)
    warn_unset(placement, lines);
  else if (placement->host_ranks * placement->threads <= placement->host_cores)
    ls_launcher_warn_cores(placement->launcher, placement->threads, placement->siblings, lines);
  else
    ls_text_add(
        lines,
        "fewer ranks or threads, the host has %zu core%s; or OMP_WAIT_POLICY=passive, so that threads that "
        "wait leave the cores to the others",
        placement->host_cores, ls_plural(placement->host_cores));
}

static bool is_pinned_together(const ls_placement *placement)
{
  return placement->is_pinned && placement->sharing > 1 && !is_crowded(placement);
}

static void warn_pinned_together(const ls_placement *placement, ls_text *lines)
{
  ls_text_add(lines,
              "%zu ranks share the cores %s, and OpenMP pins the threads of each to the first of them; try: ",
              placement->sharing, placement->cores);
  if (*placement->omp_binding)
    warn_unset(placement, lines);
  else
    ls_text_add(lines, "unset OMP_PROC_BIND");
  ls_text_add(lines, ", or ");
  ls_launcher_warn_cores(placement->launcher, placement->threads, placement->siblings, lines);
}

static bool is_over_quota(const ls_placement *placement)
{
  return placement->quota > 0.0 && (double)placement->quota_threads > placement->quota;
}

/* A rank has at least one thread. */
static void warn_over_quota(const ls_placement *placement, ls_text *lines)
{
  const double fair = placement->quota / (double)placement->quota_ranks;
  ls_text_add(
      lines,
      "%zu thread%s of this host's ranks under a CPU quota of %g CPU%s (cgroup): stopped for a part of "
      "the time; try: ",
      placement->quota_threads, ls_plural(placement->quota_threads), placement->quota,
      placement->quota == 1.0 ? "" : "s");
  if (fair >= 1.0) ls_text_add(lines, "OMP_NUM_THREADS=%zu, or ", (size_t)fair);
  if (placement->quota_ranks > 1 && placement->quota >= 1.0)
    ls_text_add(lines, "at most %zu rank%s, or ", (size_t)placement->quota,
                ls_plural((size_t)placement->quota));
  ls_text_add(lines, "a larger quota for the container (docker run --cpus=%zu)", placement->quota_threads);
}

/* Cores for one more thread of each rank at least. Ranks that crowd a core have been reported where there are
 * more.
 */
static bool has_idle_cores(const ls_placement *placement)
{
  return !placement->is_asked && !is_crowded(placement) &&
         placement->offered_cores >= placement->used_cores + placement->host_ranks;
}

static void warn_idle_cores(const ls_placement *placement, ls_text *lines)
{
  const size_t fair = placement->offered_cores / placement->host_ranks;
  ls_text_add(lines, "%zu thread%s on %zu bound core%s (%s)", placement->threads,
              ls_plural(placement->threads), placement->core_count, ls_plural(placement->core_count),
              placement->cores);
  if (*placement->omp_binding) ls_text_show(lines, " by %s", placement->omp_binding);
  ls_text_add(lines,
              ", where %zu cores are there for the %zu rank%s of this host; try: ", placement->offered_cores,
              placement->host_ranks, ls_plural(placement->host_ranks));
  if (*placement->omp_binding)
    warn_unset(placement, lines);
  else
    ls_launcher_warn_cores(placement->launcher, fair * ls_size_max(1, placement->siblings),
                           placement->siblings, lines);
  ls_text_add(lines, "; or OMP_NUM_THREADS=%zu, if it is meant so", placement->threads);
}

static const trouble troubles[] = {
    {.has = has_shortage, .what = "fewer threads than asked for", .report = warn_shortage},
    {.has = has_too_many_threads, .what = "more threads than cores", .report = warn_too_many_threads},
    {.has = is_crowded, .what = "several ranks share a core", .report = warn_crowded},
    {.has = is_pinned_together,
     .what = "threads of several ranks pinned to the same core",
     .report = warn_pinned_together},
    {.has = is_over_quota, .what = "more threads than CPUs of the container", .report = warn_over_quota},
    {.has = has_idle_cores, .what = "cores that are not used", .report = warn_idle_cores},
};
enum { TROUBLES = sizeof troubles / sizeof troubles[0] };

static void add_line(const trouble *row, const ls_placement *placements, size_t count, ls_text *lines)
{
  size_t having = 0, first = 0;
  for (size_t r = count; r-- > 0;) {
    if (!row->has(&placements[r])) continue;
    having++;
    first = r;
  }
  if (having == 0) return;
  ls_text_show(lines, "%s (%zu of %zu rank%s, first rank %zu on %s): ", row->what, having, count,
               ls_plural(count), first, placements[first].host);
  row->report(&placements[first], lines);
  ls_text_add(lines, "\n");
}

/* Slurm has several tasks for the job, and this process is by itself: `lockstep` in a batch script, without a
 * launcher. Tasks that srun has started apart from each other are another trouble
 * (comm/placement/launcher.h). */
static void add_slurm_line(size_t ranks, ls_text *lines)
{
  const char *text = getenv("SLURM_NTASKS");
  uint64_t tasks;
  if (ranks != 1 || getenv("SLURM_STEP_ID") || !text || !ls_parse_count(text, &tasks) || tasks <= 1) return;
  ls_text_add(
      lines,
      "Slurm has %s tasks for this job (SLURM_NTASKS), but the MPI world has 1 rank: tasks that do not know "
      "of "
      "each other do the whole work each; try: srun --mpi=pmix lockstep ..., or mpirun lockstep ...\n",
      text);
}

size_t ls_placement_hosts(const ls_placement *placements, size_t count)
{
  size_t hosts = 0;
  for (size_t r = 0; r < count; r++) {
    size_t before = 0;
    while (before < r && strcmp(placements[before].host, placements[r].host) != 0) before++;
    hosts += before == r;
  }
  return hosts;
}

/* Nodes without ranks: of the Slurm step, which may be meant for a part of the job's. */
static void add_nodes_line(const ls_placement *placements, size_t count, ls_text *lines)
{
  static const char job[] = "SLURM_JOB_NUM_NODES", step[] = "SLURM_STEP_NUM_NODES";
  const char *variable = getenv(step) ? step : job, *text = getenv(variable);
  uint64_t nodes;
  if (!text || !ls_parse_count(text, &nodes)) return;
  const size_t hosts = ls_placement_hosts(placements, count);
  if (hosts >= nodes) return;
  ls_text_add(lines,
              "Slurm has %zu nodes for this job (%s), and the ranks are on %zu of them; try: srun "
              "--nodes=%zu, mpirun --map-by ppr:RANKS:node, or sbatch --nodes=%zu\n",
              (size_t)nodes, variable, hosts, (size_t)nodes, hosts);
}

void ls_placement_warnings(const ls_placement *placements, size_t count, ls_text *lines)
{
  for (size_t i = 0; i < TROUBLES; i++) add_line(&troubles[i], placements, count, lines);
  add_slurm_line(count, lines);
  add_nodes_line(placements, count, lines);
}
