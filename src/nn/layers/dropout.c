/* SPDX-License-Identifier: BSD-3-Clause */
/* Dropout, inverted: values that are kept are scaled by 1 / (1 - rate) in training; evaluation passes them
 * on. The mask is a function of (seed, epoch, sample, layer), so it does not depend on ranks or threads. One
 * Philox block serves eight values of 16 bits: the rate is rounded to 1/65536, and the scale fits the rounded
 * one, so expectations are kept exactly.
 *
 * Source: Srivastava et al.: "Dropout", JMLR 15, 2014.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "nn/kinds.h"

typedef struct dropout_options {
  double rate;
} dropout_options;

static const ls_key keys[] = {
    {.path = "rate",
     .type = LS_KEY_REAL,
     .offset = offsetof(dropout_options, rate),
     .preset = "0.5",
     .min = 0.0,
     .max = 1.0,
     .max_open = true,
     .unit = "fraction",
     .doc = "Probability that a value is dropped in training."},
};

static ls_status create(ls_layer *layer, const void *options, ls_build *build)
{
  (void)build;
  dropout_options *self;
  LS_PASS(ls_alloc(&self, 1, sizeof *self, "a dropout layer"));
  memcpy(self, options, sizeof *self);
  layer->impl = self;
  layer->out = layer->in;
  layer->saved_count = ls_size_ceil_div(layer->microbatch * ls_shape_count(layer->in), sizeof(float));
  return LS_OK;
}

static void destroy(ls_layer *layer)
{
  free(layer->impl);
}

enum { WORDS = 1 << 16 }; /* values of the word that decides on an element */

/* Words below it drop an element. */
static uint32_t threshold_of(const dropout_options *self)
{
  const uint32_t nearest = (uint32_t)(self->rate * WORDS + 0.5);
  return nearest < WORDS ? nearest : WORDS - 1;
}

/* Draw one sample's mask: 1 where it keeps, 0 where it drops. */
static void draw(const ls_layer *layer, const ls_pass *pass, uint64_t sample, uint8_t *mask)
{
  const uint32_t threshold = threshold_of(layer->impl);
  const size_t count = ls_shape_count(layer->in);
  const ls_rng rng = ls_rng_stream(pass->seed, LS_RNG_DROPOUT, pass->epoch, sample << 16 | layer->index);
  for (size_t i = 0; i < count; i += 8) {
    uint32_t words[4];
    ls_rng_block(&rng, (uint32_t)(i / 8), words);
    for (size_t k = 0; k < 8 && i + k < count; k++)
      mask[i + k] = (words[k / 2] >> (16 * (k % 2)) & 0xFFFF) >= threshold;
  }
}

/* to = from where the mask keeps, scaled; 0 where it drops. */
static void apply(const ls_layer *layer, size_t count, const uint8_t *mask, const float *from, float *to)
{
  const float scale = (float)((double)WORDS / (double)(WORDS - threshold_of(layer->impl)));
  for (size_t i = 0; i < count; i++) to[i] = mask[i] ? scale * from[i] : 0.0F;
}

static void forward(const ls_layer *layer, const ls_pass *pass, const float *x, float *y, float *saved,
                    float *scratch)
{
  (void)scratch;
  const size_t count = ls_shape_count(layer->in);
  uint8_t *mask = (uint8_t *)saved;
  if (!pass->training) {
    if (x != y) memcpy(y, x, pass->n * count * sizeof *y);
    return;
  }
  for (size_t s = 0; s < pass->n; s++) draw(layer, pass, pass->samples[s], mask + s * count);
  apply(layer, pass->n * count, mask, x, y);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const float *x, const float *y, float *dy,
                     float *dx, float *saved, float *scratch)
{
  (void)x, (void)y, (void)scratch;
  const size_t count = pass->n * ls_shape_count(layer->in);
  if (!dx) return;
  if (pass->training)
    apply(layer, count, (const uint8_t *)saved, dy, dx);
  else if (dx != dy)
    memcpy(dx, dy, count * sizeof *dx);
}

static void describe(const ls_layer *layer, ls_text *text)
{
  const dropout_options *self = layer->impl;
  ls_text_add(text, "rate %g", self->rate);
}

const ls_layer_kind ls_layer_dropout = {
    .schema = {.name = "dropout",
               .doc = "Sets a random part of the values to 0 in training.",
               .keys = keys,
               .key_count = sizeof keys / sizeof *keys,
               .options_bytes = sizeof(dropout_options)},
    .role = LS_ROLE_NEUTRAL,
    .is_random = true,
    .in_place = true,
    .create = create,
    .destroy = destroy,
    .forward = forward,
    .backward = backward,
    .describe = describe,
};
