/* SPDX-License-Identifier: BSD-3-Clause */
/* The course of an image: flip and crop, one resampling, erasing. */
#include "data/augment/augment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "data/augment/internal.h"

enum { MARGIN = 1 /* zeros around an image that is read from; after it, one more */ };

static bool moves(const ls_spec_augment *spec)
{
  return spec->rotate > 0 || spec->shift > 0 || spec->zoom > 0 || spec->shear > 0;
}

static bool is_elastic(const ls_spec_augment *spec)
{
  return spec->elastic.alpha > 0;
}

static bool does_anything(const ls_spec_augment *spec)
{
  return moves(spec) || is_elastic(spec) || spec->cutout > 0 || spec->erase > 0 || spec->crop_pad > 0 ||
         spec->flip;
}

static size_t plane_pitch(const ls_augment *augment)
{
  return augment->width + 2 * MARGIN + 1;
}

static void plan_workspace(ls_augment *augment)
{
  ls_arena part = {0};
  const size_t field = augment->height * augment->pitch;
  const size_t image = augment->channels * augment->height * augment->width;
  augment->rows = ls_arena_reserve(&part, field, sizeof(float));
  augment->columns = ls_arena_reserve(&part, field, sizeof(float));
  augment->corners = ls_arena_reserve(&part, field, sizeof(int32_t));
  augment->plane =
      ls_arena_reserve(&part, plane_pitch(augment) * (augment->height + 2 * MARGIN + 1), sizeof(float));
  augment->smooth = ls_arena_reserve(&part, field, sizeof(float));
  augment->noise =
      ls_arena_reserve(&part, augment->height * (augment->pitch + 2 * augment->radius), sizeof(float));
  augment->images = ls_arena_reserve(&part, augment->microbatch, image);
  augment->part_bytes = part.bytes;
}

static ls_status plan(ls_augment *augment, size_t threads)
{
  if (is_elastic(&augment->spec)) LS_PASS(ls_augment_elastic_plan(augment));
  plan_workspace(augment);
  ls_arena_reserve(&augment->arena, threads, augment->part_bytes);
  return ls_arena_allocate(&augment->arena, "the augmentation");
}

ls_status ls_augment_new(ls_augment **out, const ls_augment_options *options)
{
  *out = NULL;
  if (!does_anything(options->spec)) return LS_OK;
  ls_augment *augment;
  LS_PASS(ls_alloc(&augment, 1, sizeof *augment, "the augmentation"));
  *augment = (ls_augment){.spec = *options->spec,
                          .channels = options->channels,
                          .height = options->height,
                          .width = options->width,
                          .microbatch = options->microbatch,
                          .seed = options->seed,
                          .pitch = ls_size_ceil_div(options->width, LS_AUGMENT_LANES) * LS_AUGMENT_LANES};
  const ls_status status = plan(augment, options->threads);
  if (status == LS_OK)
    *out = augment;
  else
    ls_augment_free(augment);
  return status;
}

void ls_augment_free(ls_augment *augment)
{
  if (!augment) return;
  ls_arena_fini(&augment->arena);
  free(augment->kernel);
  free(augment);
}

/* Where a flipped and cropped image begins in the one that it is made of, and which way its rows run. */
typedef struct frame {
  ptrdiff_t row, column;
  bool flipped;
} frame;

static frame draw_frame(const ls_augment_job *job)
{
  const ls_spec_augment *spec = &job->augment->spec;
  const float places = (float)(2 * spec->crop_pad + 1);
  return (frame){
      .row = (ptrdiff_t)(ls_augment_unit(job, LS_DRAW_CROP_ROW) * places) - (ptrdiff_t)spec->crop_pad,
      .column = (ptrdiff_t)(ls_augment_unit(job, LS_DRAW_CROP_COLUMN) * places) - (ptrdiff_t)spec->crop_pad,
      .flipped = spec->flip && ls_augment_unit(job, LS_DRAW_FLIP) < 0.5F};
}

/* The pixel (i, j) of a framed plane. */
static uint8_t framed(const ls_augment *augment, const frame *f, const uint8_t *plane, size_t i, size_t j)
{
  const ptrdiff_t row = (ptrdiff_t)i + f->row;
  const ptrdiff_t column = (ptrdiff_t)(f->flipped ? augment->width - 1 - j : j) + f->column;
  const bool inside =
      row >= 0 && row < (ptrdiff_t)augment->height && column >= 0 && column < (ptrdiff_t)augment->width;
  return inside ? plane[(size_t)row * augment->width + (size_t)column] : 0;
}

static void copy_framed(const ls_augment *augment, const frame *f, const uint8_t *from, uint8_t *to)
{
  const size_t pixels = augment->height * augment->width;
  for (size_t c = 0; c < augment->channels; c++)
    for (size_t i = 0; i < augment->height; i++)
      for (size_t j = 0; j < augment->width; j++)
        to[c * pixels + i * augment->width + j] = framed(augment, f, from + c * pixels, i, j);
}

