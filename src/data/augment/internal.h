/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the augmentation share. Private to augment*.c. */
#ifndef LS_DATA_AUGMENT_INTERNAL_H
#define LS_DATA_AUGMENT_INTERNAL_H

#include "base/memory.h"
#include "base/rng.h"
#include "data/augment/augment.h"

/** The random words of an image, in the order in which they are drawn. Part of every reproducible run:
 * append, never renumber. The elastic distortion draws its own. */
typedef enum ls_augment_draw {
  LS_DRAW_FLIP,
  LS_DRAW_CROP_ROW,
  LS_DRAW_CROP_COLUMN,
  LS_DRAW_ROTATE,
  LS_DRAW_SHIFT_ROWS,
  LS_DRAW_SHIFT_COLUMNS,
  LS_DRAW_SHEAR,
  LS_DRAW_ZOOM_ROWS,
  LS_DRAW_ZOOM_COLUMNS,
  LS_DRAW_CUTOUT_ROW,
  LS_DRAW_CUTOUT_COLUMN,
  LS_DRAW_ERASE,
  LS_DRAW_ERASE_AREA,
  LS_DRAW_ERASE_ASPECT,
  LS_DRAW_ERASE_ROW,
  LS_DRAW_ERASE_COLUMN,
  LS_DRAW_COUNT
} ls_augment_draw;

enum { LS_AUGMENT_LANES = 32 /* floats that loops over columns take at a time: four vectors of AVX2 */ };

/** One image on its way. */
typedef struct ls_augment_job {
  const ls_augment *augment;
  ls_rng rng;
  uint32_t words[LS_DRAW_COUNT];
  unsigned char *workspace;
} ls_augment_job;

struct ls_augment {
  ls_spec_augment spec;
  size_t channels, height, width, microbatch;
  uint64_t seed;
  size_t pitch;  /* width, up to a multiple of LS_AUGMENT_LANES */
  float *kernel; /* [2 radius + 1] of the elastic distortion's Gaussian; NULL: none */
  size_t radius;
  /* Offsets in a thread's workspace: */
  size_t rows, columns; /* [height, pitch] where each pixel is read, in pixels */
  size_t corners;       /* [height, pitch] the same as indices in the plane */
  size_t plane;         /* one channel of an image as floats, with a margin */
  size_t noise, smooth; /* what the elastic distortion is made of */
  size_t images;        /* [microbatch, channels, height, width] bytes: what is handed out */
  size_t part_bytes;    /* of a thread's workspace */
  ls_arena arena;       /* the workspaces of all threads */
};

/** A draw in [0, 1), and in [-range, range). */
static inline float ls_augment_unit(const ls_augment_job *job, ls_augment_draw draw)
{
  return ls_rng_unit(job->words[draw]);
}

static inline float ls_augment_between(const ls_augment_job *job, ls_augment_draw draw, double range)
{
  return (float)range * (2.0F * ls_augment_unit(job, draw) - 1.0F);
}

/** Rows and columns [height, pitch] that each pixel is read from: the affine map. Source of the meanings of
 * the ranges and of their order: Keras, ImageDataGenerator (rotation, shift, shear, zoom about the centre).
 */
void ls_augment_affine(const ls_augment_job *job, float *rows, float *columns);

/** Plan the elastic distortion; add its displacements. */
ls_status ls_augment_elastic_plan(ls_augment *augment) LS_CHECKED;
void ls_augment_elastic(const ls_augment_job *job, float *rows, float *columns);

/** Set a square or a rectangle of the image [c, h, w] to 0. */
void ls_augment_erase(const ls_augment_job *job, uint8_t *image);

#endif
