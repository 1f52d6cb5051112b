/* SPDX-License-Identifier: BSD-3-Clause */
/* Evaluation: micro-batches over threads and ranks, integer counts summed over both. Predictions have a row
 * each in a table of the split, which one rank fills in; the rest being zero, the sum over the ranks is the
 * table. */
#include "train/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "comm/team.h"
#include "nn/loss.h"
#include "nn/probability.h"

/* Losses are summed in fixed point, sample by sample, so that the sum does not depend on who evaluates what.
 */
static const double LOSS_SCALE = 0x1p28;

/* Nothing but uint64_t, to be summed over the ranks word by word. */
typedef struct eval_sums {
  uint64_t loss;     /* fixed point */
  uint64_t infinite; /* samples whose loss is too large */
  ls_calibration calibration;
} eval_sums;

_Static_assert(sizeof(eval_sums) % sizeof(uint64_t) == 0, "sums are words");

/* What one thread gathers, and where it adds up the votes. */
typedef struct thread_tally {
  eval_sums sums;
  uint64_t *confusion;  /* [classes, classes] */
  float *probabilities; /* [microbatch, classes]: mean over the members */
  float *own;           /* [microbatch, classes]: of one member */
  double *p;            /* [classes]: of one sample */
} thread_tally;

/* A row of the table of predictions. */
enum { ROW_FOUND, ROW_LABEL, ROW_CLASS, ROW_PROBABILITY, ROW_WORDS };

typedef struct eval_job {
  const ls_soft_vote *soft_vote;
  const ls_loader *loader;
  ls_eval_split split;
  size_t threads, classes;
  double loss_limit;     /* of a sample: the sum of all fits */
  thread_tally *tallies; /* [threads] */
  size_t rows;           /* of the table: samples of the split */
  uint64_t *table;       /* [rows, ROW_WORDS]; NULL: predictions are not wanted */
} eval_job;

static void fini(eval_job *job)
{
  for (size_t t = 0; job->tallies && t < job->threads; t++) {
    free(job->tallies[t].confusion);
    free(job->tallies[t].probabilities);
    free(job->tallies[t].own);
    free(job->tallies[t].p);
  }
  free(job->tallies);
  free(job->table);
}

static ls_status prepare(eval_job *job, size_t microbatch)
{
  LS_PASS(ls_alloc(&job->tallies, job->threads, sizeof *job->tallies, "the evaluation"));
  size_t matrix;
  if (!ls_size_mul(job->classes, job->classes, &matrix))
    return ls_fail(LS_E_MEMORY, "no memory for a confusion matrix of %zu classes", job->classes);
  for (size_t t = 0; t < job->threads; t++) {
    thread_tally *tally = &job->tallies[t];
    LS_PASS(ls_alloc(&tally->confusion, matrix, sizeof(uint64_t), "a confusion matrix"));
    LS_PASS(ls_alloc(&tally->probabilities, microbatch * job->classes, sizeof(float), "probabilities"));
    LS_PASS(ls_alloc(&tally->own, microbatch * job->classes, sizeof(float), "probabilities"));
    LS_PASS(ls_alloc(&tally->p, job->classes, sizeof(double), "probabilities"));
  }
  return job->rows > 0 ? ls_alloc(&job->table, job->rows, ROW_WORDS * sizeof(uint64_t), "the predictions")
                       : LS_OK;
}

static const float *view_logits(const ls_member *member, size_t part, const ls_microbatch *microbatch,
                                const ls_view *view)
{
  const ls_network *network = member->network;
  ls_workspace *workspace = member->workspaces[part];
  ls_shape in = ls_model_input(network->model);
  ls_normalization_apply(&network->normalization, microbatch->images, microbatch->n, in.h * in.w,
                         ls_workspace_input(workspace));
  ls_view_apply(view, in, microbatch->n, ls_workspace_input(workspace));
  ls_pass pass = ls_network_pass(network, microbatch->n, microbatch->samples);
  return ls_model_forward(network->model, &pass, workspace);
}

