/* SPDX-License-Identifier: BSD-3-Clause */
/* One micro-batch under attack: all starts of a method, and of all methods the worst. The measured images are
 * float32 pixels, as examples are kept, not the attack's normalized ones: so measuring the kept examples
 * again gives the same figures. */
#include <math.h>
#include <string.h>

#include "eval/robustness/internal.h"
#include "nn/argmax.h"
#include "nn/probability.h"

static const double WHITE = 255.0;

static const ls_attack_member *members_of(const ls_robustness_job *self, size_t part)
{
  return self->attacked + part * self->members->count;
}

/* ---- pixels ---- */

/* A pixel in raw units, as the nearest float within the limits. */
static float raw_pixel(const ls_robustness_job *self, double found, uint8_t original)
{
  const double start = (double)original / WHITE, epsilon = self->attack.epsilon;
  const double low = fmax(start - epsilon, 0.0), high = fmin(start + epsilon, 1.0);
  const float pixel = (float)fmin(fmax(found, low), high);
  if ((double)pixel > high) return nextafterf(pixel, 0.0F);
  return (double)pixel < low ? nextafterf(pixel, 1.0F) : pixel;
}

/* Where a pixel lies. */
typedef struct pixel_index {
  size_t at, channel; /* among [n, h, w, c]; of c */
} pixel_index;

/* The raw pixel of the attack's image, which every member's input then takes. A pixel that the attack has not
 * changed is exactly the original's, whatever rounding gives. */
static float keep_pixel(const ls_robustness_job *self, size_t part, pixel_index index, uint8_t original)
{
  const ls_attack_member *members = members_of(self, part);
  const ls_normalization *first = &members[0].network->normalization;
  const float x = ls_workspace_input(members[0].workspace)[index.at];
  const bool is_kept = x == self->attack_scratch[part].clean[index.at];
  const double found = ((double)x * first->deviation[index.channel] + first->mean[index.channel]) / WHITE;
  const float pixel = is_kept ? (float)((double)original / WHITE) : raw_pixel(self, found, original);
  const float value = is_kept ? (float)original : (float)(WHITE * (double)pixel);
  for (size_t m = 0; m < self->members->count; m++) {
    const ls_normalization *normalization = &members[m].network->normalization;
    ls_workspace_input(members[m].workspace)[index.at] =
        (value - (float)normalization->mean[index.channel]) *
        (float)(1.0 / normalization->deviation[index.channel]);
  }
  return pixel;
}

/* Recompute the images in the workspaces, [n, h, w, c], from their raw pixels, [n, c, h, w].
 */
static void take_pixels(const ls_robustness_job *self, size_t part, const ls_microbatch *microbatch)
{
  const size_t channels = members_of(self, part)->network->normalization.channels;
  const size_t plane = self->pixels / channels;
  for (size_t i = 0; i < microbatch->n * self->pixels; i++) {
    const size_t c = i / plane % channels;
    const pixel_index index = {(i / self->pixels * plane + i % plane) * channels + c, c};
    self->scratch[part].raw[i] = keep_pixel(self, part, index, microbatch->images[i]);
  }
}

/* The nearest of 256 levels that is within epsilon of the original, and so many of them. */
static uint8_t pixel_8bit(const ls_robustness_job *self, float pixel, uint8_t original)
{
  static const double rounding = 1e-9; /* an epsilon of 1/255 is a level */
  const double reach = floor(WHITE * self->attack.epsilon + rounding), start = (double)original;
  return (uint8_t)fmin(fmax(nearbyint(WHITE * (double)pixel), start - reach), start + reach);
}

/* Images [n, c, h, w] to where the networks read them. */
static void show(const ls_robustness_job *self, size_t part, const uint8_t *images, size_t n)
{
  for (size_t m = 0; m < self->members->count; m++) ls_member_show(&self->members->items[m], part, images, n);
}

/* ---- results ---- */

static ls_attack_result result_of(const ls_robustness_job *self, const ls_robustness_scratch *scratch,
                                  const float *logits, uint16_t goal)
{
  const bool is_targeted = self->attack.is_targeted;
  const double log_odds = ls_log_odds(logits, goal, self->classes);
  ls_softmax(logits, 1, self->classes, scratch->probabilities);
  const size_t class = ls_argmax_f32(logits, self->classes);
  return (ls_attack_result){.is_fooled = (class == goal) == is_targeted,
                            .class = (uint16_t) class,
                            .confidence = scratch->probabilities[class],
                            .gain = is_targeted ? log_odds : -log_odds};
}

