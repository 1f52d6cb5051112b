/* SPDX-License-Identifier: BSD-3-Clause */
/* Finding a rank's placement. The cores that count are those that the launcher gave to the process. With
 * OMP_PROC_BIND the OpenMP library has bound the master thread to one of them before main(), so the cores
 * that its places name belong to the process as well. */
#include "comm/placement/placement.h"

#include <errno.h>
#include <omp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/size.h"
#include "comm/placement/cores.h"
#include "comm/internal.h"
#include "comm/placement/quota.h"
#include "comm/team.h"
#include "comm/placement/topology.h"

/* The cores that the kernel lets a thread run on; 0 is this one. */
static bool find_bound_cores(pid_t thread, ls_cores *cores)
{
  *cores = (ls_cores){{0}};
  return sched_getaffinity(thread, sizeof cores->words, (cpu_set_t *)(void *)cores->words) == 0;
}

/* The cores of OpenMP's places; there are none unless it binds threads. */
static ls_status add_openmp_cores(ls_cores *cores)
{
  for (int place = 0; place < omp_get_num_places(); place++) {
    const int count = omp_get_place_num_procs(place);
    int *ids;
    if (count <= 0) continue;
    LS_PASS(ls_alloc(&ids, (size_t)count, sizeof *ids, "the cores of an OpenMP place"));
    omp_get_place_proc_ids(place, ids);
    for (int i = 0; i < count; i++)
      if (ids[i] >= 0) ls_cores_add(cores, (size_t)ids[i]);
    free(ids);
  }
  return LS_OK;
}

/* The first number of OMP_NUM_THREADS: the others are for nested regions, which we do not have. */
static ls_status read_wanted(size_t *wanted)
{
  const char *text = getenv("OMP_NUM_THREADS");
  if (!text) return LS_OK;
  char first[32];
  uint64_t count = 0;
  const int length = snprintf(first, sizeof first, "%.*s", (int)strcspn(text, ","), text);
  if ((size_t)length >= sizeof first || !ls_parse_count(first, &count) || count == 0 ||
      count > LS_THREADS_LIMIT)
    return ls_fail(LS_E_INPUT,
                   "OMP_NUM_THREADS is '%s', a count from 1 to %d is expected; "
                   "try: unset OMP_NUM_THREADS, and the bound cores decide",
                   text, LS_THREADS_LIMIT);
  *wanted = (size_t)count;
  return LS_OK;
}

/* Other variables of OpenMP that are numbers. OpenMP ignores one that it cannot read, with or without a
 * message. */
static ls_status check_limits(void)
{
  static const struct {
    const char *variable;
    uint64_t least;
  } limits[] = {{"OMP_THREAD_LIMIT", 1}, {"OMP_MAX_ACTIVE_LEVELS", 0}};
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    const char *text = getenv(limits[i].variable);
    uint64_t count;
    if (text && (!ls_parse_count(text, &count) || count < limits[i].least))
      return ls_fail(LS_E_INPUT, "%s is '%s', a count from %d is expected; try: unset %s", limits[i].variable,
                     text, (int)limits[i].least, limits[i].variable);
  }
  return LS_OK;
}

/* Places that are all cores, whatever they are grouped by. */
static bool is_everything(const char *places)
{
  static const char *const words[] = {"threads", "cores", "sockets", "ll_caches", "numa_domains"};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (strcmp(places, words[i]) == 0) return true;
  return false;
}

/* The variable that gives OpenMP's places, if they may be a part of the cores. */
static void find_omp_binding(char *omp_binding, size_t bytes)
{
  static const char *const variables[] = {"OMP_PLACES", "GOMP_CPU_AFFINITY"};
  for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
    const char *value = getenv(variables[i]);
    if (!value || is_everything(value)) continue;
    snprintf(omp_binding, bytes, "%s=%s", variables[i], value);
    return;
  }
}

/* The cores of OpenMP's threads. By OMP_PROC_BIND=master (or primary) all of them are in the first one's
 * place, where it is bound already. Local. */
static ls_status look_at_binding(ls_placement *placement, ls_core_request *request)
{
  const omp_proc_bind_t binding = omp_get_proc_bind();
  placement->is_pinned = binding != omp_proc_bind_false;
  if (binding == omp_proc_bind_master) {
    const char *value = getenv("OMP_PROC_BIND");
    snprintf(placement->omp_binding, sizeof placement->omp_binding, "OMP_PROC_BIND=%s",
             value ? value : "master");
    return LS_OK;
  }
  if (!placement->is_pinned) return LS_OK;
  find_omp_binding(placement->omp_binding, sizeof placement->omp_binding);
  return add_openmp_cores(&request->cores);
}

/* A number of Slurm's; 0: there is none. */
static size_t read_slurm(const char *variable)
{
  const char *text = getenv(variable);
  uint64_t count;
  return text && ls_parse_count(text, &count) ? (size_t)count : 0;
}

/* Has Slurm bound this rank to as many cores as --cpus-per-task says? It takes whole ones. */
static bool is_as_asked(const ls_placement *placement)
{
  return ls_size_ceil_div(read_slurm("SLURM_CPUS_PER_TASK"), placement->siblings) ==
         ls_size_ceil_div(placement->core_count, placement->siblings);
}

/* How many cores the launcher had for this host's ranks: those that it may use itself, of which Slurm may
 * have allotted a part. Not known where only the user has bound the ranks. */
