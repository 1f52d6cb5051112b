/* SPDX-License-Identifier: BSD-3-Clause */
/* Elementwise averages, dealt to threads. */
#include "train/ema.h"

#include <math.h>

#include "base/size.h"
#include "comm/team.h"

static void blend(float *restrict average, const float *restrict now, float share, size_t first, size_t end)
{
  for (size_t i = first; i < end; i++) average[i] += share * (now[i] - average[i]);
}

/* What the threads share. */
typedef struct update {
  const ls_network *average, *now;
  float share;
  size_t threads;
} update;

static void update_part(void *user, size_t part)
{
  const update *self = user;
  const ls_model_counts *counts = ls_model_count(self->now->model);
  const size_t threads = self->threads;
  blend(self->average->params, self->now->params, self->share, ls_part_first(counts->params, threads, part),
        ls_part_first(counts->params, threads, part + 1));
  blend(self->average->buffers, self->now->buffers, self->share,
        ls_part_first(counts->buffers, threads, part), ls_part_first(counts->buffers, threads, part + 1));
}

void ls_ema_update(const ls_network *average, const ls_network *now, double decay, uint64_t step,
                   size_t threads)
{
  const double most = (1.0 + (double)step) / (10.0 + (double)step);
  update self = {
      .average = average, .now = now, .share = (float)(1.0 - fmin(decay, most)), .threads = threads};
  ls_team_run(threads, update_part, &self);
}
