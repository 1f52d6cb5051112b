/* SPDX-License-Identifier: BSD-3-Clause */
/* Elastic distortion: every pixel is displaced by a smooth random field, uniform noise in [-1, 1) convolved
 * with a Gaussian of sigma pixels (zeros outside of the image) and multiplied by alpha, one field for rows
 * and one for columns.
 *
 * Source: Simard, Steinkraus, Platt: "Best Practices for Convolutional Neural Networks Applied to Visual
 * Document Analysis", ICDAR 2003, section 2. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "data/augment/kind.h"

typedef struct elastic_options {
  double alpha; /* pixels; 0: none */
  double sigma; /* pixels */
} elastic_options;

#define SIGMA_PRESET 4

#define TEXT_OF(value) #value
#define TEXT(value) TEXT_OF(value)

static const ls_key keys[] = {
    {.path = "data.augment.elastic.alpha",
     .type = LS_KEY_REAL,
     .offset = offsetof(elastic_options, alpha),
     .preset = "0",
     .max = 1000,
     .unit = "pixels",
     .doc = "Elastic distortion: factor on the smooth random field that displaces pixels, such as 34; 0 for "
            "none."},
    {.path = "data.augment.elastic.sigma",
     .type = LS_KEY_REAL,
     .offset = offsetof(elastic_options, sigma),
     .preset = TEXT(SIGMA_PRESET),
     .min = 0,
     .min_open = true,
     .max = 100,
     .unit = "pixels",
     .doc = "And how smooth that field is: the width of a Gaussian."},
};

enum {
  FIRST_BLOCK = LS_AUGMENT_MOST_DRAWS / 4 /* of the image's stream: those before are the other draws' */
};

static const double TRUNCATE = 4.0; /* the Gaussian ends at so many sigmas */

typedef struct elastic_plan {
  float *kernel; /* [2 radius + 1] of the Gaussian; owned */
  size_t radius;
  size_t noise, smooth; /* offsets in a thread's workspace */
} elastic_plan;

static bool is_on(const void *options)
{
  return ((const elastic_options *)options)->alpha > 0;
}

static void note(const void *options, size_t height, size_t width, ls_text *lines)
{
  (void)height, (void)width;
  const elastic_options *elastic = options;
  if (!is_on(options) && elastic->sigma != SIGMA_PRESET)
    ls_text_add(lines, "data.augment.elastic.sigma: %g: no effect without data.augment.elastic.alpha\n",
                elastic->sigma);
}

static void release(void *plan)
{
  elastic_plan *self = plan;
  if (self) free(self->kernel);
  free(self);
}

static void fill_kernel(const elastic_plan *plan, double sigma)
{
  const size_t taps = 2 * plan->radius + 1;
  double sum = 0;
  for (size_t k = 0; k < taps; k++) {
    const double x = ((double)k - (double)plan->radius) / sigma;
    plan->kernel[k] = (float)exp(-0.5 * x * x);
    sum += (double)plan->kernel[k];
  }
  for (size_t k = 0; k < taps; k++) plan->kernel[k] = (float)((double)plan->kernel[k] / sum);
}

static ls_status plan(const ls_augment *augment, const void *options, ls_arena *workspace, void **out)
{
  const double sigma = ((const elastic_options *)options)->sigma;
  elastic_plan *self;
  LS_PASS(ls_alloc(&self, 1, sizeof *self, "the elastic distortion"));
  *out = self;
  self->radius = (size_t)(TRUNCATE * sigma + 0.5);
  LS_PASS(ls_alloc(&self->kernel, 2 * self->radius + 1, sizeof(float), "a Gaussian"));
  fill_kernel(self, sigma);
  self->smooth = ls_arena_reserve(workspace, augment->height * augment->pitch, sizeof(float));
  self->noise =
      ls_arena_reserve(workspace, augment->height * (augment->pitch + 2 * self->radius), sizeof(float));
  return LS_OK;
}

