/* SPDX-License-Identifier: BSD-3-Clause */
/* An attack over micro-batches, threads and ranks. A micro-batch is attacked as a whole if any of its samples
 * is asked for, so the kernels, and so the bits, do not depend on which ones are; counts are integers and
 * confidences are summed in fixed point. */
#include "eval/robustness/robustness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "comm/team.h"
#include "eval/robustness/robustness_internal.h"

static const double CONFIDENCE_SCALE = 0x1p32;

/* ---- one micro-batch ---- */

static bool is_attacked(const ls_onslaught *onslaught, const ls_microbatch *microbatch, size_t s)
{
  return microbatch->samples[s] < onslaught->limit &&
         (onslaught->source_class == LS_ANY_CLASS || microbatch->labels[s] == onslaught->source_class);
}

/* What has come of a sample, into the sums. */
static void count_sample(const ls_assault *self, const ls_verdict *verdict, bool was_correct, uint16_t label,
                         uint64_t *sums)
{
  const bool is_error = verdict->class != label, has_vanished = verdict->sought && !verdict->found;
  sums[LS_ASSAULT_SAMPLES]++;
  sums[LS_ASSAULT_CLEAN_CORRECT] += was_correct;
  sums[LS_ASSAULT_CORRECT] += !is_error;
  sums[LS_ASSAULT_CORRECT_8BIT] += verdict->class_8bit == label;
  sums[LS_ASSAULT_HITS] += verdict->class == self->onslaught->target;
  sums[LS_ASSAULT_VANISHED] += has_vanished;
  sums[LS_ASSAULT_VANISHED_CORRECT] += has_vanished && !is_error;
  sums[LS_ASSAULT_ERRORS] += is_error;
  if (is_error)
    sums[LS_ASSAULT_CONFIDENCE] += (uint64_t)llround((double)verdict->confidence * CONFIDENCE_SCALE);
}

static void count(const ls_assault *self, size_t part, const ls_microbatch *microbatch,
                  const ls_outcome *outcome, size_t m)
{
  ls_assault_room *room = &self->rooms[part];
  for (size_t s = 0; s < microbatch->n; s++) {
    const uint16_t label = microbatch->labels[s];
    if (is_attacked(self->onslaught, microbatch, s))
      count_sample(self, &outcome->verdicts[s], room->before[s] == label, label, room->sums[m]);
  }
}

/* ---- all of them ---- */

static void record(const ls_assault *self, const ls_assault_room *room, const ls_microbatch *microbatch,
                   size_t s, size_t slot)
{
  ls_examples *examples = self->examples;
  const ls_verdict *verdict = &room->worst.verdicts[s];
  const size_t from = s * self->pixels, to = slot * self->pixels;
  memcpy(examples->images + to, room->worst.images + from, self->pixels * sizeof *examples->images);
  memcpy(examples->pixels + to, room->worst.pixels + from, self->pixels);
  memcpy(examples->originals + to, microbatch->images + from, self->pixels);
  examples->samples[slot] = microbatch->samples[s];
  examples->labels[slot] = microbatch->labels[s];
  examples->before[slot] = room->before[s];
  examples->after[slot] = verdict->class;
  examples->after_8bit[slot] = verdict->class_8bit;
  examples->confidences[slot] = verdict->confidence;
}

static void run_microbatch(const ls_assault *self, size_t part, size_t i)
{
  const ls_microbatch microbatch = ls_loader_eval_microbatch(self->loader, self->split, i);
  const ls_assault_room *room = &self->rooms[part];
  const size_t methods = self->onslaught->method_count;
  size_t slot = self->first[i];
  if (self->first[i + 1] == slot) return;
  ls_assault_begin(self, part, &microbatch);
  for (size_t m = 0; m < methods; m++) {
    ls_assault_try(self, part, &microbatch, m);
    count(self, part, &microbatch, &room->now, m);
  }
  count(self, part, &microbatch, &room->worst, methods);
  for (size_t s = 0; self->examples && s < microbatch.n; s++)
    if (is_attacked(self->onslaught, &microbatch, s)) record(self, room, &microbatch, s, slot++);
}

static void run_part(void *user, size_t part)
{
  const ls_assault *self = user;
  const size_t threads = self->victim->threads;
  const size_t count = ls_loader_eval_microbatches(self->loader, self->split);
  const size_t first = ls_part_first(count, threads, part), end = ls_part_first(count, threads, part + 1);
  for (size_t i = first; i < end; i++) {
    run_microbatch(self, part, i);
    if (part == 0) ls_tick(self->onslaught->ticker, i + 1 - first, end - first);
  }
}

/* Which examples there will be on this rank. */
static ls_status count_examples(ls_assault *self)
{
  const size_t count = ls_loader_eval_microbatches(self->loader, self->split);
  LS_PASS(ls_alloc(&self->first, count + 1, sizeof *self->first, "the samples under attack"));
  for (size_t i = 0; i < count; i++) {
    const ls_microbatch microbatch = ls_loader_eval_microbatch(self->loader, self->split, i);
    self->first[i + 1] = self->first[i];
    for (size_t s = 0; s < microbatch.n; s++)
      self->first[i + 1] += is_attacked(self->onslaught, &microbatch, s);
  }
  return LS_OK;
}

