/* SPDX-License-Identifier: BSD-3-Clause */
/* The figures of an ensemble: of each member, and of three ways of voting. Nothing of a sample is kept. */
#include "eval/ensemble.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "nn/argmax.h"

/* Indices of the votes' calibrations, behind those of the members. */
enum { SOFT, FITTED, VOTE_COUNT };

/* The sums and the scratch memory of one thread. */
typedef struct thread_sums {
  ls_calibration *figures; /* [members + VOTE_COUNT] */
  uint64_t *counts;        /* [members, members] samples on which two decide differently; behind them those on
                              which the majority is right */
  double *p;               /* [classes] of one sample */
  size_t *choices;         /* [members] classes, of one sample */
} thread_sums;

struct ls_ensemble_sums {
  size_t members, classes, threads;
  double *even, *weights; /* [members]; weights NULL: there are none */
  thread_sums *parts;     /* [threads] */
};

static size_t count_words(const ls_ensemble_sums *sums)
{
  return sums->members * sums->members + 1;
}

static size_t figure_count(const ls_ensemble_sums *sums)
{
  return sums->members + VOTE_COUNT;
}

/* ---- one sample ---- */

/* The probabilities of one sample, and its class. */
typedef struct sample {
  const float *p;
  size_t stride;
  uint16_t label;
} sample;

/* p[classes] = sum over the members of weights * their probabilities. */
static void mix(const ls_ensemble_sums *sums, const sample *of, const double *weights, double *p)
{
  memset(p, 0, sums->classes * sizeof *p);
  for (size_t m = 0; m < sums->members; m++) {
    const float *own = of->p + m * of->stride;
    for (size_t k = 0; k < sums->classes; k++) p[k] += weights[m] * (double)own[k];
  }
}

static void calibrate(const ls_ensemble_sums *sums, const double *p, const sample *of,
                      ls_calibration *figures)
{
  ls_calibration_add(figures, p, sums->classes, ls_argmax_f64(p, sums->classes), of->label);
}

static void add_members(const ls_ensemble_sums *sums, thread_sums *thread, const sample *of)
{
  for (size_t m = 0; m < sums->members; m++) {
    const float *own = of->p + m * of->stride;
    for (size_t k = 0; k < sums->classes; k++) thread->p[k] = (double)own[k];
    calibrate(sums, thread->p, of, &thread->figures[m]);
    thread->choices[m] = ls_argmax_f32(own, sums->classes);
  }
}

static void compare(const ls_ensemble_sums *sums, thread_sums *thread)
{
  const size_t members = sums->members;
  for (size_t a = 0; a < members; a++)
    for (size_t b = 0; b < members; b++)
      thread->counts[a * members + b] += thread->choices[a] != thread->choices[b];
}

/* Votes for each class, and its mean probability, below 1, as a tie-break. */
static void add_majority(const ls_ensemble_sums *sums, thread_sums *thread, const sample *of)
{
  for (size_t k = 0; k < sums->classes; k++) thread->p[k] *= 0.5;
  for (size_t m = 0; m < sums->members; m++) thread->p[thread->choices[m]] += 1;
  thread->counts[sums->members * sums->members] += ls_argmax_f64(thread->p, sums->classes) == of->label;
}

void ls_ensemble_add(ls_ensemble_sums *sums, size_t part, const float *p, size_t stride, uint16_t label)
{
  thread_sums *thread = &sums->parts[part];
  ls_calibration *votes = thread->figures + sums->members;
  const sample of = {p, stride, label};
  add_members(sums, thread, &of);
  compare(sums, thread);
  if (sums->weights) {
    mix(sums, &of, sums->weights, thread->p);
    calibrate(sums, thread->p, &of, &votes[FITTED]);
  }
  mix(sums, &of, sums->even, thread->p);
  calibrate(sums, thread->p, &of, &votes[SOFT]);
  add_majority(sums, thread, &of);
}

void ls_ensemble_visit(ls_ensemble_sums *sums, const ls_members *members, const ls_visit *seen)
{
  const float *p = ls_members_probabilities(members, seen->part, 0);
  for (size_t s = 0; s < seen->microbatch.n; s++)
    ls_ensemble_add(sums, seen->part, p + s * sums->classes, members->microbatch * sums->classes,
                    seen->microbatch.labels[s]);
}

/* ---- the sums ---- */

