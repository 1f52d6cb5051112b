/* SPDX-License-Identifier: BSD-3-Clause */
#include "comm/groups.h"

#include <stdlib.h>
#include <time.h>

#include "base/memory.h"
#include "base/size.h"
#include "comm/internal.h"

enum { NAP_NS = 1000000 }; /* of a rank that rests */

static const char doing[] = "dealing the ranks to groups";

/* A host while groups are dealt. */
typedef struct host {
  size_t ranks, seen;         /* that it has; that have been gone over */
  size_t first_group, groups; /* its groups, where there are as many as hosts; or the one it belongs to */
} host;

/* The host with the most ranks per group, if it got one more. */
static size_t neediest(const host *hosts, size_t count)
{
  size_t best = 0;
  for (size_t h = 1; h < count; h++)
    if (hosts[h].ranks * (hosts[best].groups + 1) > hosts[best].ranks * (hosts[h].groups + 1)) best = h;
  return best;
}

/* Source of the rule: D'Hondt's method of highest averages. */
static void deal_groups(host *hosts, size_t count, size_t groups)
{
  for (size_t h = 0; h < count; h++) hosts[h].groups = 1;
  for (size_t g = count; g < groups; g++) hosts[neediest(hosts, count)].groups++;
  for (size_t h = 1; h < count; h++) hosts[h].first_group = hosts[h - 1].first_group + hosts[h - 1].groups;
}

static size_t largest_left(const host *hosts, size_t count)
{
  size_t best = count;
  for (size_t h = 0; h < count; h++)
    if (hosts[h].groups == 0 && (best == count || hosts[h].ranks > hosts[best].ranks)) best = h;
  return best;
}

/* Give the largest remaining host to the group with the fewest ranks. */
static void deal_hosts(host *hosts, size_t count, size_t groups, size_t *sizes)
{
  for (size_t i = 0; i < count; i++) {
    const size_t h = largest_left(hosts, count);
    size_t smallest = 0;
    for (size_t g = 1; g < groups; g++)
      if (sizes[g] < sizes[smallest]) smallest = g;
    hosts[h].first_group = smallest;
    hosts[h].groups = 1;
    sizes[smallest] += hosts[h].ranks;
  }
}

static size_t group_of_next(host *of_rank)
{
  const size_t k = of_rank->seen++;
  size_t part = 0;
  while (ls_part_first(of_rank->ranks, of_rank->groups, part + 1) <= k) part++;
  return of_rank->first_group + part;
}

ls_status ls_groups_plan(const size_t *host_of, size_t ranks, size_t hosts, size_t groups, size_t *group_of)
{
  host *plan = NULL;
  size_t *sizes = NULL;
  ls_status status;
  LS_GO(ls_alloc(&plan, hosts, sizeof *plan, "groups of ranks"));
  LS_GO(ls_alloc(&sizes, groups, sizeof *sizes, "groups of ranks"));
  for (size_t r = 0; r < ranks; r++) plan[host_of[r]].ranks++;
  if (groups >= hosts)
    deal_groups(plan, hosts, groups);
  else
    deal_hosts(plan, hosts, groups, sizes);
  for (size_t r = 0; r < ranks; r++) group_of[r] = group_of_next(&plan[host_of[r]]);
done:
  free(plan);
  free(sizes);
  return status;
}

/* Number the hosts in the order of their first ranks: host_of[rank] is that rank, then its number. */
static size_t number_hosts(size_t *host_of, size_t ranks)
{
  size_t hosts = 0;
  for (size_t r = 0; r < ranks; r++) host_of[r] = host_of[r] == r ? hosts++ : host_of[host_of[r]];
  return hosts;
}

/* host_of[rank]: the lowest rank of its host. Collective. */
static ls_status find_hosts(ls_comm *comm, uint64_t *host_of)
{
  MPI_Comm neighbours;
  int first = comm->rank;
  LS_PASS(LS_COMM_WAIT(
      comm, MPI_Comm_split_type(comm->handle, MPI_COMM_TYPE_SHARED, comm->rank, MPI_INFO_NULL, &neighbours),
      doing));
  const ls_status status = LS_COMM_WAIT(comm, MPI_Bcast(&first, 1, MPI_INT, 0, neighbours), doing);
  MPI_Comm_free(&neighbours);
  LS_PASS(status);
  host_of[comm->rank] = (uint64_t)first;
  return ls_comm_sum_u64(comm, host_of, (size_t)comm->size);
}

/* MPI_UNDEFINED for a color: the rank is in no group. Collective. */
static ls_status split(ls_comm *group, const ls_comm *comm, int color)
{
  LS_PASS(LS_COMM_WAIT(comm, MPI_Comm_split(comm->handle, color, comm->rank, &group->handle), doing));
  group->activity = comm->activity;
  if (group->handle == MPI_COMM_NULL) return LS_OK;
  LS_PASS(ls_comm_check(MPI_Comm_set_errhandler(group->handle, MPI_ERRORS_RETURN), doing));
  LS_PASS(ls_comm_check(MPI_Comm_rank(group->handle, &group->rank), doing));
  return ls_comm_check(MPI_Comm_size(group->handle, &group->size), doing);
}

