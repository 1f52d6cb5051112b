/* SPDX-License-Identifier: BSD-3-Clause */
/* An image goes through three stages: its frame, one resampling where pixels are displaced, and changes of
 * the result. */
#include "data/augment/augment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "data/augment/kind.h"

enum {
  MARGIN = 1,         /* zeros around an image that is read from; after it, one more */
  WORDS_PER_BLOCK = 4 /* of ls_rng_block() */
};

#define LIST_KIND(name) &ls_augment_##name,
#define LIST_SCHEMA(name) &ls_augment_##name.schema,

const ls_augment_kind *const ls_augment_kinds[LS_AUGMENT_COUNT + 1] = {LS_AUGMENT_LIST(LIST_KIND) NULL};
const ls_schema *const ls_augment_schemas[] = {LS_AUGMENT_LIST(LIST_SCHEMA) NULL};

static size_t plane_pitch(const ls_augment *augment)
{
  return augment->width + 2 * MARGIN + 1;
}

static void plan_workspace(ls_augment *augment, ls_arena *part)
{
  const size_t field = augment->height * augment->pitch;
  const size_t image = augment->channels * augment->height * augment->width;
  augment->rows = ls_arena_reserve(part, field, sizeof(float));
  augment->columns = ls_arena_reserve(part, field, sizeof(float));
  augment->corners = ls_arena_reserve(part, field, sizeof(int32_t));
  augment->plane =
      ls_arena_reserve(part, plane_pitch(augment) * (augment->height + 2 * MARGIN + 1), sizeof(float));
  augment->images = ls_arena_reserve(part, augment->microbatch, image);
}

/* The kinds that the configuration turns on. */
static void find_stages(ls_augment *augment, const ls_kind_list *spec)
{
  size_t draws = 0;
  for (size_t i = 0; i < spec->count; i++) {
    const ls_augment_kind *kind = ls_augment_kinds[i];
    assert(spec->items[i].schema == &kind->schema && "a configuration has all kinds, in their order");
    assert(kind->first_draw + kind->draws <= LS_AUGMENT_MOST_DRAWS);
    if (!kind->is_on(spec->items[i].options)) continue;
    augment->stages[augment->stage_count++] =
        (ls_augment_stage){.kind = kind, .options = spec->items[i].options};
    augment->moves = augment->moves || kind->map;
    draws = ls_size_max(draws, kind->first_draw + kind->draws);
  }
  augment->draw_blocks = (uint32_t)ls_size_ceil_div(draws, WORDS_PER_BLOCK);
}

static ls_status plan(ls_augment *augment, size_t threads)
{
  ls_arena workspace = {0};
  plan_workspace(augment, &workspace);
  for (size_t i = 0; i < augment->stage_count; i++) {
    ls_augment_stage *stage = &augment->stages[i];
    if (stage->kind->plan) LS_PASS(stage->kind->plan(augment, stage->options, &workspace, &stage->plan));
  }
  augment->part_bytes = workspace.bytes;
  ls_arena_reserve(&augment->arena, threads, augment->part_bytes);
  return ls_arena_allocate(&augment->arena, "the augmentation");
}

ls_status ls_augment_new(ls_augment **out, const ls_augment_options *options)
{
  *out = NULL;
  ls_augment *augment;
  LS_PASS(ls_alloc(&augment, 1, sizeof *augment, "the augmentation"));
  *augment = (ls_augment){.channels = options->channels,
                          .height = options->height,
                          .width = options->width,
                          .microbatch = options->microbatch,
                          .seed = options->seed,
                          .pitch = ls_size_ceil_div(options->width, LS_AUGMENT_LANES) * LS_AUGMENT_LANES};
  find_stages(augment, &options->spec->kinds);
  const ls_status status = augment->stage_count > 0 ? plan(augment, options->threads) : LS_OK;
  if (status == LS_OK && augment->stage_count > 0)
    *out = augment;
  else
    ls_augment_free(augment);
  return status;
}

