/* SPDX-License-Identifier: BSD-3-Clause */
/* A visitor makes a row of each sample, with all that the network gave for it: figures such as the average
 * precision follow from the order of the outputs, and no sum has it. Rank 0 gathers the rows. */
#include "eval/evaluate_outputs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "comm/gather.h"
#include "eval/loss_total.h"
#include "nn/loss.h"

/* All members are uint64_t, so ranks sum it word by word. */
typedef struct output_sums {
  ls_loss_total loss;
  uint64_t correct;
} output_sums;

_Static_assert(sizeof(output_sums) % sizeof(uint64_t) == 0, "sums are words");

typedef struct outputs_job {
  const ls_members *members; /* one */
  ls_outputs mine;           /* of this rank's samples */
  double loss_limit;         /* of a sample: the sum of all fits */
  output_sums *threads;      /* [threads] */
} outputs_job;

static ls_status make_rows(ls_outputs *outputs, size_t classes, size_t count)
{
  size_t floats;
  *outputs = (ls_outputs){.count = count, .classes = classes};
  if (!ls_size_mul(2 * sizeof(float), classes, &floats) ||
      !ls_size_add(floats, sizeof(ls_output), &outputs->row_bytes))
    return ls_fail(LS_E_MEMORY, "no memory for the outputs");
  return ls_alloc(&outputs->rows, count, outputs->row_bytes, "the outputs");
}

static ls_status allocate(outputs_job *job, size_t count)
{
  LS_PASS(ls_alloc(&job->threads, job->members->threads, sizeof *job->threads, "the evaluation"));
  return make_rows(&job->mine, ls_members_classes(job->members), count);
}

static void visit(void *user, const ls_visit *seen)
{
  const outputs_job *job = user;
  const size_t classes = job->mine.classes;
  const ls_microbatch *microbatch = &seen->microbatch;
  output_sums *sums = &job->threads[seen->part];
  for (size_t s = 0; s < microbatch->n; s++) {
    const float *logits = seen->logits + s * classes, *labels = microbatch->values + s * classes;
    const ls_targets target = {
        .n = 1, .classes = classes, .labels = microbatch->labels + s, .values = labels};
    const ls_loss_sums loss = ls_loss_run(&job->members->items[0].network->loss, logits, &target, 1.0, NULL);
    ls_output *row = (void *)(job->mine.rows + (seen->first + s) * job->mine.row_bytes);
    ls_loss_total_add(&sums->loss, loss.loss, job->loss_limit);
    sums->correct += loss.correct;
    row->sample = microbatch->samples[s];
    memcpy(row->values, logits, classes * sizeof *logits);
    memcpy(row->values + classes, labels, classes * sizeof *labels);
  }
}

static void take_rows(void *user, size_t first, const void *rows, size_t count)
{
  const ls_outputs *outputs = user;
  memcpy(outputs->rows + first * outputs->row_bytes, rows, count * outputs->row_bytes);
}

static int by_sample(const void *a, const void *b)
{
  const ls_output *x = a, *y = b;
  return (x->sample > y->sample) - (x->sample < y->sample);
}

/* Rank 0. */
static ls_status derive(const ls_output_evaluation *out)
{
  const ls_outputs *outputs = &out->outputs;
  out->metrics->correct = out->figures.correct;
  qsort(outputs->rows, outputs->count, outputs->row_bytes, by_sample);
  return ls_metrics_derive_outputs(out->metrics, out->figures.loss, outputs);
}

/* Collective. */
static ls_status reduce(const outputs_job *job, ls_comm *comm, ls_output_evaluation *out, uint64_t samples)
{
  output_sums sums = {.correct = 0};
  for (size_t t = 0; t < job->members->threads; t++) {
    sums.loss.loss += job->threads[t].loss.loss;
    sums.loss.infinite += job->threads[t].loss.infinite;
    sums.correct += job->threads[t].correct;
  }
  LS_PASS(ls_comm_sum_u64(comm, &sums.loss.loss, sizeof sums / sizeof(uint64_t)));
  out->figures = (ls_evaluation_figures){
      .samples = samples, .correct = sums.correct, .loss = ls_loss_total_mean(&sums.loss, samples)};
  return ls_comm_gather_rows(comm, job->mine.rows, job->mine.count, job->mine.row_bytes, take_rows,
                             &out->outputs);
}

/* Rank 0. */
static ls_status make_room(ls_output_evaluation *out, const ls_members *members, size_t samples)
{
  const size_t classes = ls_members_classes(members);
  LS_PASS(ls_metrics_make(&out->metrics, members->items[0].network->loss.kind->labels, classes));
  return make_rows(&out->outputs, classes, samples);
}

static ls_status evaluate(outputs_job *job, ls_comm *comm, const ls_loader *loader, ls_eval_split split,
                          ls_output_evaluation *out)
{
  const ls_visitor visitor = {.user = job, .visit = visit};
  const size_t samples = ls_loader_eval_count(loader, split);
  LS_ROOT(comm, make_room(out, job->members, samples));
  LS_AGREE(comm, allocate(job, ls_loader_rank_samples(loader, split)));
  ls_for_each_microbatch(job->members, loader, split, &visitor);
  LS_PASS(reduce(job, comm, out, samples));
  return ls_comm_agree(comm, ls_comm_rank(comm) == 0 ? derive(out) : LS_OK);
}

ls_status ls_evaluate_outputs(ls_output_evaluation *out, ls_comm *comm, const ls_members *members,
                              const ls_loader *loader, ls_eval_split split, bool keeps_outputs)
{
  assert(members->count == 1 && "no vote is taken on labels that are not classes");
  *out = (ls_output_evaluation){.metrics = NULL};
  outputs_job job = {.members = members,
                     .loss_limit = ls_loss_total_limit(ls_loader_eval_count(loader, split))};
  const ls_status status = evaluate(&job, comm, loader, split, out);
  free(job.threads);
  free(job.mine.rows);
  if (status == LS_OK && keeps_outputs) return LS_OK;
  free(out->outputs.rows);
  out->outputs = (ls_outputs){.count = 0};
  if (status == LS_OK) return LS_OK;
  ls_metrics_free(out->metrics);
  out->metrics = NULL;
  return status;
}