_Static_assert(sizeof(size_t) == sizeof(uint64_t), "ranks are summed as the one and used as the other");

ls_status ls_comm_group(ls_comm **out, ls_comm *comm, size_t groups, size_t *group_of)
{
  const size_t ranks = (size_t)comm->size;
  size_t *host_of = NULL;
  ls_comm *group = NULL;
  ls_status status;
  LS_GO(ls_comm_agree(comm, ls_alloc(&host_of, ranks, sizeof *host_of, "groups of ranks")));
  LS_GO(ls_comm_agree(comm, ls_alloc(&group, 1, sizeof *group, "a group of ranks")));
  LS_GO(find_hosts(comm, host_of));
  const size_t hosts = number_hosts(host_of, ranks);
  LS_GO(ls_comm_agree(comm, ls_groups_plan(host_of, ranks, hosts, groups, group_of)));
  LS_GO(split(group, comm, (int)group_of[comm->rank]));
  *out = group;
  group = NULL;
done:
  free(host_of);
  free(group);
  return status;
}

/* How many ranks come before this one when those of a host come before those of the next; *hosts: of the
 * first `count` of them. */
static size_t find_position(const size_t *host_of, const ls_comm *comm, size_t count, size_t *hosts)
{
  const size_t ranks = (size_t)comm->size, rank = (size_t)comm->rank, mine = host_of[rank];
  size_t position = 0, seen = 0;
  for (size_t r = 0; r < ranks; r++) position += host_of[r] < mine || (host_of[r] == mine && r < rank);
  for (*hosts = 0; seen < count; ++*hosts)
    for (size_t r = 0; r < ranks; r++) seen += host_of[r] == *hosts;
  return position;
}

ls_status ls_comm_first(ls_comm **out, ls_comm *comm, size_t count, size_t *hosts)
{
  const size_t ranks = (size_t)comm->size;
  size_t *host_of = NULL;
  ls_comm *group = NULL;
  ls_status status;
  *out = NULL;
  LS_GO(ls_comm_agree(comm, ls_alloc(&host_of, ranks, sizeof *host_of, "the first ranks")));
  LS_GO(ls_comm_agree(comm, ls_alloc(&group, 1, sizeof *group, "the first ranks")));
  LS_GO(find_hosts(comm, host_of));
  number_hosts(host_of, ranks);
  const bool takes_part = find_position(host_of, comm, count, hosts) < count;
  LS_GO(split(group, comm, takes_part ? 0 : MPI_UNDEFINED));
  if (takes_part) *out = group;
  if (takes_part) group = NULL;
done:
  free(host_of);
  free(group);
  return status;
}

ls_status ls_comm_rest(ls_comm *comm)
{
  static const char resting[] = "waiting for the ranks that work";
  MPI_Request request;
  int is_done = 0;
  LS_PASS(ls_comm_check(MPI_Ibarrier(comm->handle, &request), resting));
  ls_activity_rest(comm->activity, resting);
  while (!is_done) {
    const struct timespec nap = {.tv_nsec = NAP_NS};
    LS_PASS(ls_comm_check(MPI_Test(&request, &is_done, MPI_STATUS_IGNORE), resting));
    if (!is_done) nanosleep(&nap, NULL);
  }
  ls_activity_work(comm->activity);
  return LS_OK;
}

void ls_comm_close(ls_comm *group)
{
  if (!group) return;
  MPI_Comm_free(&group->handle);
  free(group);
}

/* ---- jobs ---- */

/* By falling costs; of equal ones the first stays first. */
static void order_jobs(const double *costs, size_t jobs, size_t *order)
{
  for (size_t i = 0; i < jobs; i++) {
    size_t at = i;
    for (; at > 0 && costs[order[at - 1]] < costs[i]; at--) order[at] = order[at - 1];
    order[at] = i;
  }
}

ls_status ls_groups_deal(const double *costs, size_t jobs, const size_t *sizes, size_t groups,
                         size_t *group_of, size_t *order)
{
  double *loads;
  LS_PASS(ls_alloc(&loads, groups, sizeof *loads, "the groups' loads"));
  order_jobs(costs, jobs, order);
  for (size_t i = 0; i < jobs; i++) {
    const double cost = costs[order[i]];
    size_t best = 0;
    for (size_t g = 1; g < groups; g++)
      if ((loads[g] + cost) / (double)sizes[g] < (loads[best] + cost) / (double)sizes[best]) best = g;
    loads[best] += cost;
    group_of[order[i]] = best;
  }
  free(loads);
  return LS_OK;
}
