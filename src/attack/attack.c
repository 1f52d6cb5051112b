/* SPDX-License-Identifier: BSD-3-Clause */
/* What attacks have in common. Limits are kept in normalized units, channel by channel, with the arithmetic
 * of ls_normalization_apply(): an epsilon of 0 changes no bit. */
#include "attack/attack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define LIST_KIND(name) &ls_attack_##name,
#define LIST_SCHEMA(name) &ls_attack_##name.schema,

const ls_attack_kind *const ls_attack_kinds[LS_ATTACK_COUNT + 1] = {LS_ATTACK_LIST(LIST_KIND) NULL};
const ls_schema *const ls_attack_schemas[LS_ATTACK_COUNT + 1] = {LS_ATTACK_LIST(LIST_SCHEMA) NULL};

const char *const ls_attack_step_keys[] = {"steps", "step_size", NULL};

const ls_attack_kind *ls_attack_find(const char *name)
{
  const ls_attack_kind *const *kind = ls_attack_kinds;
  while (*kind && strcmp((*kind)->schema.name, name) != 0) kind++;
  return *kind;
}

static const double WHITE = 255.0; /* the largest pixel, in the units of the normalization */

/* The limits of the pixels of one channel, in normalized units. */
typedef struct channel_limits {
  float low, high; /* black and white */
  float epsilon;
} channel_limits;

static channel_limits limits_of(const ls_attack_task *task, size_t channel)
{
  const ls_normalization *normalization = &task->members[0].network->normalization;
  const float mean = (float)normalization->mean[channel];
  const float scale = (float)(1.0 / normalization->deviation[channel]);
  return (channel_limits){.low = (0.0F - mean) * scale,
                          .high = ((float)WHITE - mean) * scale,
                          .epsilon = (float)(WHITE * task->attack->epsilon * (double)scale)};
}

/* Comparisons, which become vector instructions; fminf() and fmaxf() do not. */
static inline float larger(float a, float b)
{
  return a < b ? b : a;
}

static inline float smaller(float a, float b)
{
  return b < a ? b : a;
}

/* To within the limits. */
static inline float limit(float value, float clean, channel_limits limits)
{
  const float low = larger(clean - limits.epsilon, limits.low);
  const float high = smaller(clean + limits.epsilon, limits.high);
  return smaller(larger(value, low), high);
}

static size_t image_pixels(const ls_attack_task *task)
{
  return ls_shape_count(ls_model_input(task->members[0].network->model));
}

size_t ls_attack_pixel_count(const ls_attack_task *task)
{
  return task->microbatch->n * image_pixels(task);
}

/* The images of a task, seen from one channel. */
typedef struct channel_view {
  size_t count; /* floats from the channel's first on */
  channel_limits limits;
  const float *clean, *slopes;
  float *x;
} channel_view;

static channel_view view_of(const ls_attack_task *task, size_t channel, const float *slopes)
{
  return (channel_view){.count = ls_attack_pixel_count(task) - channel,
                        .limits = limits_of(task, channel),
                        .clean = task->scratch->clean + channel,
                        .slopes = slopes + channel,
                        .x = ls_workspace_input(task->members[0].workspace) + channel};
}

/* x = clean + epsilon * slope. */
static inline void offset_channel(channel_view view, size_t stride)
{
  const float *restrict clean = view.clean, *restrict slopes = view.slopes;
  float *restrict x = view.x;
  for (size_t i = 0; i < view.count; i += stride)
    x[i] = limit(clean[i] + view.limits.epsilon * slopes[i], clean[i], view.limits);
}

/* x = x + move * sign(slope). */
static inline void move_channel(channel_view view, size_t stride, float move)
{
  const float *restrict clean = view.clean, *restrict slopes = view.slopes;
  float *restrict x = view.x;
  for (size_t i = 0; i < view.count; i += stride) {
    const float sign = (float)((slopes[i] > 0.0F) - (slopes[i] < 0.0F));
    x[i] = limit(x[i] + move * sign, clean[i], view.limits);
  }
}

float *ls_attack_draw(const ls_attack_task *task, ls_rng_purpose purpose)
{
  const ls_microbatch *microbatch = task->microbatch;
  const size_t pixels = image_pixels(task);
  float *offsets = task->scratch->gradient;
  for (size_t s = 0; s < microbatch->n; s++) {
    const ls_rng rng = ls_rng_stream(task->attack->seed, purpose, task->round, microbatch->samples[s]);
    ls_rng_uniform(&rng, -1.0F, 1.0F, offsets + s * pixels, pixels);
  }
  return offsets;
}

void ls_attack_start(const ls_attack_task *task, const float *offsets)
{
  const size_t channels = task->members[0].network->normalization.channels;
  for (size_t c = 0; c < channels; c++) offset_channel(view_of(task, c, offsets), channels);
}

void ls_attack_step(const ls_attack_task *task, double length)
{
  ls_attack_find_gradient(task);
  const ls_normalization *normalization = &task->members[0].network->normalization;
  const size_t channels = normalization->channels;
  const double towards = task->attack->is_targeted ? -WHITE : WHITE;
  for (size_t c = 0; c < channels; c++) {
    const channel_view view = view_of(task, c, task->scratch->gradient);
    const float move = (float)(towards * length / normalization->deviation[c]);
    if (channels == 1)
      move_channel(view, 1, move); /* one straight, vectorizable loop */
    else
      move_channel(view, channels, move);
  }
}

bool ls_attack_has_gradient(const ls_attack_task *task, size_t s)
{
  const size_t pixels = image_pixels(task);
  const float *gradient = task->scratch->gradient + s * pixels;
  bool is_zero = true, is_finite = true;
  for (size_t i = 0; i < pixels; i++) {
    is_zero = is_zero && gradient[i] == 0.0F;
    is_finite = is_finite && isfinite(gradient[i]);
  }
  return is_finite && !is_zero;
}

void ls_attack_run(const ls_attack_task *task)
{
  memcpy(task->scratch->clean, ls_workspace_input(task->members[0].workspace),
         ls_attack_pixel_count(task) * sizeof(float));
  task->attack->kind->run(task);
}

ls_status ls_attack_scratch_new(ls_attack_scratch **out, const ls_model *model, size_t microbatch,
                                size_t members, size_t threads)
{
  const size_t count = microbatch * ls_shape_count(ls_model_input(model)); /* fits: a workspace holds it */
  ls_attack_scratch *scratch;
  LS_PASS(ls_alloc(&scratch, threads, sizeof *scratch, "the attacks"));
  ls_status status = LS_OK;
  for (size_t i = 0; i < threads; i++) {
    LS_GO(ls_alloc_untouched(&scratch[i].clean, count, sizeof(float), "the images under attack"));
    LS_GO(ls_alloc_untouched(&scratch[i].gradient, count, sizeof(float), "the gradients of images"));
    if (members == 1) continue;
    LS_GO(ls_alloc_untouched(&scratch[i].member_gradient, count, sizeof(float), "the gradients of images"));
    LS_GO(ls_alloc(&scratch[i].weights, members * microbatch, sizeof(double), "the weights of gradients"));
  }
  *out = scratch;
done:
  if (status != LS_OK) ls_attack_scratch_free(scratch, threads);
  return status;
}

void ls_attack_scratch_free(ls_attack_scratch *scratch, size_t threads)
{
  for (size_t i = 0; scratch && i < threads; i++) {
    free(scratch[i].clean);
    free(scratch[i].gradient);
    free(scratch[i].member_gradient);
    free(scratch[i].weights);
  }
  free(scratch);
}
