/* SPDX-License-Identifier: BSD-3-Clause */
/* The figures of an ensemble. All sums run over the samples in order, on one rank: they do not depend on the
 * number of ranks. */
#include "eval/ensemble.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { FIT_ROUNDS = 1000 };

static const double FIT_CHANGE = 1e-7; /* smaller changes of the weights end the fit */

/* p[classes] = sum over the members of weights * their probabilities. */
static void mix(const ls_votes *votes, size_t sample, const double *weights, double *p)
{
  memset(p, 0, votes->classes * sizeof *p);
  for (size_t m = 0; m < votes->members; m++) {
    const float *own = ls_votes_at(votes, sample, m);
    for (size_t k = 0; k < votes->classes; k++) p[k] += weights[m] * (double)own[k];
  }
}

static ls_calibration calibrate(const ls_votes *votes, const double *weights, double *p)
{
  ls_calibration calibration = {0};
  for (size_t s = 0; s < votes->samples; s++) {
    size_t class = 0;
    mix(votes, s, weights, p);
    for (size_t k = 1; k < votes->classes; k++)
      if (p[k] > p[class]) class = k;
    ls_calibration_add(&calibration, p, votes->classes, class, votes->labels[s]);
  }
  return calibration;
}

static size_t choice_of(const ls_votes *votes, size_t sample, size_t member)
{
  const float *p = ls_votes_at(votes, sample, member);
  size_t best = 0;
  for (size_t k = 1; k < votes->classes; k++)
    if (p[k] > p[best]) best = k;
  return best;
}

/* counts[classes] of a sample's votes, each with its class's mean probability, below 1, as a tie-break. */
static size_t majority(const ls_votes *votes, size_t sample, const double *weights, double *counts)
{
  size_t best = 0;
  mix(votes, sample, weights, counts);
  for (size_t k = 0; k < votes->classes; k++) counts[k] *= 0.5;
  for (size_t m = 0; m < votes->members; m++) counts[choice_of(votes, sample, m)] += 1;
  for (size_t k = 1; k < votes->classes; k++)
    if (counts[k] > counts[best]) best = k;
  return best;
}

static double hard_accuracy(const ls_votes *votes, const double *weights, double *counts)
{
  size_t correct = 0;
  for (size_t s = 0; s < votes->samples; s++)
    correct += majority(votes, s, weights, counts) == votes->labels[s];
  return (double)correct / (double)votes->samples;
}

static void compare(const ls_votes *votes, double *disagreement)
{
  const size_t members = votes->members;
  for (size_t s = 0; s < votes->samples; s++)
    for (size_t a = 0; a < members; a++)
      for (size_t b = 0; b < members; b++)
        disagreement[a * members + b] += choice_of(votes, s, a) != choice_of(votes, s, b);
  for (size_t i = 0; i < members * members; i++) disagreement[i] /= (double)votes->samples;
}

/* One round of expectation maximization: how much of each sample's label each member accounts for. Returns
 * the largest change. */
static double refine(const ls_votes *votes, double *weights, double *shares)
{
  memset(shares, 0, votes->members * sizeof *shares);
  for (size_t s = 0; s < votes->samples; s++) {
    double total = 1e-38;
    for (size_t m = 0; m < votes->members; m++)
      total += weights[m] * (double)ls_votes_at(votes, s, m)[votes->labels[s]];
    for (size_t m = 0; m < votes->members; m++)
      shares[m] += weights[m] * (double)ls_votes_at(votes, s, m)[votes->labels[s]] / total;
  }
  double change = 0;
  for (size_t m = 0; m < votes->members; m++) {
    const double refined = shares[m] / (double)votes->samples;
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

/* The mixture of the largest likelihood, whose logarithm is concave in the weights. */
static ls_status fit(ls_ensemble *ensemble, const ls_votes *held_out)
{
  double *shares;
  const size_t members = ensemble->members;
  LS_PASS(ls_alloc(&ensemble->weights, members, sizeof(double), "the weights of an ensemble"));
  LS_PASS(ls_alloc(&shares, members, sizeof *shares, "the weights of an ensemble"));
  for (size_t m = 0; m < members; m++) ensemble->weights[m] = 1.0 / (double)members;
  for (size_t round = 0; round < FIT_ROUNDS; round++)
    if (refine(held_out, ensemble->weights, shares) < FIT_CHANGE) break;
  normalize(ensemble->weights, members);
  free(shares);
  return LS_OK;
}

static ls_status work_out(ls_ensemble *ensemble, const ls_votes *votes, const ls_votes *held_out,
                          double *weights, double *p)
{
  const size_t members = votes->members;
  LS_PASS(ls_alloc(&ensemble->each, members, sizeof *ensemble->each, "an ensemble's figures"));
  LS_PASS(ls_alloc(&ensemble->disagreement, members * members, sizeof(double), "an ensemble's figures"));
  for (size_t m = 0; m < members; m++) {
    memset(weights, 0, members * sizeof *weights);
    weights[m] = 1;
    ensemble->each[m] = calibrate(votes, weights, p);
  }
  for (size_t m = 0; m < members; m++) weights[m] = 1.0 / (double)members;
  ensemble->soft = calibrate(votes, weights, p);
  ensemble->hard = hard_accuracy(votes, weights, p);
  compare(votes, ensemble->disagreement);
  if (!held_out) return LS_OK;
  LS_PASS(fit(ensemble, held_out));
  ensemble->fitted = calibrate(votes, ensemble->weights, p);
  return LS_OK;
}

ls_status ls_ensemble_new(ls_ensemble **out, const ls_votes *votes, const ls_votes *held_out)
{
  ls_ensemble *ensemble;
  double *weights = NULL, *p = NULL;
  ls_status status;
  LS_PASS(ls_alloc(&ensemble, 1, sizeof *ensemble, "an ensemble's figures"));
  ensemble->members = votes->members;
  LS_GO(ls_alloc(&weights, votes->members, sizeof *weights, "an ensemble's figures"));
  LS_GO(ls_alloc(&p, votes->classes, sizeof *p, "an ensemble's figures"));
  LS_GO(work_out(ensemble, votes, held_out, weights, p));
  *out = ensemble;
  ensemble = NULL;
done:
  free(weights);
  free(p);
  ls_ensemble_free(ensemble);
  return status;
}

void ls_ensemble_free(ls_ensemble *ensemble)
{
  if (!ensemble) return;
  free(ensemble->each);
  free(ensemble->weights);
  free(ensemble->disagreement);
  free(ensemble);
}

double ls_ensemble_mean_accuracy(const ls_ensemble *ensemble)
{
  double sum = 0;
  for (size_t m = 0; m < ensemble->members; m++) sum += ls_calibration_accuracy(&ensemble->each[m]);
  return sum / (double)ensemble->members;
}

double ls_ensemble_best_accuracy(const ls_ensemble *ensemble)
{
  double best = 0;
  for (size_t m = 0; m < ensemble->members; m++)
    best = fmax(best, ls_calibration_accuracy(&ensemble->each[m]));
  return best;
}

double ls_ensemble_disagreement(const ls_ensemble *ensemble)
{
  const double members = (double)ensemble->members;
  double sum = 0;
  for (size_t i = 0; i < ensemble->members * ensemble->members; i++) sum += ensemble->disagreement[i];
  return members > 1 ? sum / (members * (members - 1)) : 0;
}
