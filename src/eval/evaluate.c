/* SPDX-License-Identifier: BSD-3-Clause */
/* Evaluation: a visitor makes a row of each sample and adds up integers, which are then summed over threads
 * and ranks. Rank 0 alone counts the confusion matrix from the rows. */
#include "eval/evaluate.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "comm/gather.h"
#include "eval/evaluate_outputs.h"
#include "eval/loss_total.h"
#include "eval/metrics/metrics.h"
#include "eval/vote_weights.h"
#include "nn/argmax.h"
#include "nn/loss.h"

/* All members are uint64_t, so ranks sum it word by word. */
typedef struct eval_sums {
  ls_loss_total loss;
  ls_calibration calibration;
} eval_sums;

_Static_assert(sizeof(eval_sums) % sizeof(uint64_t) == 0, "sums are words");

/* The sums and the scratch memory of one thread. */
typedef struct thread_sums {
  eval_sums sums;
  double *p; /* [classes] of one sample */
} thread_sums;

typedef struct eval_job {
  const ls_members *members;
  size_t classes;
  double loss_limit;    /* of a sample: the sum of all fits */
  thread_sums *threads; /* [threads] */
  ls_prediction *rows;  /* [samples of this rank] */
  size_t row_count;
  ls_ensemble_sums *ensemble; /* NULL: a single network */
} eval_job;

static ls_status allocate(eval_job *job)
{
  LS_PASS(ls_alloc(&job->rows, job->row_count, sizeof *job->rows, "the predictions"));
  LS_PASS(ls_alloc(&job->threads, job->members->threads, sizeof *job->threads, "the evaluation"));
  for (size_t t = 0; t < job->members->threads; t++)
    LS_PASS(ls_alloc(&job->threads[t].p, job->classes, sizeof(double), "probabilities"));
  return LS_OK;
}

static void release(eval_job *job)
{
  for (size_t t = 0; job->threads && t < job->members->threads; t++) free(job->threads[t].p);
  free(job->threads);
  free(job->rows);
}

/* ---- one sample ---- */

/* The kind that the (first) network is trained with. */
static const ls_loss *loss_of(const eval_job *job)
{
  return &job->members->items[0].network->loss;
}

static void soften(const float *logits, size_t classes, size_t best, double *p)
{
  double sum = 0;
  for (size_t k = 0; k < classes; k++) {
    p[k] = exp((double)logits[k] - (double)logits[best]);
    sum += p[k];
  }
  for (size_t k = 0; k < classes; k++) p[k] /= sum;
}

static ls_prediction count_sample(const eval_job *job, thread_sums *thread, const float *logits,
                                  uint16_t label, uint64_t sample)
{
  const ls_targets target = {.n = 1, .classes = job->classes, .labels = &label};
  const double loss = ls_loss_run(loss_of(job), logits, &target, 1.0, NULL).loss;
  const size_t class = ls_argmax_f32(logits, job->classes);
  ls_loss_total_add(&thread->sums.loss, loss, job->loss_limit);
  soften(logits, job->classes, class, thread->p);
  ls_calibration_add(&thread->sums.calibration, thread->p, job->classes, class, label);
  return (ls_prediction){
      .sample = sample, .probability = thread->p[class], .label = label, .class = (uint16_t) class};
}

static void visit(void *user, const ls_visit *seen)
{
  const eval_job *job = user;
  const ls_microbatch *microbatch = &seen->microbatch;
  for (size_t s = 0; s < microbatch->n; s++)
    job->rows[seen->first + s] = count_sample(job, &job->threads[seen->part], seen->logits + s * job->classes,
                                              microbatch->labels[s], microbatch->samples[s]);
  if (job->ensemble) ls_ensemble_visit(job->ensemble, job->members, seen);
}

/* ---- all of them ---- */

/* Sums of the members, with weights where there are samples to fit them on. Collective. */
static ls_status begin_ensemble(eval_job *job, ls_comm *comm, const ls_loader *loader, bool fits_weights)
{
  const size_t members = job->members->count;
  const bool is_fitted = fits_weights && ls_loader_eval_count(loader, LS_EVAL_VALIDATION) > 0;
  double *weights = NULL;
  ls_status status;
  LS_GO(ls_comm_agree(comm, ls_alloc(&weights, members, sizeof *weights, "the weights of an ensemble")));
  if (is_fitted) LS_GO(ls_vote_weights_fit(weights, comm, job->members, loader, LS_EVAL_VALIDATION));
  status = ls_comm_agree(comm, ls_ensemble_sums_new(&job->ensemble, members, job->classes,
                                                    job->members->threads, is_fitted ? weights : NULL));
done:
  free(weights);
  return status;
}

/* What rank 0 makes of the rows. */
static void take_rows(void *user, size_t first, const void *rows, size_t count)
{
  ls_evaluation *out = user;
  const ls_prediction *items = rows;
  for (size_t i = 0; i < count; i++) {
    out->metrics->confusion[items[i].label * out->metrics->classes + items[i].class]++;
    if (out->predictions.items) out->predictions.items[first + i] = items[i];
  }
}

static int by_sample(const void *a, const void *b)
{
  const ls_prediction *x = a, *y = b;
  return (x->sample > y->sample) - (x->sample < y->sample);
}

