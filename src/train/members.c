/* SPDX-License-Identifier: BSD-3-Clause */
#include "train/members.h"

#include <stdlib.h>

#include "base/memory.h"

/* By falling costs; of equal ones the first stays first. */
static void order_members(const double *costs, size_t members, size_t *order)
{
  for (size_t i = 0; i < members; i++) {
    size_t at = i;
    for (; at > 0 && costs[order[at - 1]] < costs[i]; at--) order[at] = order[at - 1];
    order[at] = i;
  }
}

ls_status ls_members_deal(const double *costs, size_t members, const size_t *sizes, size_t groups,
                          size_t *group_of, size_t *order)
{
  double *loads;
  LS_PASS(ls_alloc(&loads, groups, sizeof *loads, "the groups' loads"));
  order_members(costs, members, order);
  for (size_t i = 0; i < members; i++) {
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