const float *ls_member_logits(const ls_member *member, size_t part, const ls_microbatch *microbatch)
{
  static const ls_view as_it_is = {.flip = false};
  const size_t classes = ls_model_classes(member->network->model), values = microbatch->n * classes;
  if (!member->tta) return view_logits(member, part, microbatch, &as_it_is);
  size_t count;
  const ls_view *views = ls_tta_views(member->tta, &count);
  ls_tta_begin(member->tta, part, values);
  for (size_t i = 0; i < count; i++)
    ls_tta_add(member->tta, part, view_logits(member, part, microbatch, &views[i]), microbatch->n, classes);
  return ls_tta_logits(member->tta, part, values);
}

void ls_vote_add(float *mean, float *own, const float *logits, size_t n, size_t classes, size_t members)
{
  ls_softmax(logits, n, classes, own);
  for (size_t i = 0; i < n * classes; i++) mean[i] += own[i] / (float)members;
}

size_t ls_vote_class(const float *values, size_t classes)
{
  size_t best = 0;
  for (size_t k = 1; k < classes; k++)
    if (values[k] > values[best]) best = k;
  return best;
}

/* Logarithms: softmax(log p) = p, so the loss function serves both. */
void ls_vote_logits(float *mean, size_t count)
{
  for (size_t i = 0; i < count; i++) mean[i] = logf(fmaxf(mean[i], 1e-38f));
}