static ls_status make_outcome(ls_outcome *outcome, size_t microbatch, size_t pixels)
{
  LS_PASS(ls_alloc(&outcome->images, microbatch * pixels, sizeof(float), "adversarial images"));
  LS_PASS(ls_alloc(&outcome->pixels, microbatch, pixels, "adversarial images"));
  return ls_alloc(&outcome->verdicts, microbatch, sizeof(ls_verdict), "verdicts");
}

static void free_outcome(ls_outcome *outcome)
{
  free(outcome->images);
  free(outcome->pixels);
  free(outcome->verdicts);
}

static ls_status prepare(ls_assault *self)
{
  const size_t microbatch = self->victim->microbatch, values = microbatch * self->classes;
  LS_PASS(ls_alloc(&self->rooms, self->victim->threads, sizeof *self->rooms, "the attack"));
  for (size_t t = 0; t < self->victim->threads; t++) {
    ls_assault_room *room = &self->rooms[t];
    LS_PASS(ls_alloc(&room->raw, microbatch * self->pixels, sizeof(float), "adversarial images"));
    LS_PASS(make_outcome(&room->now, microbatch, self->pixels));
    LS_PASS(make_outcome(&room->worst, microbatch, self->pixels));
    LS_PASS(ls_alloc(&room->probabilities, values, sizeof(float), "probabilities"));
    LS_PASS(ls_alloc(&room->votes, values, sizeof(float), "probabilities"));
    LS_PASS(ls_alloc(&room->before, microbatch, sizeof(uint16_t), "classes"));
    LS_PASS(ls_alloc(&room->goals, microbatch, sizeof(uint16_t), "labels"));
  }
  return count_examples(self);
}

static void fini(ls_assault *self)
{
  for (size_t t = 0; self->rooms && t < self->victim->threads; t++) {
    ls_assault_room *room = &self->rooms[t];
    free(room->raw);
    free_outcome(&room->now);
    free_outcome(&room->worst);
    free(room->probabilities);
    free(room->votes);
    free(room->before);
    free(room->goals);
  }
  free(self->rooms);
  free(self->first);
}

/* Of a method, or of the worst. Collective. */
static ls_status reduce(const ls_assault *self, ls_comm *comm, size_t m, ls_robustness *out)
{
  uint64_t sums[LS_ASSAULT_SUMS] = {0};
  for (size_t t = 0; t < self->victim->threads; t++)
    for (size_t i = 0; i < LS_ASSAULT_SUMS; i++) sums[i] += self->rooms[t].sums[m][i];
  LS_PASS(ls_comm_sum_u64(comm, sums, LS_ASSAULT_SUMS));
  *out = (ls_robustness){.samples = sums[LS_ASSAULT_SAMPLES],
                         .clean_correct = sums[LS_ASSAULT_CLEAN_CORRECT],
                         .correct = sums[LS_ASSAULT_CORRECT],
                         .correct_8bit = sums[LS_ASSAULT_CORRECT_8BIT],
                         .hits = sums[LS_ASSAULT_HITS],
                         .vanished = sums[LS_ASSAULT_VANISHED],
                         .vanished_correct = sums[LS_ASSAULT_VANISHED_CORRECT],
                         .confidence_on_errors = (double)sums[LS_ASSAULT_CONFIDENCE] / CONFIDENCE_SCALE /
                                                 (double)sums[LS_ASSAULT_ERRORS]};
  return out->samples > 0 ? LS_OK : ls_fail(LS_E_INPUT, "the split holds no such samples to attack");
}

static ls_status assail(ls_assault *self, ls_comm *comm, ls_robustness *worst, ls_robustness *each)
{
  const size_t microbatches = ls_loader_eval_microbatches(self->loader, self->split);
  const size_t methods = self->onslaught->method_count;
  LS_AGREE(comm, prepare(self));
  if (self->examples)
    LS_PASS(ls_examples_init(self->examples, comm, ls_model_input(self->victim->members->network->model),
                             self->first[microbatches]));
  ls_team_run(self->victim->threads, run_part, self);
  LS_PASS(reduce(self, comm, methods, worst));
  for (size_t m = 0; each && m < methods; m++) LS_PASS(reduce(self, comm, m, &each[m]));
  return self->examples ? ls_examples_gather(self->examples, comm) : LS_OK;
}

ls_status ls_robustness_find(ls_robustness *worst, ls_robustness *each, ls_examples *examples, ls_comm *comm,
                             const ls_victim *victim, const ls_onslaught *onslaught)
{
  const ls_model *model = victim->members->network->model;
  ls_assault self = {.victim = victim,
                     .onslaught = onslaught,
                     .loader = onslaught->loader,
                     .split = onslaught->split,
                     .attack = onslaught->attack,
                     .classes = ls_model_classes(model),
                     .pixels = ls_shape_count(ls_model_input(model)),
                     .examples = examples};
  self.attack.is_targeted = onslaught->target != LS_ANY_CLASS;
  const ls_status status = assail(&self, comm, worst, each);
  fini(&self);
  if (status != LS_OK && examples) ls_examples_fini(examples);
  return status;
}
