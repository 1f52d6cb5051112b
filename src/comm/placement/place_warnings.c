/* SPDX-License-Identifier: BSD-3-Clause */
/* What is wrong with the places of the ranks. Each trouble is a row: who has it, what it is, what to do. A
 * thousand ranks usually have the same one, so it is reported once, with the figures of the first of them. */
#include "comm/placement/place.h"

#include <stdlib.h>
#include <string.h>

#include "base/show.h"
#include "base/size.h"
#include "base/text.h"

typedef struct trouble {
  bool (*has)(const ls_place *place);
  const char *what;
  void (*report)(const ls_place *place, ls_text *lines); /* the figures of one rank, and the remedy */
} trouble;

/* Take away what leaves OpenMP a part of the cores: "unset OMP_PLACES". */
static void warn_unset(const ls_place *place, ls_text *lines)
{
  ls_text_add(lines, "unset %.*s", (int)strcspn(place->placing, "="), place->placing);
}

static bool has_shortage(const ls_place *place)
{
  return *place->shortage != '\0';
}

static void warn_shortage(const ls_place *place, ls_text *lines)
{
  ls_text_add(lines, "%s", place->shortage);
}

static bool has_too_many_threads(const ls_place *place)
{
  return place->threads > place->core_count;
}

/* More cores help only where the host has them. */
static void warn_too_many_threads(const ls_place *place, ls_text *lines)
{
  const size_t fair = ls_size_max(1, place->core_count / place->sharing);
  const size_t possible = ls_size_min(place->threads, place->host_cores);
  ls_text_add(lines, "%zu threads on %zu bound core%s (%s)", place->threads, place->core_count,
              ls_plural(place->core_count), place->cores);
  if (*place->placing) ls_text_show(lines, " by %s", place->placing);
  ls_text_add(lines, "; try: ");
  if (*place->placing)
    warn_unset(place, lines);
  else if (possible > place->core_count)
    ls_launcher_warn_cores(place->launcher, possible, place->siblings, lines);
  if (*place->placing || possible > place->core_count) ls_text_add(lines, ", or ");
  ls_text_add(lines, "OMP_NUM_THREADS=%zu", fair);
}

static bool is_crowded(const ls_place *place)
{
  return place->sharing > 1 && place->crowd_threads > place->core_count &&
         place->crowd_threads > place->threads;
}

static void warn_crowded(const ls_place *place, ls_text *lines)
{
  ls_text_add(lines,
              "%zu ranks share %zu core%s (%s), which %zu threads have to live on; try: ", place->sharing,
              place->core_count, ls_plural(place->core_count), place->cores, place->crowd_threads);
  if (*place->placing)
    warn_unset(place, lines);
  else if (place->host_ranks * place->threads <= place->host_cores)
    ls_launcher_warn_cores(place->launcher, place->threads, place->siblings, lines);
  else
    ls_text_add(
        lines,
        "fewer ranks or threads, the host has %zu core%s; or OMP_WAIT_POLICY=passive, so that threads that "
        "wait leave the cores to the others",
        place->host_cores, ls_plural(place->host_cores));
}

static bool is_pinned_together(const ls_place *place)
{
  return place->is_pinned && place->sharing > 1 && !is_crowded(place);
}

static void warn_pinned_together(const ls_place *place, ls_text *lines)
{
  ls_text_add(lines,
              "%zu ranks share the cores %s, and OpenMP pins the threads of each to the first of them; try: ",
              place->sharing, place->cores);
  if (*place->placing)
    warn_unset(place, lines);
  else
    ls_text_add(lines, "unset OMP_PROC_BIND");
  ls_text_add(lines, ", or ");
  ls_launcher_warn_cores(place->launcher, place->threads, place->siblings, lines);
}

static bool is_over_quota(const ls_place *place)
{
  return place->quota > 0.0 && (double)place->quota_threads > place->quota;
}

