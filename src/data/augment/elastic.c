/* SPDX-License-Identifier: BSD-3-Clause */
/* Elastic distortion: every pixel is displaced by a smooth random field, uniform noise in [-1, 1) convolved
 * with a Gaussian of sigma pixels (zeros outside of the image) and multiplied by alpha, one field for rows
 * and one for columns.
 *
 * Source: Simard, Steinkraus, Platt: "Best Practices for Convolutional Neural Networks Applied to Visual
 * Document Analysis", ICDAR 2003, section 2. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "data/augment/internal.h"

enum { FIRST_BLOCK = 16 /* of the image's stream: those before are the other draws' */ };

static const double TRUNCATE = 4.0; /* the Gaussian ends at so many sigmas */

ls_status ls_augment_elastic_plan(ls_augment *augment)
{
  const double sigma = augment->spec.elastic.sigma;
  augment->radius = (size_t)(TRUNCATE * sigma + 0.5);
  const size_t taps = 2 * augment->radius + 1;
  double sum = 0;
  LS_PASS(ls_alloc(&augment->kernel, taps, sizeof(float), "a Gaussian"));
  for (size_t k = 0; k < taps; k++) {
    const double x = ((double)k - (double)augment->radius) / sigma;
    augment->kernel[k] = (float)exp(-0.5 * x * x);
    sum += (double)augment->kernel[k];
  }
  for (size_t k = 0; k < taps; k++) augment->kernel[k] = (float)((double)augment->kernel[k] / sum);
  return LS_OK;
}

/* Uniform noise in [-1, 1) from 16-bit words, row by row; both sides of a row are zero. The stream's blocks
 * are of eight pixels. */
static uint32_t draw_noise(const ls_augment_job *job, uint32_t block, float *noise, size_t noise_pitch)
{
  const ls_augment *augment = job->augment;
  memset(noise, 0, augment->height * noise_pitch * sizeof *noise);
  for (size_t i = 0; i < augment->height; i++) {
    float *row = noise + i * noise_pitch + augment->radius;
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
static void smooth_rows(const ls_augment *augment, const float *noise, size_t noise_pitch, float *smooth)
{
  const float alpha = (float)augment->spec.elastic.alpha;
  for (size_t i = 0; i < augment->height; i++)
    for (size_t j = 0; j < augment->pitch; j += LS_AUGMENT_LANES)
      convolve(augment->kernel, 2 * augment->radius + 1, noise + i * noise_pitch + j, 1, false,
               smooth + i * augment->pitch + j);
  for (size_t k = 0; k < augment->height * augment->pitch; k++) smooth[k] *= alpha;
}

/* to[height, pitch] += each column convolved. */
static void add_columns(const ls_augment *augment, const float *smooth, float *to)
{
  const size_t pitch = augment->pitch, height = augment->height, radius = augment->radius;
  for (size_t i = 0; i < height; i++) {
    const size_t first = i > radius ? i - radius : 0, end = ls_size_min(height, i + radius + 1);
    for (size_t j = 0; j < pitch; j += LS_AUGMENT_LANES)
      convolve(augment->kernel + (first + radius - i), end - first, smooth + first * pitch + j, pitch, true,
               to + i * pitch + j);
  }
}

void ls_augment_elastic(const ls_augment_job *job, float *rows, float *columns)
{
  const ls_augment *augment = job->augment;
  float *const fields[] = {rows, columns};
  float *noise = (float *)(void *)(job->workspace + augment->noise);
  float *smooth = (float *)(void *)(job->workspace + augment->smooth);
  const size_t noise_pitch = augment->pitch + 2 * augment->radius;
  uint32_t block = FIRST_BLOCK;
  for (size_t f = 0; f < 2; f++) {
    block = draw_noise(job, block, noise, noise_pitch);
    smooth_rows(augment, noise, noise_pitch, smooth);
    add_columns(augment, smooth, fields[f]);
  }
}
