/* SPDX-License-Identifier: BSD-3-Clause */
/* Storage of a shard: three parallel arrays, so that the images of a micro-batch lie side by side. */
#include "data/shard.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "comm/team.h"

ls_status ls_shard_init(ls_shard *shard, size_t count, size_t image_bytes, size_t columns)
{
  *shard = (ls_shard){.count = count, .image_bytes = image_bytes, .columns = columns};
  ls_status status;
  LS_GO(ls_alloc_untouched(&shard->images, count, image_bytes, "the images of a shard"));
  LS_GO(ls_alloc(&shard->labels, count, sizeof *shard->labels, "the labels of a shard"));
  if (columns > 0)
    LS_GO(ls_alloc(&shard->values, count, columns * sizeof *shard->values, "the values of a shard"));
  LS_GO(ls_alloc(&shard->samples, count, sizeof *shard->samples, "the sample numbers of a shard"));
done:
  if (status != LS_OK) ls_shard_fini(shard);
  return status;
}

void ls_shard_fini(ls_shard *shard)
{
  free(shard->images);
  free(shard->labels);
  free(shard->values);
  free(shard->samples);
  *shard = (ls_shard){0};
}

void ls_shard_label(ls_shard *shard, const uint16_t *split_labels, const float *split_values)
{
  const size_t columns = shard->columns;
  for (size_t i = 0; i < shard->count; i++) shard->labels[i] = split_labels[shard->samples[i]];
  for (size_t i = 0; columns > 0 && i < shard->count; i++)
    memcpy(shard->values + i * columns, split_values + shard->samples[i] * columns, columns * sizeof(float));
}

/* ---- each thread its own ---- */

typedef struct walk {
  const ls_shard *shard;
  const ls_shard_use *use;
  ls_shard_visit *visit;
  void *user;
} walk;

/* Each step's threads begin with a micro-batch each. */
static void walk_steps(void *user, size_t thread)
{
  const walk *self = user;
  const ls_plan *plan = self->use->steps;
  const size_t rank = self->use->rank, steps = ls_plan_steps(plan);
  for (size_t step = 0; step < steps; step++) {
    const size_t count = ls_plan_step_microbatches(plan, rank, step);
    for (size_t i = thread; i < count; i += self->use->threads) {
      const ls_plan_run run = ls_plan_microbatch(plan, rank, step, i);
      self->visit(self->user, thread, run.index, run.count);
    }
  }
}

static void walk_neighbours(void *user, size_t thread)
{
  const walk *self = user;
  const size_t count = self->shard->count, threads = self->use->threads;
  const size_t first = ls_part_first(count, threads, thread);
  self->visit(self->user, thread, first, ls_part_first(count, threads, thread + 1) - first);
}

void ls_shard_walk(const ls_shard *shard, const ls_shard_use *use, ls_shard_visit *visit, void *user)
{
  walk self = {.shard = shard, .use = use, .visit = visit, .user = user};
  ls_team_run(use->threads, use->steps ? walk_steps : walk_neighbours, &self);
}

static void clear(void *user, size_t thread, size_t first, size_t count)
{
  (void)thread;
  const ls_shard *shard = user;
  memset(shard->images + first * shard->image_bytes, 0, count * shard->image_bytes);
}

void ls_shard_clear(ls_shard *shard, const ls_shard_use *use)
{
  ls_shard_walk(shard, use, clear, shard);
}

typedef struct resizing {
  const ls_resizer *resizer;
  const ls_shard *from, *to; /* their images alone */
  uint8_t *scratch;          /* [threads, scratch_bytes] */
  size_t scratch_bytes;      /* whole cache lines */
} resizing;

static void resize(void *user, size_t thread, size_t first, size_t count)
{
  const resizing *self = user;
  ls_resizer_run(self->resizer, self->from->images + first * self->from->image_bytes, count,
                 self->to->images + first * self->to->image_bytes,
                 self->scratch + thread * self->scratch_bytes);
}

ls_status ls_shard_resize(ls_shard *shard, const ls_shard_use *use, const ls_resizer *resizer,
                          size_t image_bytes)
{
  if (!shard->images) return LS_OK;
  ls_shard made = *shard;
  resizing self = {.resizer = resizer,
                   .from = shard,
                   .to = &made,
                   .scratch_bytes = ls_size_round_up(ls_resizer_scratch_bytes(resizer), LS_ALIGNMENT)};
  made.image_bytes = image_bytes;
  LS_PASS(ls_alloc(&self.scratch, use->threads, self.scratch_bytes, "images"));
  const ls_status status =
      ls_alloc_untouched(&made.images, shard->count, image_bytes, "the images of a shard");
  if (status == LS_OK) {
    ls_shard_walk(shard, use, resize, &self);
    free(shard->images);
    *shard = made;
  }
  free(self.scratch);
  return status;
}
