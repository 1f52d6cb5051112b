/* SPDX-License-Identifier: BSD-3-Clause */
/* Weights of the members of an ensemble, for a vote by their weighted mean probability. */
#ifndef LS_EVAL_VOTE_WEIGHTS_H
#define LS_EVAL_VOTE_WEIGHTS_H

#include <stddef.h>

#include "base/status.h"
#include "comm/comm.h"
#include "eval/forward.h"

/** The mixture of the largest likelihood: weights that add up to 1.
 *
 * @param[in]  likelihoods  [samples, members] probability of each sample's label
 * @param[out] weights      [members]
 *
 * Local. Errors: LS_E_MEMORY. */
ls_status ls_vote_weights_find(double *weights, const float *likelihoods, size_t samples,
                               size_t members) LS_CHECKED;

/** Fit them on the samples of a split; the same bits on each rank, and for any number of them. For each
 * sample rank 0 gets one number of each member.
 *
 * Collective. Errors: LS_E_MEMORY, LS_E_COMM. */
ls_status ls_vote_weights_fit(double *weights, ls_comm *comm, const ls_members *members,
                              const ls_loader *loader, ls_eval_split split) LS_CHECKED;

#endif
