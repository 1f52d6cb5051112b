/* SPDX-License-Identifier: BSD-3-Clause */
/* Ranks in groups that work side by side, such as the members of an ensemble. */
#ifndef LS_COMM_GROUPS_H
#define LS_COMM_GROUPS_H

#include "comm/comm.h"

/** Deal ranks to groups, of sizes as equal as can be without a group on two hosts if there are as many groups
 * as hosts, and of whole hosts if there are fewer.
 *
 * @param[in]  host_of   [ranks] host of each rank, from 0; ranks of a host need not be neighbours
 * @param[in]  hosts     number of hosts
 * @param[in]  groups    1 .. ranks
 * @param[out] group_of  [ranks] each below groups, none empty
 * Local. Errors: LS_E_MEMORY.
 */
ls_status ls_groups_plan(const size_t *host_of, size_t ranks, size_t hosts, size_t groups,
                         size_t *group_of) LS_CHECKED;

/** Give each job to the group that would be done with it first, the most expensive job first.
 * Source: Graham: "Bounds on multiprocessing timing anomalies", SIAM J. Appl. Math. 17(2), 1969 (longest
 * processing time first).
 *
 * @param[in]  costs     [jobs] work of each, in any unit, positive
 * @param[in]  sizes     [groups] ranks of each group, positive: the speed at which it works
 * @param[out] group_of  [jobs]
 * @param[out] order     [jobs] in the order in which they were given away; each group does its own in this
 *                       order
 * Local. Errors: LS_E_MEMORY.
 */
ls_status ls_groups_deal(const double *costs, size_t jobs, const size_t *sizes, size_t groups,
                         size_t *group_of, size_t *order) LS_CHECKED;

/** A communicator of this rank's group, released with ls_comm_close().
 *
 * @param[out] group_of  [size of comm] the group of each rank, the same on all
 * Collective. Errors: LS_E_MEMORY, LS_E_COMM.
 */
ls_status ls_comm_group(ls_comm **out, ls_comm *comm, size_t groups, size_t *group_of) LS_CHECKED;

/** A communicator of the first `count` ranks, those of a host before those of the next, rank 0 among them;
 * NULL on the others. Released with ls_comm_close().
 *
 * @param[in]  count  1 .. size of comm
 * @param[out] hosts  how many hosts these ranks are on, on all ranks
 * Collective. Errors: LS_E_MEMORY, LS_E_COMM.
 */
ls_status ls_comm_first(ls_comm **out, ls_comm *comm, size_t count, size_t *hosts) LS_CHECKED;

/** Wait for all ranks, asleep: the cores are free for those that others wait for. Wakes up within a
 * millisecond or two. Collective. Errors: LS_E_COMM. */
ls_status ls_comm_rest(ls_comm *comm) LS_CHECKED;

/** NULL is fine. Collective over the group. */
void ls_comm_close(ls_comm *group);

#endif