/* Uniform noise in [-1, 1) from 16-bit words, row by row; both sides of a row are zero. The stream's blocks
 * are of eight pixels. */
static uint32_t draw_noise(const ls_augment_job *job, uint32_t block, float *noise, size_t noise_pitch)
{
  const ls_augment *augment = job->augment;
  const elastic_plan *self = job->stage->plan;
  memset(noise, 0, augment->height * noise_pitch * sizeof *noise);
  for (size_t i = 0; i < augment->height; i++) {
    float *row = noise + i * noise_pitch + self->radius;
    for (size_t j = 0; j < augment->width; j += 8, block++) {
      uint32_t words[4];
      ls_rng_block(&job->rng, block, words);
      for (size_t k = 0; k < 8 && j + k < augment->width; k++)
        row[j + k] = (float)(words[k / 2] >> (16 * (k % 2)) & 0xFFFF) * 0x1p-15F - 1.0F;
    }
  }
  return block;
}

/* to[LS_AUGMENT_LANES] = (add ? to : 0) + sum over k < count of weights[k] * from[k * step ...]. */
static void convolve(const float *weights, size_t count, const float *from, size_t step, bool add, float *to)
{
  float sums[LS_AUGMENT_LANES] = {0};
  for (size_t k = 0; k < count; k++)
    for (size_t j = 0; j < LS_AUGMENT_LANES; j++) sums[j] += weights[k] * from[k * step + j];
  for (size_t j = 0; j < LS_AUGMENT_LANES; j++) to[j] = sums[j] + (add ? to[j] : 0.0F);
}

/* smooth[height, pitch] = alpha * each row convolved. */
static void smooth_rows(const ls_augment_job *job, const float *noise, size_t noise_pitch, float *smooth)
{
  const ls_augment *augment = job->augment;
  const elastic_plan *self = job->stage->plan;
  const float alpha = (float)((const elastic_options *)job->stage->options)->alpha;
  for (size_t i = 0; i < augment->height; i++)
    for (size_t j = 0; j < augment->pitch; j += LS_AUGMENT_LANES)
      convolve(self->kernel, 2 * self->radius + 1, noise + i * noise_pitch + j, 1, false,
               smooth + i * augment->pitch + j);
  for (size_t k = 0; k < augment->height * augment->pitch; k++) smooth[k] *= alpha;
}

/* to[height, pitch] += each column convolved. */
static void add_columns(const ls_augment_job *job, const float *smooth, float *to)
{
  const elastic_plan *self = job->stage->plan;
  const size_t pitch = job->augment->pitch, height = job->augment->height, radius = self->radius;
  for (size_t i = 0; i < height; i++) {
    const size_t first = i > radius ? i - radius : 0, end = ls_size_min(height, i + radius + 1);
    for (size_t j = 0; j < pitch; j += LS_AUGMENT_LANES)
      convolve(self->kernel + (first + radius - i), end - first, smooth + first * pitch + j, pitch, true,
               to + i * pitch + j);
  }
}

static void map(const ls_augment_job *job, float *rows, float *columns)
{
  const elastic_plan *self = job->stage->plan;
  float *const fields[] = {rows, columns};
  float *noise = (float *)(void *)(job->workspace + self->noise);
  float *smooth = (float *)(void *)(job->workspace + self->smooth);
  const size_t noise_pitch = job->augment->pitch + 2 * self->radius;
  uint32_t block = FIRST_BLOCK;
  for (size_t f = 0; f < 2; f++) {
    block = draw_noise(job, block, noise, noise_pitch);
    smooth_rows(job, noise, noise_pitch, smooth);
    add_columns(job, smooth, fields[f]);
  }
}

const ls_augment_kind ls_augment_elastic = {
    .schema = {.name = "elastic",
               .keys = keys,
               .key_count = sizeof keys / sizeof keys[0],
               .options_bytes = sizeof(elastic_options)},
    .is_on = is_on,
    .plan = plan,
    .release = release,
    .map = map,
    .note = note,
};
