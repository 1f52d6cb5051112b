/* SPDX-License-Identifier: BSD-3-Clause */
/* An attack over micro-batches, threads and ranks. A micro-batch is attacked as a whole if any of its samples
 * is asked for, so the kernels, and so the bits, do not depend on which ones are; counts are integers and
 * confidences are summed in fixed point. */
#include "eval/robustness/robustness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "eval/robustness/internal.h"

static const double CONFIDENCE_SCALE = 0x1p32;

/* ---- one micro-batch ---- */

static bool is_attacked(const ls_robustness_options *attacks, const ls_microbatch *microbatch, size_t s)
{
  return microbatch->samples[s] < attacks->limit &&
         (attacks->source_class == LS_ANY_CLASS || microbatch->labels[s] == attacks->source_class);
}

/* Add the result of a sample to the sums. */
static void count_sample(const ls_robustness_job *self, const ls_attack_result *result, bool was_correct,
                         uint16_t label, uint64_t *sums)
{
  const bool is_error = result->class != label, has_vanished = result->sought && !result->found;
  sums[LS_ROBUSTNESS_SAMPLES]++;
  sums[LS_ROBUSTNESS_CLEAN_CORRECT] += was_correct;
  sums[LS_ROBUSTNESS_CORRECT] += !is_error;
  sums[LS_ROBUSTNESS_CORRECT_8BIT] += result->class_8bit == label;
  sums[LS_ROBUSTNESS_HITS] += result->class == self->attacks->target;
  sums[LS_ROBUSTNESS_VANISHED] += has_vanished;
  sums[LS_ROBUSTNESS_VANISHED_CORRECT] += has_vanished && !is_error;
  sums[LS_ROBUSTNESS_ERRORS] += is_error;
  if (is_error)
    sums[LS_ROBUSTNESS_CONFIDENCE] += (uint64_t)llround((double)result->confidence * CONFIDENCE_SCALE);
}

static void count(const ls_robustness_job *self, size_t part, const ls_microbatch *microbatch,
                  const ls_outcome *outcome, size_t m)
{
  ls_robustness_scratch *scratch = &self->scratch[part];
  for (size_t s = 0; s < microbatch->n; s++) {
    const uint16_t label = microbatch->labels[s];
    if (is_attacked(self->attacks, microbatch, s))
      count_sample(self, &outcome->results[s], scratch->before[s] == label, label, scratch->sums[m]);
  }
}

/* ---- all of them ---- */

static void record(const ls_robustness_job *self, const ls_robustness_scratch *scratch,
                   const ls_microbatch *microbatch, size_t s, size_t slot)
{
  ls_examples *examples = self->examples;
  const ls_attack_result *result = &scratch->worst.results[s];
  const size_t from = s * self->pixels, to = slot * self->pixels;
  memcpy(examples->images + to, scratch->worst.images + from, self->pixels * sizeof *examples->images);
  memcpy(examples->pixels + to, scratch->worst.pixels + from, self->pixels);
  memcpy(examples->originals + to, microbatch->images + from, self->pixels);
  examples->samples[slot] = microbatch->samples[s];
  examples->labels[slot] = microbatch->labels[s];
  examples->before[slot] = scratch->before[s];
  examples->after[slot] = result->class;
  examples->after_8bit[slot] = result->class_8bit;
  examples->confidences[slot] = result->confidence;
}

static bool has_attacked(const void *user, size_t i)
{
  const ls_robustness_job *self = user;
  return self->first[i + 1] > self->first[i];
}

static void visit(void *user, const ls_visit *seen)
{
  const ls_robustness_job *self = user;
  const ls_microbatch *microbatch = &seen->microbatch;
  const ls_robustness_scratch *scratch = &self->scratch[seen->part];
  const size_t methods = self->attacks->method_count;
  size_t slot = self->first[seen->i];
  ls_robustness_begin(self, seen);
  for (size_t m = 0; m < methods; m++) {
    ls_robustness_try(self, seen->part, microbatch, m);
    count(self, seen->part, microbatch, &scratch->now, m);
  }
  count(self, seen->part, microbatch, &scratch->worst, methods);
  for (size_t s = 0; self->examples && s < microbatch->n; s++)
    if (is_attacked(self->attacks, microbatch, s)) record(self, scratch, microbatch, s, slot++);
}

/* Choose the examples of this rank. */
static ls_status count_examples(ls_robustness_job *self)
{
  const size_t count = ls_loader_eval_microbatches(self->attacks->loader, self->attacks->split);
  LS_PASS(ls_alloc(&self->first, count + 1, sizeof *self->first, "the samples under attack"));
  for (size_t i = 0; i < count; i++) {
    const ls_microbatch microbatch =
        ls_loader_eval_microbatch(self->attacks->loader, self->attacks->split, i);
    self->first[i + 1] = self->first[i];
    for (size_t s = 0; s < microbatch.n; s++)
      self->first[i + 1] += is_attacked(self->attacks, &microbatch, s);
  }
  return LS_OK;
}

static ls_status make_outcome(ls_outcome *outcome, size_t microbatch, size_t pixels)
{
  LS_PASS(ls_alloc(&outcome->images, microbatch * pixels, sizeof(float), "adversarial images"));
  LS_PASS(ls_alloc(&outcome->pixels, microbatch, pixels, "adversarial images"));
  return ls_alloc(&outcome->results, microbatch, sizeof(ls_attack_result), "results");
}

