/* SPDX-License-Identifier: BSD-3-Clause */
/* Elementwise averages. */
#include "optim/ema.h"

#include <math.h>

#include "base/size.h"

static void blend(float *restrict average, const float *restrict now, float share, size_t first, size_t end)
{
  for (size_t i = first; i < end; i++) average[i] += share * (now[i] - average[i]);
}

void ls_ema_update(const ls_network *average, const ls_network *now, double decay, uint64_t step, size_t part,
                   size_t parts)
{
  const ls_model_counts *counts = ls_model_count(now->model);
  const double most = (1.0 + (double)step) / (10.0 + (double)step);
  const float share = (float)(1.0 - fmin(decay, most));
  blend(average->params, now->params, share, ls_part_first(counts->params, parts, part),
        ls_part_first(counts->params, parts, part + 1));
  blend(average->buffers, now->buffers, share, ls_part_first(counts->buffers, parts, part),
        ls_part_first(counts->buffers, parts, part + 1));
}