/* Keep the worse one for the network; of those that fool it, the first. Was it the new one? */
static bool keep_worse(ls_attack_result *kept, const ls_attack_result *now, bool is_first)
{
  const bool sought = now->sought || (!is_first && kept->sought);
  const bool found = now->found || (!is_first && kept->found);
  const bool is_worse = is_first || (!kept->is_fooled && (now->is_fooled || now->gain > kept->gain));
  if (is_worse) *kept = *now;
  kept->sought = sought;
  kept->found = found;
  return is_worse;
}

/* Keep the start that is worst for the network. Has every sample fooled it? */
static bool keep_worst_start(const ls_robustness_job *self, const ls_attack_task *task, size_t part)
{
  ls_robustness_scratch *scratch = &self->scratch[part];
  const float *logits = ls_members_forward(self->members, part, task->microbatch);
  bool all_fooled = true;
  for (size_t s = 0; s < task->microbatch->n; s++) {
    ls_attack_result now = result_of(self, scratch, logits + s * self->classes, scratch->goals[s]);
    ls_attack_result *kept = &scratch->now.results[s];
    now.sought = task->attack->kind->follows_gradient;
    now.found = now.sought && ls_attack_has_gradient(task, s);
    if (keep_worse(kept, &now, task->round == 0))
      memcpy(scratch->now.images + s * self->pixels, scratch->raw + s * self->pixels,
             self->pixels * sizeof *scratch->raw);
    all_fooled = all_fooled && kept->is_fooled;
  }
  return all_fooled;
}

/* The classes of the worst images in 8 bits. */
static void look_at_8bit(const ls_robustness_job *self, size_t part, const ls_microbatch *microbatch)
{
  const ls_outcome *now = &self->scratch[part].now;
  for (size_t i = 0; i < microbatch->n * self->pixels; i++)
    now->pixels[i] = pixel_8bit(self, now->images[i], microbatch->images[i]);
  show(self, part, now->pixels, microbatch->n);
  const float *logits = ls_members_forward(self->members, part, microbatch);
  for (size_t s = 0; s < microbatch->n; s++)
    now->results[s].class_8bit = (uint16_t)ls_argmax_f32(logits + s * self->classes, self->classes);
}

/* ---- methods ---- */

/* All starts, until every sample has fooled the network. */
static void attack(const ls_robustness_job *self, size_t part, const ls_microbatch *microbatch,
                   const ls_attack_kind *kind)
{
  ls_attack attack = self->attack;
  attack.kind = kind;
  const size_t rounds = kind->is_random ? self->attacks->restarts : 1;
  ls_attack_task task = {.attack = &attack,
                         .members = members_of(self, part),
                         .member_count = self->members->count,
                         .scratch = &self->attack_scratch[part],
                         .microbatch = microbatch,
                         .labels = self->scratch[part].goals};
  for (task.round = 0; task.round < rounds; task.round++) {
    show(self, part, microbatch->images, microbatch->n);
    ls_attack_run(&task);
    take_pixels(self, part, microbatch);
    if (keep_worst_start(self, &task, part)) break;
  }
}

/* `now` into `worst`. */
static void keep_worst_method(const ls_robustness_job *self, size_t part, const ls_microbatch *microbatch,
                              size_t m)
{
  const ls_outcome *now = &self->scratch[part].now, *worst = &self->scratch[part].worst;
  for (size_t s = 0; s < microbatch->n; s++) {
    const size_t at = s * self->pixels;
    if (!keep_worse(&worst->results[s], &now->results[s], m == 0)) continue;
    memcpy(worst->images + at, now->images + at, self->pixels * sizeof *now->images);
    memcpy(worst->pixels + at, now->pixels + at, self->pixels);
  }
}

void ls_robustness_begin(const ls_robustness_job *self, const ls_visit *seen)
{
  ls_robustness_scratch *scratch = &self->scratch[seen->part];
  for (size_t s = 0; s < seen->microbatch.n; s++) {
    scratch->before[s] = (uint16_t)ls_argmax_f32(seen->logits + s * self->classes, self->classes);
    scratch->goals[s] =
        self->attack.is_targeted ? (uint16_t)self->attacks->target : seen->microbatch.labels[s];
  }
}

void ls_robustness_try(const ls_robustness_job *self, size_t part, const ls_microbatch *microbatch, size_t m)
{
  attack(self, part, microbatch, self->attacks->methods[m]);
  look_at_8bit(self, part, microbatch);
  keep_worst_method(self, part, microbatch, m);
}
