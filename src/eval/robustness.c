/* SPDX-License-Identifier: BSD-3-Clause */
/* An attack over micro-batches, threads and ranks. A micro-batch is attacked as a whole if any of its samples
 * is asked for, so the kernels, and so the bits, do not depend on which ones are; counts are integers and
 * confidences are summed in fixed point. What is judged is what can be kept: float32 pixels, not the attack's
 * normalized ones, so that the kept examples, judged again, give the figures. */
#include "eval/robustness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "nn/loss.h"

static const double CONFIDENCE_SCALE = 0x1p32;
static const double WHITE = 255.0;

enum {
  SUM_SAMPLES,
  SUM_CLEAN_CORRECT,
  SUM_CORRECT,
  SUM_CORRECT_8BIT,
  SUM_HITS,
  SUM_VANISHED,
  SUM_VANISHED_CORRECT,
  SUM_ERRORS,
  SUM_CONFIDENCE,
  SUM_COUNT
};

/* What the network makes of one sample. */
typedef struct verdict {
  bool is_fooled;
  bool has_gradient; /* of this start or one before */
  uint16_t class;
  float confidence;
  double gain; /* the larger, the better for the attack */
} verdict;

/* What one thread works in. */
typedef struct thread_room {
  uint64_t sums[SUM_COUNT];
  float *raw;           /* [microbatch, c, h, w] the images that are judged, in raw pixel units */
  float *worst;         /* [microbatch, c, h, w] of the restart that was worst for each sample */
  uint8_t *pixels;      /* [microbatch, c, h, w] these in 8 bits */
  float *probabilities; /* [classes] */
  uint16_t *before;     /* [microbatch] class of the clean image */
  uint16_t *after_8bit; /* [microbatch] class of the worst image in 8 bits */
  uint16_t *goals;      /* [microbatch] labels of the attack */
  verdict *verdicts;    /* [microbatch] of the worst images */
} thread_room;

typedef struct assault {
  const ls_victim *victim;
  const ls_onslaught *onslaught;
  const ls_loader *loader;
  ls_eval_split split;
  ls_attack attack;
  size_t classes, pixels;
  size_t *first;         /* [micro-batches + 1] examples before it, on this rank */
  ls_examples *examples; /* NULL: not wanted */
  thread_room *rooms;    /* [threads] */
} assault;

/* ---- pixels ---- */

/* A pixel in raw units, as the nearest float within the limits. */
static float raw_pixel(const assault *self, float x, uint8_t original, size_t channel)
{
  const ls_normalization *normalization = &self->victim->network->normalization;
  const double start = (double)original / WHITE, epsilon = self->attack.epsilon;
  const double low = fmax(start - epsilon, 0.0), high = fmin(start + epsilon, 1.0);
  const double found = ((double)x * normalization->deviation[channel] + normalization->mean[channel]) / WHITE;
  const float pixel = (float)fmin(fmax(found, low), high);
  if ((double)pixel > high) return nextafterf(pixel, 0.0F);
  return (double)pixel < low ? nextafterf(pixel, 1.0F) : pixel;
}

/* A pixel that the attack has left alone is the original's, whatever rounding says. */
static float keep_pixel(const assault *self, float *x, float clean, uint8_t original, size_t channel)
{
  const ls_normalization *normalization = &self->victim->network->normalization;
  if (*x == clean) return (float)((double)original / WHITE);
  const float pixel = raw_pixel(self, *x, original, channel);
  *x = ((float)(WHITE * (double)pixel) - (float)normalization->mean[channel]) *
       (float)(1.0 / normalization->deviation[channel]);
  return pixel;
}

/* The images in the workspace, [n, h, w, c], become what their raw pixels, [n, c, h, w], are to the network.
 */
static void take_pixels(const assault *self, size_t part, const ls_microbatch *microbatch)
{
  const size_t channels = self->victim->network->normalization.channels, plane = self->pixels / channels;
  const float *clean = self->victim->rooms[part].clean;
  float *x = ls_workspace_input(self->victim->workspaces[part]);
  for (size_t i = 0; i < microbatch->n * self->pixels; i++) {
    const size_t c = i / plane % channels, at = (i / self->pixels * plane + i % plane) * channels + c;
    self->rooms[part].raw[i] = keep_pixel(self, &x[at], clean[at], microbatch->images[i], c);
  }
}