/* A rank has at least one thread. */
static void warn_over_quota(const ls_place *place, ls_text *lines)
{
  const double fair = place->quota / (double)place->quota_ranks;
  ls_text_add(
      lines,
      "%zu thread%s of this host's ranks under a CPU quota of %g CPU%s (cgroup): stopped for a part of "
      "the time; try: ",
      place->quota_threads, ls_plural(place->quota_threads), place->quota, place->quota == 1.0 ? "" : "s");
  if (fair >= 1.0) ls_text_add(lines, "OMP_NUM_THREADS=%zu, or ", (size_t)fair);
  if (place->quota_ranks > 1 && place->quota >= 1.0)
    ls_text_add(lines, "at most %zu rank%s, or ", (size_t)place->quota, ls_plural((size_t)place->quota));
  ls_text_add(lines, "a larger quota for the container (docker run --cpus=%zu)", place->quota_threads);
}

/* Cores for one more thread of each rank at least. Ranks that crowd a core have been reported where there are
 * more.
 */
static bool has_idle_cores(const ls_place *place)
{
  return !place->is_asked && !is_crowded(place) &&
         place->offered_cores >= place->used_cores + place->host_ranks;
}

static void warn_idle_cores(const ls_place *place, ls_text *lines)
{
  const size_t fair = place->offered_cores / place->host_ranks;
  ls_text_add(lines, "%zu thread%s on %zu bound core%s (%s)", place->threads, ls_plural(place->threads),
              place->core_count, ls_plural(place->core_count), place->cores);
  if (*place->placing) ls_text_show(lines, " by %s", place->placing);
  ls_text_add(lines,
              ", where %zu cores are there for the %zu rank%s of this host; try: ", place->offered_cores,
              place->host_ranks, ls_plural(place->host_ranks));
  if (*place->placing)
    warn_unset(place, lines);
  else
    ls_launcher_warn_cores(place->launcher, fair * ls_size_max(1, place->siblings), place->siblings, lines);
  ls_text_add(lines, "; or OMP_NUM_THREADS=%zu, if it is meant so", place->threads);
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

static void add_line(const trouble *row, const ls_place *places, size_t count, ls_text *lines)
{
  size_t having = 0, first = 0;
  for (size_t r = count; r-- > 0;) {
    if (!row->has(&places[r])) continue;
    having++;
    first = r;
  }
  if (having == 0) return;
  ls_text_show(lines, "%s (%zu of %zu rank%s, first rank %zu on %s): ", row->what, having, count,
               ls_plural(count), first, places[first].host);
  row->report(&places[first], lines);
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

size_t ls_place_hosts(const ls_place *places, size_t count)
{
  size_t hosts = 0;
  for (size_t r = 0; r < count; r++) {
    size_t before = 0;
    while (before < r && strcmp(places[before].host, places[r].host) != 0) before++;
    hosts += before == r;
  }
  return hosts;
}

/* Nodes that wait for nothing: of the step, which may be meant for a part of the job's. */
static void add_nodes_line(const ls_place *places, size_t count, ls_text *lines)
{
  static const char job[] = "SLURM_JOB_NUM_NODES", step[] = "SLURM_STEP_NUM_NODES";
  const char *variable = getenv(step) ? step : job, *text = getenv(variable);
  uint64_t nodes;
  if (!text || !ls_parse_count(text, &nodes)) return;
  const size_t hosts = ls_place_hosts(places, count);
  if (hosts >= nodes) return;
  ls_text_add(lines,
              "Slurm has %zu nodes for this job (%s), and the ranks are on %zu of them; try: srun "
              "--nodes=%zu, mpirun --map-by ppr:RANKS:node, or sbatch --nodes=%zu\n",
              (size_t)nodes, variable, hosts, (size_t)nodes, hosts);
}

void ls_place_warnings(const ls_place *places, size_t count, ls_text *lines)
{
  for (size_t i = 0; i < TROUBLES; i++) add_line(&troubles[i], places, count, lines);
  add_slurm_line(count, lines);
  add_nodes_line(places, count, lines);
}
