/* SPDX-License-Identifier: BSD-3-Clause */
/* Which rank the others wait for: where each rank's time of a number of steps went. */
#ifndef LS_TRAIN_BALANCE_H
#define LS_TRAIN_BALANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "comm/comm.h"
#include "train/engine.h"

/** A rank's. */
typedef struct ls_load {
  ls_step_times times; /* sums over the steps */
  char host[64];
} ls_load;

typedef struct ls_balance {
  uint64_t steps;
  size_t ranks;
  ls_load *loads; /* [ranks] on rank 0, NULL elsewhere; owned */
} ls_balance;

/** A rank that is slower than the others. */
typedef struct ls_straggler {
  size_t rank;
  double busy_s;   /* its time for computing and updating */
  double ratio;    /* of that to the median of the other ranks; 1 if there are none */
  double waited_s; /* that the others have waited for it, in the mean */
  bool is_marked;  /* it costs the job more than a few percent, and a tenth of a second */
} ls_straggler;

/** Add the times of a step. */
void ls_step_times_add(ls_step_times *sum, const ls_step_times *step);

/** Gather the ranks' sums over `steps` steps. Released with ls_balance_fini(). Collective. Errors:
 * LS_E_MEMORY, LS_E_COMM. */
ls_status ls_balance_gather(ls_balance *out, ls_comm *comm, const ls_step_times *mine,
                            uint64_t steps) LS_CHECKED;
void ls_balance_fini(ls_balance *balance);

/** Seconds that a rank computed and updated. Rank 0, as those below. */
double ls_balance_busy_s(const ls_balance *balance, size_t rank);

/** Seconds that a rank waited for slower ones: its time for reductions beyond the least of any rank, which
 * had to wait for none. */
double ls_balance_waited_s(const ls_balance *balance, size_t rank);

/** The rank that was busy longest. Errors: LS_E_MEMORY. */
ls_status ls_balance_slowest(const ls_balance *balance, ls_straggler *out) LS_CHECKED;

#endif
