/* SPDX-License-Identifier: BSD-3-Clause */
/* What each of several networks says of each sample of a split, brought together on rank 0. */
#ifndef LS_EVAL_VOTES_H
#define LS_EVAL_VOTES_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "comm/comm.h"
#include "data/loader.h"
#include "train/evaluate.h"

/** In the order of the samples in the file, whichever rank evaluated them. */
typedef struct ls_votes {
  size_t samples, members, classes;
  float *probabilities; /* [samples, members, classes]; owned */
  uint16_t *labels;     /* [samples]; owned */
} ls_votes;

/** Evaluate every member on this split; rank 0 gets the votes, the others nothing.
 *
 * Collective. Errors: LS_E_INPUT if the split has no samples; LS_E_MEMORY; LS_E_COMM. */
ls_status ls_votes_collect(ls_votes *out, ls_comm *comm, const ls_soft_vote *soft_vote,
                           const ls_loader *loader, ls_eval_split split) LS_CHECKED;
void ls_votes_fini(ls_votes *votes);

/** The probabilities of one member for one sample, [classes]. */
static inline const float *ls_votes_at(const ls_votes *votes, size_t sample, size_t member)
{
  return votes->probabilities + (sample * votes->members + member) * votes->classes;
}

#endif