/* Rank 0. */
static ls_status make_room(ls_evaluation *out, size_t classes, size_t predictions)
{
  LS_PASS(ls_metrics_make(&out->metrics, LS_LABELS_CLASS, classes));
  if (predictions == 0) return LS_OK;
  out->predictions.count = predictions;
  return ls_alloc(&out->predictions.items, predictions, sizeof *out->predictions.items, "the predictions");
}

/* Collective. */
static ls_status reduce(const eval_job *job, ls_comm *comm, ls_evaluation *out)
{
  eval_sums sums = {.loss = {0}};
  for (size_t t = 0; t < job->members->threads; t++) {
    sums.loss.loss += job->threads[t].sums.loss.loss;
    sums.loss.infinite += job->threads[t].sums.loss.infinite;
    ls_calibration_merge(&sums.calibration, &job->threads[t].sums.calibration);
  }
  LS_PASS(ls_comm_sum_u64(comm, &sums.loss.loss, sizeof sums / sizeof(uint64_t)));
  const uint64_t samples = sums.calibration.samples;
  out->figures = (ls_evaluation_figures){.samples = samples,
                                         .correct = sums.calibration.correct,
                                         .loss = ls_loss_total_mean(&sums.loss, samples)};
  LS_PASS(ls_comm_gather_rows(comm, job->rows, job->row_count, sizeof *job->rows, take_rows, out));
  if (ls_comm_rank(comm) > 0) return LS_OK;
  const double nll =
      loss_of(job)->kind->is_log_likelihood ? out->figures.loss : ls_calibration_nll(&sums.calibration);
  ls_metrics_derive(out->metrics, out->figures.loss, nll, &sums.calibration);
  if (out->predictions.count > 0)
    qsort(out->predictions.items, out->predictions.count, sizeof *out->predictions.items, by_sample);
  return LS_OK;
}

static ls_status evaluate(eval_job *job, ls_comm *comm, const ls_loader *loader,
                          const ls_evaluation_options *options, ls_evaluation *out)
{
  const ls_visitor visitor = {.user = job, .visit = visit};
  const size_t predictions = options->predictions ? ls_loader_eval_count(loader, options->split) : 0;
  LS_ROOT(comm, make_room(out, job->classes, predictions));
  LS_AGREE(comm, allocate(job));
  if (job->members->count > 1) LS_PASS(begin_ensemble(job, comm, loader, options->fits_weights));
  ls_for_each_microbatch(job->members, loader, options->split, &visitor);
  LS_PASS(reduce(job, comm, out));
  if (!job->ensemble) return LS_OK;
  LS_PASS(ls_ensemble_reduce(job->ensemble, comm));
  return ls_comm_agree(comm,
                       ls_comm_rank(comm) == 0 ? ls_ensemble_new(&out->ensemble, job->ensemble) : LS_OK);
}

/* Of labels that are not classes. Collective. */
static ls_status evaluate_outputs(ls_evaluation *out, ls_comm *comm, const ls_members *members,
                                  const ls_loader *loader, const ls_evaluation_options *options)
{
  ls_output_evaluation made;
  LS_PASS(ls_evaluate_outputs(&made, comm, members, loader, options->split, options->predictions));
  out->figures = made.figures;
  out->metrics = made.metrics;
  out->outputs = made.outputs;
  return LS_OK;
}

ls_status ls_evaluate(ls_evaluation *out, ls_comm *comm, const ls_members *members, const ls_loader *loader,
                      const ls_evaluation_options *options)
{
  const size_t samples = ls_loader_eval_count(loader, options->split);
  *out = (ls_evaluation){.metrics = NULL};
  if (samples == 0) return ls_fail(LS_E_INPUT, "there are no samples to evaluate on");
  if (members->items[0].network->loss.kind->labels != LS_LABELS_CLASS)
    return evaluate_outputs(out, comm, members, loader, options);
  eval_job job = {.members = members,
                  .classes = ls_members_classes(members),
                  .row_count = ls_loader_rank_samples(loader, options->split),
                  .loss_limit = ls_loss_total_limit(samples)};
  const ls_status status = evaluate(&job, comm, loader, options, out);
  ls_ensemble_sums_free(job.ensemble);
  release(&job);
  if (status != LS_OK) ls_evaluation_fini(out);
  return status;
}

void ls_evaluation_fini(ls_evaluation *evaluation)
{
  ls_metrics_free(evaluation->metrics);
  ls_ensemble_free(evaluation->ensemble);
  free(evaluation->predictions.items);
  free(evaluation->outputs.rows);
  *evaluation = (ls_evaluation){.metrics = NULL};
}

ls_status ls_evaluate_network(const ls_evaluation_input *input, ls_evaluation_figures *figures,
                              ls_metrics **metrics)
{
  ls_member alone = {.network = input->network, .workspaces = input->workspaces};
  const ls_members members = {.items = &alone, .count = 1, .threads = input->threads};
  const ls_evaluation_options options = {.split = input->split};
  ls_evaluation evaluation;
  *metrics = NULL;
  LS_PASS(ls_evaluate(&evaluation, input->comm, &members, input->loader, &options));
  *figures = evaluation.figures;
  *metrics = evaluation.metrics;
  evaluation.metrics = NULL;
  ls_evaluation_fini(&evaluation);
  return LS_OK;
}