static ls_status allocate(ls_ensemble_sums *sums, const double *weights)
{
  static const char what[] = "an ensemble's figures";
  LS_PASS(ls_alloc(&sums->even, sums->members, sizeof(double), what));
  for (size_t m = 0; m < sums->members; m++) sums->even[m] = 1.0 / (double)sums->members;
  if (weights) LS_PASS(ls_alloc(&sums->weights, sums->members, sizeof(double), what));
  if (weights) memcpy(sums->weights, weights, sums->members * sizeof(double));
  LS_PASS(ls_alloc(&sums->parts, sums->threads, sizeof *sums->parts, what));
  for (size_t t = 0; t < sums->threads; t++) {
    thread_sums *part = &sums->parts[t];
    LS_PASS(ls_alloc(&part->figures, figure_count(sums), sizeof *part->figures, what));
    LS_PASS(ls_alloc(&part->counts, count_words(sums), sizeof *part->counts, what));
    LS_PASS(ls_alloc(&part->p, sums->classes, sizeof *part->p, what));
    LS_PASS(ls_alloc(&part->choices, sums->members, sizeof *part->choices, what));
  }
  return LS_OK;
}

ls_status ls_ensemble_sums_new(ls_ensemble_sums **out, size_t members, size_t classes, size_t threads,
                               const double *weights)
{
  ls_ensemble_sums *sums;
  LS_PASS(ls_alloc(&sums, 1, sizeof *sums, "an ensemble's figures"));
  *sums = (ls_ensemble_sums){.members = members, .classes = classes, .threads = threads};
  const ls_status status = allocate(sums, weights);
  if (status == LS_OK)
    *out = sums;
  else
    ls_ensemble_sums_free(sums);
  return status;
}

void ls_ensemble_sums_free(ls_ensemble_sums *sums)
{
  if (!sums) return;
  for (size_t t = 0; sums->parts && t < sums->threads; t++) {
    free(sums->parts[t].figures);
    free(sums->parts[t].counts);
    free(sums->parts[t].p);
    free(sums->parts[t].choices);
  }
  free(sums->parts);
  free(sums->even);
  free(sums->weights);
  free(sums);
}

/* Those of all threads. */
static ls_calibration figure_of(const ls_ensemble_sums *sums, size_t i)
{
  ls_calibration figure = {0};
  for (size_t t = 0; t < sums->threads; t++) ls_calibration_merge(&figure, &sums->parts[t].figures[i]);
  return figure;
}

static uint64_t count_of(const ls_ensemble_sums *sums, size_t i)
{
  uint64_t count = 0;
  for (size_t t = 0; t < sums->threads; t++) count += sums->parts[t].counts[i];
  return count;
}

/* All become the first thread's. */
static void merge_threads(ls_ensemble_sums *sums)
{
  thread_sums *first = &sums->parts[0];
  for (size_t i = 0; i < figure_count(sums); i++) first->figures[i] = figure_of(sums, i);
  for (size_t i = 0; i < count_words(sums); i++) first->counts[i] = count_of(sums, i);
  for (size_t t = 1; t < sums->threads; t++) {
    memset(sums->parts[t].figures, 0, figure_count(sums) * sizeof(ls_calibration));
    memset(sums->parts[t].counts, 0, count_words(sums) * sizeof(uint64_t));
  }
}

ls_status ls_ensemble_reduce(ls_ensemble_sums *sums, ls_comm *comm)
{
  thread_sums *all = &sums->parts[0];
  const size_t words = sizeof(ls_calibration) / sizeof(uint64_t);
  merge_threads(sums);
  LS_PASS(ls_comm_sum_u64(comm, &all->figures->samples, figure_count(sums) * words));
  return ls_comm_sum_u64(comm, all->counts, count_words(sums));
}

/* ---- the figures ---- */

static ls_status work_out(ls_ensemble *ensemble, const ls_ensemble_sums *sums)
{
  static const char what[] = "an ensemble's figures";
  const size_t members = sums->members;
  ensemble->members = members;
  ensemble->soft = figure_of(sums, members + SOFT);
  const double samples = (double)ensemble->soft.samples;
  LS_PASS(ls_alloc(&ensemble->each, members, sizeof *ensemble->each, what));
  LS_PASS(ls_alloc(&ensemble->disagreement, members * members, sizeof(double), what));
  for (size_t m = 0; m < members; m++) ensemble->each[m] = figure_of(sums, m);
  ensemble->hard = (double)count_of(sums, members * members) / samples;
  for (size_t i = 0; i < members * members; i++)
    ensemble->disagreement[i] = (double)count_of(sums, i) / samples;
  if (!sums->weights) return LS_OK;
  ensemble->fitted = figure_of(sums, members + FITTED);
  LS_PASS(ls_alloc(&ensemble->weights, members, sizeof(double), what));
  memcpy(ensemble->weights, sums->weights, members * sizeof(double));
  return LS_OK;
}

ls_status ls_ensemble_new(ls_ensemble **out, const ls_ensemble_sums *sums)
{
  LS_PASS(ls_alloc(out, 1, sizeof **out, "an ensemble's figures"));
  const ls_status status = work_out(*out, sums);
  if (status == LS_OK) return LS_OK;
  ls_ensemble_free(*out);
  *out = NULL;
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