static void find_offer(ls_placement *placement)
{
  ls_cores cores;
  placement->siblings = ls_topology_siblings();
  if (!ls_launcher_is_any(placement->launcher) && !*placement->omp_binding) return;
  const long process = ls_launcher_process(placement->launcher, "/proc", (long)getpid());
  if (process > 0 && find_bound_cores((pid_t)process, &cores))
    placement->offered_cores = ls_topology_cores(&cores);
  const size_t allotted = read_slurm("SLURM_CPUS_ON_NODE") / placement->siblings;
  const bool is_seen = placement->offered_cores > 0, allots = ls_launcher_allots(placement->launcher);
  if (allotted > 0 && (is_seen ? allotted < placement->offered_cores : allots))
    placement->offered_cores = allotted;
  if (allots) placement->is_asked |= is_as_asked(placement);
}

/* Find everything that this rank can see by itself. Local. */
static ls_status look(ls_placement *placement, ls_core_request *request)
{
  if (gethostname(placement->host, sizeof placement->host - 1) != 0 && errno != ENAMETOOLONG)
    return ls_fail(LS_E_IO, "cannot find the name of this host: %s", strerror(errno));
  if (!find_bound_cores(0, &request->cores))
    return ls_fail(LS_E_IO, "cannot find the cores that this process may use: %s", strerror(errno));
  LS_PASS(look_at_binding(placement, request));
  LS_PASS(read_wanted(&request->wanted));
  LS_PASS(check_limits());
  placement->core_count = ls_cores_count(&request->cores);
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  placement->host_cores = online > 0 ? (size_t)online : placement->core_count;
  ls_cores_list(&request->cores, placement->cores, sizeof placement->cores);
  placement->is_asked = request->wanted > 0;
  request->quota_count = ls_quota_find("", request->quotas);
  find_offer(placement);
  return LS_OK;
}

/* Set the members that the comparison of requests gives. Local. */
static void compare(ls_placement *placement, const ls_core_request *requests, size_t count, size_t mine)
{
  const ls_core_share share = ls_core_share_of(requests, count, mine);
  ls_cores used = {{0}};
  for (size_t r = 0; r < count; r++)
    for (size_t i = 0; i < LS_CORES_WORDS; i++) used.words[i] |= requests[r].cores.words[i];
  placement->host_ranks = count;
  placement->threads = share.threads;
  placement->sharing = share.sharing;
  placement->crowd_threads = share.crowd_threads;
  placement->is_by_quota = share.is_by_quota;
  placement->quota = share.quota;
  placement->quota_threads = share.quota_threads;
  placement->quota_ranks = share.quota_ranks;
  placement->used_cores = ls_topology_cores(&used);
  if (placement->quota > 0.0 && placement->quota < (double)placement->offered_cores)
    placement->offered_cores = (size_t)placement->quota;
}

/* Compare requests with the other ranks on this host. Collective. */
static ls_status meet(ls_comm *comm, MPI_Comm host, const ls_core_request *request, ls_placement *placement)
{
  static const char doing[] = "meeting the ranks on this host";
  int size, rank;
  LS_PASS(ls_comm_check(MPI_Comm_size(host, &size), doing));
  LS_PASS(ls_comm_check(MPI_Comm_rank(host, &rank), doing));
  ls_core_request *requests = NULL;
  ls_status status;
  LS_GO(ls_comm_agree(
      comm, ls_alloc(&requests, (size_t)size, sizeof *requests, "the cores of the ranks on this host")));
  LS_GO(LS_COMM_WAIT(
      comm,
      MPI_Allgather(request, (int)sizeof *request, MPI_BYTE, requests, (int)sizeof *request, MPI_BYTE, host),
      doing));
  compare(placement, requests, (size_t)size, (size_t)rank);
done:
  free(requests);
  return status;
}

ls_status ls_placement_look(ls_comm *comm, ls_placement *placement)
{
  *placement = (ls_placement){.threads = 1, .launcher = comm->launch.launcher};
  ls_core_request request = {.wanted = 0};
  LS_AGREE(comm, look(placement, &request));
  MPI_Comm host;
  LS_PASS(LS_COMM_WAIT(
      comm, MPI_Comm_split_type(comm->handle, MPI_COMM_TYPE_SHARED, comm->rank, MPI_INFO_NULL, &host),
      "finding the ranks on this host"));
  ls_status status = meet(comm, host, &request, placement);
  if (status != LS_E_COMM) MPI_Comm_free(&host);
  LS_PASS(status);
  ls_team_shortage(placement->threads, placement->shortage, sizeof placement->shortage);
  return LS_OK;
}

ls_status ls_placement_find(ls_comm *comm, ls_placement *placement)
{
  LS_PASS(ls_placement_look(comm, placement));
  return ls_comm_agree(comm, *placement->shortage ? ls_fail(LS_E_INPUT, "%s", placement->shortage) : LS_OK);
}

ls_status ls_placement_gather(ls_comm *comm, const ls_placement *mine, ls_placement **all)
{
  ls_placement *placements = NULL;
  ls_status status;
  LS_GO(ls_comm_agree(comm, comm->rank == 0 ? ls_alloc(&placements, (size_t)comm->size, sizeof *placements,
                                                       "the placements of the ranks")
                                            : LS_OK));
  LS_GO(ls_comm_gather(comm, mine, sizeof *mine, placements));
done:
  if (status != LS_OK) {
    free(placements);
    placements = NULL;
  }
  *all = placements;
  return status;
}
