/* SPDX-License-Identifier: BSD-3-Clause */
/* An augmentation: one table of operations per kind, one file per kind, listed in data/kinds.h.
 * Private to this folder. */
#ifndef LS_DATA_AUGMENT_KIND_H
#define LS_DATA_AUGMENT_KIND_H

#include <assert.h>

#include "base/memory.h"
#include "base/rng.h"
#include "base/text.h"
#include "config/keys.h"
#include "data/kinds.h"

enum {
  LS_AUGMENT_LANES = 32,     /* floats that loops over columns take at a time: four vectors of AVX2 */
  LS_AUGMENT_MOST_DRAWS = 64 /* of all kinds; a kind's own further draws come behind them */
};

typedef struct ls_augment ls_augment;
typedef struct ls_augment_kind ls_augment_kind;

/** A kind that is on. */
typedef struct ls_augment_stage {
  const ls_augment_kind *kind;
  const void *options; /* borrowed */
  void *plan;          /* the kind's own; NULL: it has none */
} ls_augment_stage;

/** One image on its way through a stage. */
typedef struct ls_augment_job {
  const ls_augment *augment;
  const ls_augment_stage *stage;
  ls_rng rng;
  uint32_t words[LS_AUGMENT_MOST_DRAWS]; /* the draws of the stages that are on */
  unsigned char *workspace;              /* of the thread */
} ls_augment_job;

/** Where a version of an image begins in the original, and the direction of its rows. */
typedef struct ls_augment_frame {
  ptrdiff_t row, column;
  bool flipped;
} ls_augment_frame;

struct ls_augment_kind {
  ls_schema schema; /* the keys are rows of the whole configuration: "data.augment.flip" */
  bool (*is_on)(const void *options);
  /* The kind's random words of an image. Reproducible runs depend on them: the numbers of a kind never
   * change, and a new kind takes numbers behind all others. */
  size_t first_draw, draws;
  /* Make the kind's state, and reserve its blocks in a thread's workspace. Optional: none. Errors:
   * LS_E_MEMORY.
   */
  ls_status (*plan)(const ls_augment *augment, const void *options, ls_arena *workspace,
                    void **plan) LS_CHECKED;
  void (*release)(void *plan); /* with plan */

  /* One of these three: */
  /* Move or mirror the whole image by pixels. */
  void (*frame)(const ls_augment_job *job, ls_augment_frame *frame);
  /* Change rows and columns [height, pitch], in pixels, that each pixel is read from by interpolation. */
  void (*map)(const ls_augment_job *job, float *rows, float *columns);
  /* Change the finished image [channels, height, width]. */
  void (*edit)(const ls_augment_job *job, uint8_t *image);

  /* Append a line for each option that has no effect, or not the one that it names, with images of this size.
   * Optional: there is none. */
  void (*note)(const void *options, size_t height, size_t width, ls_text *lines);
};

#define LS_AUGMENT_DECLARE(name) extern const ls_augment_kind ls_augment_##name;
LS_AUGMENT_LIST(LS_AUGMENT_DECLARE)
#undef LS_AUGMENT_DECLARE

#define LS_AUGMENT_COUNT_ONE(name) +1
enum { LS_AUGMENT_COUNT = 0 LS_AUGMENT_LIST(LS_AUGMENT_COUNT_ONE) };
#undef LS_AUGMENT_COUNT_ONE

extern const ls_augment_kind *const ls_augment_kinds[LS_AUGMENT_COUNT + 1]; /* NULL-terminated */

struct ls_augment {
  size_t channels, height, width, microbatch;
  uint64_t seed;
  size_t pitch; /* width, up to a multiple of LS_AUGMENT_LANES */
  ls_augment_stage stages[LS_AUGMENT_COUNT];
  size_t stage_count;
  uint32_t draw_blocks; /* of four words, that hold the stages' draws */
  bool moves;           /* pixels are read by interpolation */
  /* Offsets in a thread's workspace: */
  size_t rows, columns; /* [height, pitch] where each pixel is read, in pixels */
  size_t corners;       /* [height, pitch] the same as indices in the plane */
  size_t plane;         /* one channel of an image as floats, with a margin */
  size_t images;        /* [microbatch, channels, height, width] bytes: what is handed out */
  size_t part_bytes;    /* of a thread's workspace */
  ls_arena arena;       /* the workspaces of all threads */
};

/** The stage's draw number `draw`, from 0, in [0, 1). */
static inline float ls_augment_unit(const ls_augment_job *job, size_t draw)
{
  assert(draw < job->stage->kind->draws);
  return ls_rng_unit(job->words[job->stage->kind->first_draw + draw]);
}

/** The same in [-range, range). */
static inline float ls_augment_between(const ls_augment_job *job, size_t draw, double range)
{
  return (float)range * (2.0F * ls_augment_unit(job, draw) - 1.0F);
}

/** The same in 0 .. count - 1. */
static inline size_t ls_augment_pick(const ls_augment_job *job, size_t draw, size_t count)
{
  const size_t picked = (size_t)(ls_augment_unit(job, draw) * (float)count);
  return picked < count ? picked : count - 1;
}

/** Rows top .. bottom - 1 and columns left .. right - 1 of an image. */
typedef struct ls_augment_box {
  size_t top, left, bottom, right;
} ls_augment_box;

/** Set a part of an image [channels, height, width] to 0. */
void ls_augment_clear(const ls_augment *augment, ls_augment_box box, uint8_t *image);

#endif
