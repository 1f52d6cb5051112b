/* SPDX-License-Identifier: BSD-3-Clause */
/* No clock is compared with another rank's. All ranks leave a reduction together, so the rank that spends the
 * least time in it came last, and the others' time beyond that is waiting. */
#include "train/balance.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/quantile.h"

static const double MARKED_RATIO = 1.1, MARKED_SHARE = 0.05; /* of the steps' time */
static const double LEAST_WAIT_S = 0.1;                      /* less is the noise of a short run */

void ls_step_times_add(ls_step_times *sum, const ls_step_times *step)
{
  sum->compute_s += step->compute_s;
  sum->reduction_s += step->reduction_s;
  sum->update_s += step->update_s;
}

ls_status ls_balance_gather(ls_balance *out, ls_comm *comm, const ls_step_times *mine, uint64_t steps)
{
  const size_t ranks = (size_t)ls_comm_size(comm);
  ls_load load = {.times = *mine};
  *out = (ls_balance){.steps = steps, .ranks = ranks};
  if (gethostname(load.host, sizeof load.host - 1) != 0) load.host[0] = '\0';
  LS_ROOT(comm, ls_alloc(&out->loads, ranks, sizeof *out->loads, "the times of the ranks"));
  return ls_comm_gather(comm, &load, sizeof load, out->loads);
}

void ls_balance_fini(ls_balance *balance)
{
  free(balance->loads);
  balance->loads = NULL;
}

double ls_balance_busy_s(const ls_balance *balance, size_t rank)
{
  return balance->loads[rank].times.compute_s + balance->loads[rank].times.update_s;
}

double ls_balance_waited_s(const ls_balance *balance, size_t rank)
{
  double least_s = balance->loads[0].times.reduction_s;
  for (size_t r = 1; r < balance->ranks; r++) least_s = fmin(least_s, balance->loads[r].times.reduction_s);
  return balance->loads[rank].times.reduction_s - least_s;
}

ls_status ls_balance_slowest(const ls_balance *balance, ls_straggler *out)
{
  const size_t others = balance->ranks - 1;
  double *busy_s;
  *out = (ls_straggler){.ratio = 1.0};
  for (size_t r = 1; r < balance->ranks; r++)
    if (ls_balance_busy_s(balance, r) > ls_balance_busy_s(balance, out->rank)) out->rank = r;
  out->busy_s = ls_balance_busy_s(balance, out->rank);
  if (others == 0 || out->busy_s <= 0.0) return LS_OK;
  LS_PASS(ls_alloc(&busy_s, others, sizeof *busy_s, "the times of the ranks"));
  size_t count = 0;
  for (size_t r = 0; r < balance->ranks; r++) {
    if (r == out->rank) continue;
    busy_s[count++] = ls_balance_busy_s(balance, r);
    out->waited_s += ls_balance_waited_s(balance, r) / (double)others;
  }
  out->ratio = out->busy_s / ls_quantile(busy_s, count, 0.5);
  const double all_s = out->busy_s + balance->loads[out->rank].times.reduction_s;
  out->is_marked =
      out->ratio > MARKED_RATIO && out->waited_s > MARKED_SHARE * all_s && out->waited_s >= LEAST_WAIT_S;
  free(busy_s);
  return LS_OK;
}
