/* SPDX-License-Identifier: BSD-3-Clause */
/* Which group of ranks trains which member of an ensemble. */
#ifndef LS_TRAIN_MEMBERS_H
#define LS_TRAIN_MEMBERS_H

#include <stddef.h>

#include "base/status.h"

/** Give each member to the group that would be done with it first, the most expensive member first.
 * Source: Graham: "Bounds on multiprocessing timing anomalies", SIAM J. Appl. Math. 17(2), 1969 (longest
 * processing time first).
 *
 * @param[in]  costs     [members] work of each, in any unit, positive
 * @param[in]  sizes     [groups] ranks of each group, positive: the speed at which it works
 * @param[out] group_of  [members]
 * @param[out] order     [members] members in the order in which they were given away; each group trains its
 * own in this order Local. Errors: LS_E_MEMORY.
 */
ls_status ls_members_deal(const double *costs, size_t members, const size_t *sizes, size_t groups,
                          size_t *group_of, size_t *order) LS_CHECKED;

#endif