static void free_outcome(ls_outcome *outcome)
{
  free(outcome->images);
  free(outcome->pixels);
  free(outcome->results);
}

static ls_status make_scratch(const ls_robustness_job *self, ls_robustness_scratch *scratch)
{
  const size_t microbatch = self->members->microbatch;
  LS_PASS(ls_alloc(&scratch->raw, microbatch * self->pixels, sizeof(float), "adversarial images"));
  LS_PASS(make_outcome(&scratch->now, microbatch, self->pixels));
  LS_PASS(make_outcome(&scratch->worst, microbatch, self->pixels));
  LS_PASS(ls_alloc(&scratch->probabilities, self->classes, sizeof(float), "probabilities"));
  LS_PASS(ls_alloc(&scratch->before, microbatch, sizeof(uint16_t), "classes"));
  return ls_alloc(&scratch->goals, microbatch, sizeof(uint16_t), "labels");
}

static ls_status prepare(ls_robustness_job *self)
{
  const ls_members *members = self->members;
  const ls_model *model = members->items[0].network->model;
  LS_PASS(
      ls_alloc(&self->attacked, members->threads * members->count, sizeof *self->attacked, "the networks"));
  LS_PASS(ls_attack_scratch_new(&self->attack_scratch, model, members->microbatch, members->count,
                                members->threads));
  LS_PASS(ls_alloc(&self->scratch, members->threads, sizeof *self->scratch, "the attack"));
  for (size_t t = 0; t < members->threads; t++) {
    LS_PASS(make_scratch(self, &self->scratch[t]));
    for (size_t m = 0; m < members->count; m++)
      self->attacked[t * members->count + m] = (ls_attack_member){
          .network = members->items[m].network, .workspace = members->items[m].workspaces[t]};
  }
  LS_PASS(count_examples(self));
  if (!self->examples) return LS_OK;
  const size_t microbatches = ls_loader_eval_microbatches(self->attacks->loader, self->attacks->split);
  return ls_examples_init(self->examples, ls_model_input(model), self->first[microbatches]);
}

static void fini(ls_robustness_job *self)
{
  for (size_t t = 0; self->scratch && t < self->members->threads; t++) {
    ls_robustness_scratch *scratch = &self->scratch[t];
    free(scratch->raw);
    free_outcome(&scratch->now);
    free_outcome(&scratch->worst);
    free(scratch->probabilities);
    free(scratch->before);
    free(scratch->goals);
  }
  free(self->scratch);
  ls_attack_scratch_free(self->attack_scratch, self->members->threads);
  free(self->attacked);
  free(self->first);
}

/* Of a method, or of the worst. Collective. */
static ls_status reduce(const ls_robustness_job *self, ls_comm *comm, size_t m, ls_robustness *out)
{
  uint64_t sums[LS_ROBUSTNESS_SUMS] = {0};
  for (size_t t = 0; t < self->members->threads; t++)
    for (size_t i = 0; i < LS_ROBUSTNESS_SUMS; i++) sums[i] += self->scratch[t].sums[m][i];
  LS_PASS(ls_comm_sum_u64(comm, sums, LS_ROBUSTNESS_SUMS));
  *out = (ls_robustness){.samples = sums[LS_ROBUSTNESS_SAMPLES],
                         .clean_correct = sums[LS_ROBUSTNESS_CLEAN_CORRECT],
                         .correct = sums[LS_ROBUSTNESS_CORRECT],
                         .correct_8bit = sums[LS_ROBUSTNESS_CORRECT_8BIT],
                         .hits = sums[LS_ROBUSTNESS_HITS],
                         .vanished = sums[LS_ROBUSTNESS_VANISHED],
                         .vanished_correct = sums[LS_ROBUSTNESS_VANISHED_CORRECT],
                         .confidence_on_errors = (double)sums[LS_ROBUSTNESS_CONFIDENCE] / CONFIDENCE_SCALE /
                                                 (double)sums[LS_ROBUSTNESS_ERRORS]};
  return out->samples > 0 ? LS_OK : ls_fail(LS_E_INPUT, "the split holds no such samples to attack");
}

static ls_status run(ls_robustness_job *self, ls_comm *comm, ls_robustness *worst, ls_robustness *each)
{
  const ls_robustness_options *attacks = self->attacks;
  const ls_visitor visitor = {.user = self, .visit = visit, .wants = has_attacked, .ticker = attacks->ticker};
  LS_AGREE(comm, prepare(self));
  ls_for_each_microbatch(self->members, attacks->loader, attacks->split, &visitor);
  LS_PASS(reduce(self, comm, attacks->method_count, worst));
  for (size_t m = 0; each && m < attacks->method_count; m++) LS_PASS(reduce(self, comm, m, &each[m]));
  return self->examples ? ls_examples_gather(self->examples, comm) : LS_OK;
}

ls_status ls_robustness_find(ls_robustness *worst, ls_robustness *each, ls_examples *examples, ls_comm *comm,
                             const ls_members *members, const ls_robustness_options *attacks)
{
  ls_robustness_job self = {.members = members,
                            .attacks = attacks,
                            .attack = attacks->attack,
                            .classes = ls_members_classes(members),
                            .pixels = ls_shape_count(ls_model_input(members->items[0].network->model)),
                            .examples = examples};
  self.attack.is_targeted = attacks->target != LS_ANY_CLASS;
  const ls_status status = run(&self, comm, worst, each);
  fini(&self);
  if (status != LS_OK && examples) ls_examples_fini(examples);
  return status;
}