/* The nearest of 256 levels that is within epsilon of the original, and so many of them. */
static uint8_t pixel_8bit(const assault *self, float pixel, uint8_t original)
{
  static const double rounding = 1e-9; /* an epsilon of 1/255 is a level */
  const double reach = floor(WHITE * self->attack.epsilon + rounding), start = (double)original;
  return (uint8_t)fmin(fmax(nearbyint(WHITE * (double)pixel), start - reach), start + reach);
}

/* Images [n, c, h, w] into the workspace. */
static void show(const assault *self, size_t part, const uint8_t *images, size_t n)
{
  const ls_victim *victim = self->victim;
  const ls_shape in = ls_model_input(victim->network->model);
  ls_normalization_apply(&victim->network->normalization, images, n, in.h * in.w,
                         ls_workspace_input(victim->workspaces[part]));
}

/* ---- one micro-batch ---- */

static bool is_attacked(const ls_onslaught *onslaught, const ls_microbatch *microbatch, size_t s)
{
  return microbatch->samples[s] < onslaught->limit &&
         (onslaught->source_class == LS_ANY_CLASS || microbatch->labels[s] == onslaught->source_class);
}

/* The network's word on the images in the workspace; of those in evaluation mode. */
static const float *look(const assault *self, size_t part, const ls_microbatch *microbatch)
{
  const ls_network *network = self->victim->network;
  const ls_pass pass = ls_network_pass(network, microbatch);
  return ls_model_forward(network->model, &pass, self->victim->workspaces[part]);
}

static size_t largest(const float *values, size_t count)
{
  size_t best = 0;
  for (size_t i = 1; i < count; i++)
    if (values[i] > values[best]) best = i;
  return best;
}

static verdict judge(const assault *self, const thread_room *room, const float *logits, uint16_t goal)
{
  const bool is_targeted = self->attack.is_targeted;
  const double log_odds = ls_loss_log_odds(logits, goal, self->classes);
  ls_softmax(logits, 1, self->classes, room->probabilities);
  const size_t class = largest(logits, self->classes);
  return (verdict){.is_fooled = (class == goal) == is_targeted,
                   .class = (uint16_t) class,
                   .confidence = room->probabilities[class],
                   .gain = is_targeted ? log_odds : -log_odds};
}

/* Keep what is worse for the network than all before; of what fools it, the first. */
static bool keep_worst(const assault *self, const ls_attack_task *task, size_t part)
{
  thread_room *room = &self->rooms[part];
  const float *logits = look(self, part, task->microbatch);
  bool all_fooled = true;
  for (size_t s = 0; s < task->microbatch->n; s++) {
    verdict now = judge(self, room, logits + s * self->classes, room->goals[s]);
    verdict *worst = &room->verdicts[s];
    const bool is_first = task->round == 0;
    const bool is_worse = !worst->is_fooled && (now.is_fooled || now.gain > worst->gain);
    now.has_gradient = ls_attack_has_gradient(task, s) || (!is_first && worst->has_gradient);
    worst->has_gradient = now.has_gradient;
    if (is_first || is_worse) {
      *worst = now;
      memcpy(room->worst + s * self->pixels, room->raw + s * self->pixels, self->pixels * sizeof *room->raw);
    }
    all_fooled = all_fooled && worst->is_fooled;
  }
  return all_fooled;
}

/* All restarts, until every sample has fooled the network. */
static void attack_microbatch(const assault *self, size_t part, const ls_microbatch *microbatch)
{
  const ls_victim *victim = self->victim;
  const thread_room *room = &self->rooms[part];
  ls_attack_task task = {.attack = &self->attack,
                         .network = victim->network,
                         .workspace = victim->workspaces[part],
                         .room = &victim->rooms[part],
                         .microbatch = microbatch,
                         .labels = room->goals};
  for (task.round = 0; task.round < self->onslaught->restarts; task.round++) {
    if (task.round > 0)
      memcpy(ls_workspace_input(task.workspace), task.room->clean,
             microbatch->n * self->pixels * sizeof(float));
    ls_attack_run(&task);
    take_pixels(self, part, microbatch);
    if (keep_worst(self, &task, part)) break;
  }
}