void ls_augment_free(ls_augment *augment)
{
  if (!augment) return;
  ls_arena_fini(&augment->arena);
  for (size_t i = 0; i < augment->stage_count; i++)
    if (augment->stages[i].kind->release) augment->stages[i].kind->release(augment->stages[i].plan);
  free(augment);
}

/* The pixel (i, j) of a framed plane. */
static uint8_t framed(const ls_augment *augment, const ls_augment_frame *f, const uint8_t *plane, size_t i,
                      size_t j)
{
  const ptrdiff_t row = (ptrdiff_t)i + f->row;
  const ptrdiff_t column = (ptrdiff_t)(f->flipped ? augment->width - 1 - j : j) + f->column;
  const bool inside =
      row >= 0 && row < (ptrdiff_t)augment->height && column >= 0 && column < (ptrdiff_t)augment->width;
  return inside ? plane[(size_t)row * augment->width + (size_t)column] : 0;
}

static void copy_framed(const ls_augment *augment, const ls_augment_frame *f, const uint8_t *from,
                        uint8_t *to)
{
  const size_t pixels = augment->height * augment->width;
  for (size_t c = 0; c < augment->channels; c++)
    for (size_t i = 0; i < augment->height; i++)
      for (size_t j = 0; j < augment->width; j++)
        to[c * pixels + i * augment->width + j] = framed(augment, f, from + c * pixels, i, j);
}

/* A framed plane as floats, with a margin of zeros. */
static void load_plane(const ls_augment *augment, const ls_augment_frame *f, const uint8_t *from,
                       float *plane)
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

/* From positions in pixels to the corner above and to the left of each, and how far it lies below and right.
 */
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

/* Rows and columns that are read where no pixel is displaced. */
static void stay(const ls_augment *augment, float *rows, float *columns)
{
  for (size_t i = 0; i < augment->height; i++)
    for (size_t j = 0; j < augment->pitch; j++) {
      rows[i * augment->pitch + j] = (float)i;
      columns[i * augment->pitch + j] = (float)j;
    }
}

static void resample(ls_augment_job *job, const ls_augment_frame *f, const uint8_t *from, uint8_t *to)
{
  const ls_augment *augment = job->augment;
  float *rows = (float *)(void *)(job->workspace + augment->rows);
  float *columns = (float *)(void *)(job->workspace + augment->columns);
  float *plane = (float *)(void *)(job->workspace + augment->plane);
  const size_t pixels = augment->height * augment->width;
  stay(augment, rows, columns);
  for (size_t i = 0; i < augment->stage_count; i++) {
    job->stage = &augment->stages[i];
    if (job->stage->kind->map) job->stage->kind->map(job, rows, columns);
  }
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
  ls_augment_frame f = {.row = 0};
  for (uint32_t block = 0; block < augment->draw_blocks; block++)
    ls_rng_block(&job->rng, block, job->words + (size_t)WORDS_PER_BLOCK * block);
  for (size_t i = 0; i < augment->stage_count; i++) {
    job->stage = &augment->stages[i];
    if (job->stage->kind->frame) job->stage->kind->frame(job, &f);
  }
  if (augment->moves)
    resample(job, &f, from, to);
  else
    copy_framed(augment, &f, from, to);
  for (size_t i = 0; i < augment->stage_count; i++) {
    job->stage = &augment->stages[i];
    if (job->stage->kind->edit) job->stage->kind->edit(job, to);
  }
}

void ls_augment_clear(const ls_augment *augment, ls_augment_box box, uint8_t *image)
{
  for (size_t c = 0; c < augment->channels; c++)
    for (size_t i = box.top; i < box.bottom; i++)
      memset(image + (c * augment->height + i) * augment->width + box.left, 0, box.right - box.left);
}

void ls_augment_note(const ls_spec_augment *spec, size_t height, size_t width, ls_text *lines)
{
  for (size_t i = 0; i < spec->kinds.count; i++)
    if (ls_augment_kinds[i]->note)
      ls_augment_kinds[i]->note(spec->kinds.items[i].options, height, width, lines);
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