static const float *vote(const eval_job *job, size_t part, const ls_microbatch *microbatch)
{
  if (job->soft_vote->count == 1) return ls_member_logits(&job->soft_vote->members[0], part, microbatch);
  thread_tally *tally = &job->tallies[part];
  size_t count = microbatch->n * job->classes;
  memset(tally->probabilities, 0, count * sizeof(float));
  for (size_t v = 0; v < job->soft_vote->count; v++)
    ls_vote_add(tally->probabilities, tally->own,
                ls_member_logits(&job->soft_vote->members[v], part, microbatch), microbatch->n, job->classes,
                job->soft_vote->count);
  ls_vote_logits(tally->probabilities, count);
  return tally->probabilities;
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

/* Each sample has a row of its own: threads do not meet. */
static void note_prediction(uint64_t *row, uint16_t label, size_t class, double probability)
{
  row[ROW_FOUND] = 1;
  row[ROW_LABEL] = label;
  row[ROW_CLASS] = class;
  memcpy(&row[ROW_PROBABILITY], &probability, sizeof probability);
}

static void count_sample(const eval_job *job, thread_tally *tally, const float *logits, uint16_t label,
                         uint64_t sample)
{
  const ls_targets target = {.n = 1, .classes = job->classes, .labels = &label};
  const double loss = ls_loss_run(&job->soft_vote->members[0].network->loss, logits, &target, 1.0, NULL).loss;
  const size_t class = ls_vote_class(logits, job->classes);
  if (loss < job->loss_limit)
    tally->sums.loss += (uint64_t)llround(loss * LOSS_SCALE);
  else
    tally->sums.infinite++;
  tally->confusion[label * job->classes + class]++;
  soften(logits, job->classes, class, tally->p);
  ls_calibration_add(&tally->sums.calibration, tally->p, job->classes, class, label);
  if (sample < job->rows) note_prediction(job->table + sample * ROW_WORDS, label, class, tally->p[class]);
}

static void evaluate_part(void *user, size_t part)
{
  const eval_job *job = user;
  size_t count = ls_loader_eval_microbatches(job->loader, job->split);
  size_t end = ls_part_first(count, job->threads, part + 1);
  for (size_t i = ls_part_first(count, job->threads, part); i < end; i++) {
    ls_microbatch microbatch = ls_loader_eval_microbatch(job->loader, job->split, i);
    const float *logits = vote(job, part, &microbatch);
    for (size_t s = 0; s < microbatch.n; s++)
      count_sample(job, &job->tallies[part], logits + s * job->classes, microbatch.labels[s],
                   microbatch.samples[s]);
  }
}

static ls_status reduce(const eval_job *job, ls_comm *comm, ls_evaluation *out)
{
  size_t matrix = job->classes * job->classes;
  eval_sums sums = {.loss = 0};
  for (size_t t = 0; t < job->threads; t++) {
    sums.loss += job->tallies[t].sums.loss;
    sums.infinite += job->tallies[t].sums.infinite;
    ls_calibration_merge(&sums.calibration, &job->tallies[t].sums.calibration);
    for (size_t i = 0; i < matrix; i++) out->confusion[i] += job->tallies[t].confusion[i];
  }
  LS_PASS(ls_comm_sum_u64(comm, &sums.loss, sizeof sums / sizeof(uint64_t)));
  LS_PASS(ls_comm_sum_u64(comm, out->confusion, matrix));
  for (size_t i = 0; i < matrix; i++) out->samples += out->confusion[i];
  for (size_t k = 0; k < job->classes; k++) out->correct += out->confusion[k * job->classes + k];
  out->loss = sums.infinite > 0 ? INFINITY : (double)(int64_t)sums.loss / LOSS_SCALE / (double)out->samples;
  out->calibration = sums.calibration;
  out->nll = job->soft_vote->members[0].network->loss.kind->is_log_likelihood
                 ? out->loss
                 : ls_calibration_nll(&sums.calibration);
  return LS_OK;
}

/* Rank 0. */
static ls_status list_predictions(const eval_job *job, ls_predictions *out)
{
  LS_PASS(ls_alloc(&out->items, ls_loader_eval_count(job->loader, job->split), sizeof *out->items,
                   "the predictions"));
  for (size_t i = 0; i < job->rows; i++) {
    const uint64_t *row = job->table + i * ROW_WORDS;
    ls_prediction *item = &out->items[out->count];
    if (row[ROW_FOUND] == 0) continue;
    *item = (ls_prediction){.sample = i, .label = row[ROW_LABEL], .class = row[ROW_CLASS]};
    memcpy(&item->probability, &row[ROW_PROBABILITY], sizeof item->probability);
    out->count++;
  }
  return LS_OK;
}

/* Collective. */
static ls_status gather_predictions(const eval_job *job, ls_comm *comm, ls_predictions *out)
{
  if (!out) return LS_OK;
  LS_PASS(ls_comm_sum_u64(comm, job->table, job->rows * ROW_WORDS));
  return ls_comm_agree(comm, ls_comm_rank(comm) == 0 ? list_predictions(job, out) : LS_OK);
}

static ls_status start(eval_job *job, ls_evaluation *out)
{
  size_t microbatch = 1;
  size_t count = ls_loader_eval_microbatches(job->loader, job->split);
  for (size_t i = 0; i < count; i++)
    microbatch = ls_size_max(microbatch, ls_loader_eval_microbatch(job->loader, job->split, i).n);
  LS_PASS(prepare(job, microbatch));
  return ls_alloc(&out->confusion, job->classes * job->classes, sizeof(uint64_t), "a confusion matrix");
}

ls_status ls_evaluate(ls_evaluation *out, ls_comm *comm, const ls_soft_vote *soft_vote,
                      const ls_loader *loader, ls_eval_split split, ls_predictions *predictions)
{
  const size_t classes = ls_model_classes(soft_vote->members[0].network->model);
  const size_t samples = ls_loader_eval_count(loader, split);
  *out = (ls_evaluation){.classes = classes};
  if (samples == 0) return ls_fail(LS_E_INPUT, "there are no samples to evaluate on");
  eval_job job = {.soft_vote = soft_vote,
                  .loader = loader,
                  .split = split,
                  .threads = soft_vote->threads,
                  .classes = classes,
                  .rows = predictions ? predictions->split_count : 0,
                  .loss_limit = 0x1p62 / LOSS_SCALE / (double)samples};
  ls_status status;
  LS_GO(ls_comm_agree(comm, start(&job, out)));
  ls_team_run(job.threads, evaluate_part, &job);
  LS_GO(reduce(&job, comm, out));
  LS_GO(gather_predictions(&job, comm, predictions));
done:
  fini(&job);
  if (status != LS_OK) ls_evaluation_fini(out);
  return status;
}

void ls_evaluation_fini(ls_evaluation *evaluation)
{
  free(evaluation->confusion);
  *evaluation = (ls_evaluation){0};
}

void ls_predictions_fini(ls_predictions *predictions)
{
  free(predictions->items);
  *predictions = (ls_predictions){.count = 0};
}