/* The classes of the worst images in 8 bits. */
static void look_at_8bit(const assault *self, size_t part, const ls_microbatch *microbatch)
{
  const thread_room *room = &self->rooms[part];
  for (size_t i = 0; i < microbatch->n * self->pixels; i++)
    room->pixels[i] = pixel_8bit(self, room->worst[i], microbatch->images[i]);
  show(self, part, room->pixels, microbatch->n);
  const float *logits = look(self, part, microbatch);
  for (size_t s = 0; s < microbatch->n; s++)
    room->after_8bit[s] = (uint16_t)largest(logits + s * self->classes, self->classes);
}

/* The classes of the clean images, and the labels that the attack is given. */
static void look_before(const assault *self, size_t part, const ls_microbatch *microbatch)
{
  thread_room *room = &self->rooms[part];
  const float *logits = look(self, part, microbatch);
  for (size_t s = 0; s < microbatch->n; s++) {
    room->before[s] = (uint16_t)largest(logits + s * self->classes, self->classes);
    room->goals[s] = self->attack.is_targeted ? (uint16_t)self->onslaught->target : microbatch->labels[s];
  }
}

static void count_sample(thread_room *room, const assault *self, size_t s, uint16_t label)
{
  const verdict *worst = &room->verdicts[s];
  const bool is_error = worst->class != label;
  room->sums[SUM_SAMPLES]++;
  room->sums[SUM_CLEAN_CORRECT] += room->before[s] == label;
  room->sums[SUM_CORRECT] += !is_error;
  room->sums[SUM_CORRECT_8BIT] += room->after_8bit[s] == label;
  room->sums[SUM_HITS] += worst->class == self->onslaught->target;
  room->sums[SUM_VANISHED] += !worst->has_gradient;
  room->sums[SUM_VANISHED_CORRECT] += !worst->has_gradient && !is_error;
  room->sums[SUM_ERRORS] += is_error;
  if (is_error) room->sums[SUM_CONFIDENCE] += (uint64_t)llround((double)worst->confidence * CONFIDENCE_SCALE);
}

/* ---- all of them ---- */

static void record(const assault *self, const thread_room *room, const ls_microbatch *microbatch, size_t s,
                   size_t slot)
{
  ls_examples *examples = self->examples;
  const size_t from = s * self->pixels, to = slot * self->pixels;
  memcpy(examples->images + to, room->worst + from, self->pixels * sizeof *room->worst);
  memcpy(examples->pixels + to, room->pixels + from, self->pixels);
  memcpy(examples->originals + to, microbatch->images + from, self->pixels);
  examples->samples[slot] = microbatch->samples[s];
  examples->labels[slot] = microbatch->labels[s];
  examples->before[slot] = room->before[s];
  examples->after[slot] = room->verdicts[s].class;
  examples->after_8bit[slot] = room->after_8bit[s];
  examples->confidences[slot] = room->verdicts[s].confidence;
}

static void run_microbatch(const assault *self, size_t part, size_t i)
{
  const ls_microbatch microbatch = ls_loader_eval_microbatch(self->loader, self->split, i);
  thread_room *room = &self->rooms[part];
  size_t slot = self->first[i];
  if (self->first[i + 1] == slot) return;
  show(self, part, microbatch.images, microbatch.n);
  look_before(self, part, &microbatch);
  attack_microbatch(self, part, &microbatch);
  look_at_8bit(self, part, &microbatch);
  for (size_t s = 0; s < microbatch.n; s++) {
    if (!is_attacked(self->onslaught, &microbatch, s)) continue;
    count_sample(room, self, s, microbatch.labels[s]);
    if (self->examples) record(self, room, &microbatch, s, slot++);
  }
}

static void run(const assault *self)
{
  const size_t threads = self->victim->threads;
  const size_t count = ls_loader_eval_microbatches(self->loader, self->split);
#pragma omp parallel for schedule(static, 1) num_threads((int)threads)
  for (size_t part = 0; part < threads; part++) {
    const size_t end = ls_part_first(count, threads, part + 1);
    for (size_t i = ls_part_first(count, threads, part); i < end; i++) run_microbatch(self, part, i);
  }
}

/* Which examples there will be on this rank. */
static ls_status count_examples(assault *self)
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