/* A framed plane as floats, with a margin of zeros. */
static void load_plane(const ls_augment *augment, const frame *f, const uint8_t *from, float *plane)
{
  const size_t pitch = plane_pitch(augment);
  const bool is_plain = f->row == 0 && f->column == 0 && !f->flipped;
  memset(plane, 0, pitch * (augment->height + 2 * MARGIN + 1) * sizeof *plane);
  for (size_t i = 0; i < augment->height; i++) {
    float *row = plane + (i + MARGIN) * pitch + MARGIN;
    const uint8_t *bytes = from + i * augment->width;
    for (size_t j = 0; j < augment->width; j++)
      row[j] = (float)(is_plain ? bytes[j] : framed(augment, f, from, i, j));
  }
}

static float clamped(float value, float most)
{
  const float low = value > -(float)MARGIN ? value : -(float)MARGIN;
  return low < most ? low : most;
}

/* From places in pixels to the corner above and to the left of each, and how far it lies below and right. */
static void find_corners(const ls_augment_job *job)
{
  const ls_augment *augment = job->augment;
  float *restrict rows = (float *)(void *)(job->workspace + augment->rows);
  float *restrict columns = (float *)(void *)(job->workspace + augment->columns);
  int32_t *restrict corners = (int32_t *)(void *)(job->workspace + augment->corners);
  const int32_t pitch = (int32_t)plane_pitch(augment);
  const float height = (float)augment->height, width = (float)augment->width;
  for (size_t k = 0; k < augment->height * augment->pitch; k++) {
    const float row = clamped(rows[k], height) + (float)MARGIN;
    const float column = clamped(columns[k], width) + (float)MARGIN;
    const int32_t top = (int32_t)row, left = (int32_t)column;
    rows[k] = row - (float)top;
    columns[k] = column - (float)left;
    corners[k] = top * pitch + left;
  }
}

/* Bilinear interpolation. */
static void read_plane(const ls_augment_job *job, const float *plane, uint8_t *to)
{
  const ls_augment *augment = job->augment;
  const float *below = (const float *)(void *)(job->workspace + augment->rows);
  const float *right = (const float *)(void *)(job->workspace + augment->columns);
  const int32_t *corners = (const int32_t *)(void *)(job->workspace + augment->corners);
  const size_t pitch = plane_pitch(augment);
  for (size_t i = 0; i < augment->height; i++)
    for (size_t j = 0; j < augment->width; j++) {
      const size_t k = i * augment->pitch + j;
      const float *corner = plane + corners[k];
      const float upper = corner[0] + right[k] * (corner[1] - corner[0]);
      const float lower = corner[pitch] + right[k] * (corner[pitch + 1] - corner[pitch]);
      to[i * augment->width + j] = (uint8_t)(int32_t)(upper + below[k] * (lower - upper) + 0.5F);
    }
}

/* Rows and columns that are read where nothing is moved. */
static void stay(const ls_augment *augment, float *rows, float *columns)
{
  for (size_t i = 0; i < augment->height; i++)
    for (size_t j = 0; j < augment->pitch; j++) {
      rows[i * augment->pitch + j] = (float)i;
      columns[i * augment->pitch + j] = (float)j;
    }
}

static void resample(const ls_augment_job *job, const frame *f, const uint8_t *from, uint8_t *to)
{
  const ls_augment *augment = job->augment;
  float *rows = (float *)(void *)(job->workspace + augment->rows);
  float *columns = (float *)(void *)(job->workspace + augment->columns);
  float *plane = (float *)(void *)(job->workspace + augment->plane);
  const size_t pixels = augment->height * augment->width;
  if (moves(&augment->spec))
    ls_augment_affine(job, rows, columns);
  else
    stay(augment, rows, columns);
  if (is_elastic(&augment->spec)) ls_augment_elastic(job, rows, columns);
  find_corners(job);
  for (size_t c = 0; c < augment->channels; c++) {
    load_plane(augment, f, from + c * pixels, plane);
    read_plane(job, plane, to + c * pixels);
  }
}

/* to[c, h, w] from from[c, h, w]. */
static void augment_image(ls_augment_job *job, const uint8_t *from, uint8_t *to)
{
  const ls_augment *augment = job->augment;
  for (uint32_t block = 0; block < LS_DRAW_COUNT / 4; block++)
    ls_rng_block(&job->rng, block, job->words + (size_t)4 * block);
  const frame f = draw_frame(job);
  if (moves(&augment->spec) || is_elastic(&augment->spec))
    resample(job, &f, from, to);
  else
    copy_framed(augment, &f, from, to);
  ls_augment_erase(job, to);
}

ls_microbatch ls_augment_apply(const ls_augment *augment, size_t part, const ls_microbatch *microbatch,
                               uint64_t epoch)
{
  if (!augment) return *microbatch;
  ls_augment_job job = {.augment = augment, .workspace = augment->arena.base + part * augment->part_bytes};
  const size_t image = augment->channels * augment->height * augment->width;
  uint8_t *images = job.workspace + augment->images;
  for (size_t i = 0; i < microbatch->n; i++) {
    job.rng = ls_rng_stream(augment->seed, LS_RNG_AUGMENT, epoch, microbatch->samples[i]);
    augment_image(&job, microbatch->images + i * image, images + i * image);
  }
  ls_microbatch augmented = *microbatch;
  augmented.images = images;
  return augmented;
}
