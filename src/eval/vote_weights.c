/* SPDX-License-Identifier: BSD-3-Clause */
/* Sums of the fit run over the samples in order, on one rank: they do not depend on the number of ranks. */
#include "eval/vote_weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "comm/gather.h"

enum { FIT_ROUNDS = 1000 };

static const double FIT_CHANGE = 1e-7; /* smaller changes of the weights end the fit */

/* ---- the fit ---- */

/* One round of expectation maximization: how much of each sample's label each member accounts for. Returns
 * the largest change. */
static double refine(double *weights, double *shares, const float *likelihoods, size_t samples,
                     size_t members)
{
  memset(shares, 0, members * sizeof *shares);
  for (size_t s = 0; s < samples; s++) {
    const float *own = likelihoods + s * members;
    double total = 1e-38;
    for (size_t m = 0; m < members; m++) total += weights[m] * (double)own[m];
    for (size_t m = 0; m < members; m++) shares[m] += weights[m] * (double)own[m] / total;
  }
  double change = 0;
  for (size_t m = 0; m < members; m++) {
    const double refined = shares[m] / (double)samples;
    change = fmax(change, fabs(refined - weights[m]));
    weights[m] = refined;
  }
  return change;
}

static void normalize(double *weights, size_t count)
{
  double sum = 0;
  for (size_t m = 0; m < count; m++) sum += weights[m];
  for (size_t m = 0; m < count; m++) weights[m] /= sum;
}

/* The logarithm of the likelihood is concave in the weights. */
ls_status ls_vote_weights_find(double *weights, const float *likelihoods, size_t samples, size_t members)
{
  double *shares;
  LS_PASS(ls_alloc(&shares, members, sizeof *shares, "the weights of an ensemble"));
  for (size_t m = 0; m < members; m++) weights[m] = 1.0 / (double)members;
  for (size_t round = 0; round < FIT_ROUNDS; round++)
    if (refine(weights, shares, likelihoods, samples, members) < FIT_CHANGE) break;
  normalize(weights, members);
  free(shares);
  return LS_OK;
}

/* ---- the likelihoods ---- */

/* A row: the sample's number, and the likelihoods [members]. */
typedef struct likelihoods {
  const ls_members *members;
  size_t row_bytes;
  unsigned char *mine; /* [samples of this rank] rows */
  unsigned char *all;  /* [samples] rows, on rank 0 */
} likelihoods;

static void visit(void *user, const ls_visit *seen)
{
  const likelihoods *self = user;
  const size_t classes = ls_members_classes(self->members);
  for (size_t s = 0; s < seen->microbatch.n; s++) {
    unsigned char *row = self->mine + (seen->first + s) * self->row_bytes;
    memcpy(row, &seen->microbatch.samples[s], sizeof(uint64_t));
    for (size_t m = 0; m < self->members->count; m++) {
      const float *p = ls_members_probabilities(self->members, seen->part, m) + s * classes;
      memcpy(row + sizeof(uint64_t) + m * sizeof *p, &p[seen->microbatch.labels[s]], sizeof *p);
    }
  }
}

static void take(void *user, size_t first, const void *rows, size_t count)
{
  const likelihoods *self = user;
  memcpy(self->all + first * self->row_bytes, rows, count * self->row_bytes);
}

static int by_sample(const void *a, const void *b)
{
  uint64_t x, y;
  memcpy(&x, a, sizeof x);
  memcpy(&y, b, sizeof y);
  return (x > y) - (x < y);
}

/* Rank 0. */
static ls_status find(const likelihoods *self, size_t samples, double *weights)
{
  const size_t members = self->members->count;
  float *values;
  qsort(self->all, samples, self->row_bytes, by_sample);
  LS_PASS(ls_alloc(&values, samples * members, sizeof *values, "the weights of an ensemble"));
  for (size_t s = 0; s < samples; s++)
    memcpy(values + s * members, self->all + s * self->row_bytes + sizeof(uint64_t),
           members * sizeof *values);
  const ls_status status = ls_vote_weights_find(weights, values, samples, members);
  free(values);
  return status;
}

/* Local. */
static ls_status allocate(likelihoods *self, size_t mine, size_t all)
{
  LS_PASS(ls_alloc(&self->mine, mine, self->row_bytes, "the weights of an ensemble"));
  return ls_alloc(&self->all, all, self->row_bytes, "the weights of an ensemble");
}

ls_status ls_vote_weights_fit(double *weights, ls_comm *comm, const ls_members *members,
                              const ls_loader *loader, ls_eval_split split)
{
  const bool is_root = ls_comm_rank(comm) == 0;
  const size_t mine = ls_loader_rank_samples(loader, split), samples = ls_loader_eval_count(loader, split);
  likelihoods self = {.members = members, .row_bytes = sizeof(uint64_t) + members->count * sizeof(float)};
  const ls_visitor visitor = {.user = &self, .visit = visit};
  ls_status status;
  LS_GO(ls_comm_agree(comm, allocate(&self, mine, is_root ? samples : 0)));
  ls_for_each_microbatch(members, loader, split, &visitor);
  LS_GO(ls_comm_gather_rows(comm, self.mine, mine, self.row_bytes, take, &self));
  LS_GO(ls_comm_agree(comm, is_root ? find(&self, samples, weights) : LS_OK));
  LS_GO(ls_comm_broadcast(comm, weights, members->count * sizeof *weights));
done:
  free(self.mine);
  free(self.all);
  return status;
}