static ls_status prepare(assault *self)
{
  const size_t microbatch = self->victim->microbatch;
  LS_PASS(ls_alloc(&self->rooms, self->victim->threads, sizeof *self->rooms, "the attack"));
  for (size_t t = 0; t < self->victim->threads; t++) {
    thread_room *room = &self->rooms[t];
    LS_PASS(ls_alloc(&room->raw, microbatch * self->pixels, sizeof(float), "adversarial images"));
    LS_PASS(ls_alloc(&room->worst, microbatch * self->pixels, sizeof(float), "adversarial images"));
    LS_PASS(ls_alloc(&room->pixels, microbatch, self->pixels, "adversarial images"));
    LS_PASS(ls_alloc(&room->probabilities, self->classes, sizeof(float), "probabilities"));
    LS_PASS(ls_alloc(&room->before, microbatch, sizeof(uint16_t), "classes"));
    LS_PASS(ls_alloc(&room->after_8bit, microbatch, sizeof(uint16_t), "classes"));
    LS_PASS(ls_alloc(&room->goals, microbatch, sizeof(uint16_t), "labels"));
    LS_PASS(ls_alloc(&room->verdicts, microbatch, sizeof(verdict), "verdicts"));
  }
  return count_examples(self);
}

static void fini(assault *self)
{
  for (size_t t = 0; self->rooms && t < self->victim->threads; t++) {
    free(self->rooms[t].raw);
    free(self->rooms[t].worst);
    free(self->rooms[t].pixels);
    free(self->rooms[t].probabilities);
    free(self->rooms[t].before);
    free(self->rooms[t].after_8bit);
    free(self->rooms[t].goals);
    free(self->rooms[t].verdicts);
  }
  free(self->rooms);
  free(self->first);
}

static ls_status reduce(const assault *self, ls_comm *comm, ls_robustness *out)
{
  uint64_t sums[SUM_COUNT] = {0};
  for (size_t t = 0; t < self->victim->threads; t++)
    for (size_t i = 0; i < SUM_COUNT; i++) sums[i] += self->rooms[t].sums[i];
  LS_PASS(ls_comm_sum_u64(comm, sums, SUM_COUNT));
  *out = (ls_robustness){.samples = sums[SUM_SAMPLES],
                         .clean_correct = sums[SUM_CLEAN_CORRECT],
                         .correct = sums[SUM_CORRECT],
                         .correct_8bit = sums[SUM_CORRECT_8BIT],
                         .hits = sums[SUM_HITS],
                         .vanished = sums[SUM_VANISHED],
                         .vanished_correct = sums[SUM_VANISHED_CORRECT],
                         .confidence_on_errors =
                             (double)sums[SUM_CONFIDENCE] / CONFIDENCE_SCALE / (double)sums[SUM_ERRORS]};
  return out->samples > 0 ? LS_OK : ls_fail(LS_E_INPUT, "the split holds no such samples to attack");
}

static ls_status assail(assault *self, ls_comm *comm, ls_robustness *out)
{
  const size_t microbatches = ls_loader_eval_microbatches(self->loader, self->split);
  LS_AGREE(comm, prepare(self));
  if (self->examples)
    LS_PASS(ls_examples_init(self->examples, comm, ls_model_input(self->victim->network->model),
                             self->first[microbatches]));
  run(self);
  LS_PASS(reduce(self, comm, out));
  return self->examples ? ls_examples_gather(self->examples, comm) : LS_OK;
}

ls_status ls_robustness_find(ls_robustness *out, ls_examples *examples, ls_comm *comm,
                             const ls_victim *victim, const ls_onslaught *onslaught)
{
  const ls_model *model = victim->network->model;
  assault self = {.victim = victim,
                  .onslaught = onslaught,
                  .loader = onslaught->loader,
                  .split = onslaught->split,
                  .attack = onslaught->attack,
                  .classes = ls_model_classes(model),
                  .pixels = ls_shape_count(ls_model_input(model)),
                  .examples = examples};
  self.attack.is_targeted = onslaught->target != LS_ANY_CLASS;
  const ls_status status = assail(&self, comm, out);
  fini(&self);
  if (status != LS_OK && examples) ls_examples_fini(examples);
  return status;
}
