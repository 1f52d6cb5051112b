/* SPDX-License-Identifier: BSD-3-Clause */
#include "train/mixup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"

/* What a thread works with. */
typedef struct mixup_part {
  float *first, *shares; /* [values] of the first image; [microbatch] */
  uint16_t *others;      /* [microbatch] */
  ls_loss_mix labels;
} mixup_part;

struct ls_mixup {
  ls_mixup_options options;
  mixup_part *parts; /* [threads] */
};

static ls_status prepare(ls_mixup *mixup)
{
  const ls_mixup_options *options = &mixup->options;
  LS_PASS(ls_alloc(&mixup->parts, options->threads, sizeof *mixup->parts, "mixtures"));
  for (size_t i = 0; i < options->threads; i++) {
    mixup_part *part = &mixup->parts[i];
    LS_PASS(ls_alloc(&part->first, options->values, sizeof(float), "mixtures"));
    LS_PASS(ls_alloc(&part->shares, options->microbatch, sizeof(float), "mixtures"));
    LS_PASS(ls_alloc(&part->others, options->microbatch, sizeof(uint16_t), "mixtures"));
    part->labels = (ls_loss_mix){part->others, part->shares};
  }
  return LS_OK;
}

ls_status ls_mixup_new(ls_mixup **out, const ls_mixup_options *options)
{
  *out = NULL;
  if (options->alpha == 0.0) return LS_OK;
  ls_mixup *mixup;
  LS_PASS(ls_alloc(&mixup, 1, sizeof *mixup, "mixtures"));
  mixup->options = *options;
  const ls_status status = prepare(mixup);
  if (status == LS_OK)
    *out = mixup;
  else
    ls_mixup_free(mixup);
  return status;
}

void ls_mixup_free(ls_mixup *mixup)
{
  if (!mixup) return;
  for (size_t i = 0; mixup->parts && i < mixup->options.threads; i++) {
    free(mixup->parts[i].first);
    free(mixup->parts[i].shares);
    free(mixup->parts[i].others);
  }
  free(mixup->parts);
  free(mixup);
}

/* Beta(alpha, alpha) for alpha up to 1, by rejection; the larger of it and what is left.
 * Source: Joehnk: "Erzeugung von betaverteilten und gammaverteilten Zufallszahlen", Metrika 8, 1964. */
static float draw_share(const ls_mixup *mixup, uint64_t epoch, uint64_t sample)
{
  const ls_rng rng = ls_rng_stream(mixup->options.seed, LS_RNG_MIXUP, epoch, sample);
  const double power = 1.0 / mixup->options.alpha;
  for (uint32_t block = 0;; block++) {
    uint32_t words[4];
    ls_rng_block(&rng, block, words);
    const double x = pow(((double)words[0] + 0.5) * 0x1p-32, power);
    const double y = pow(((double)words[1] + 0.5) * 0x1p-32, power);
    if (x + y <= 1.0 && x + y > 0.0) return (float)(fmax(x, y) / (x + y));
  }
}

void ls_mixup_apply(ls_mixup *mixup, size_t part, const ls_microbatch *microbatch, uint64_t epoch, float *x)
{
  if (!mixup) return;
  const size_t values = mixup->options.values, n = microbatch->n;
  mixup_part *self = &mixup->parts[part];
  memcpy(self->first, x, values * sizeof *x);
  for (size_t i = 0; i < n; i++) {
    float *restrict own = x + i * values;
    const float *restrict other = i + 1 < n ? own + values : self->first;
    const float share = draw_share(mixup, epoch, microbatch->samples[i]);
    for (size_t k = 0; k < values; k++) own[k] = share * own[k] + (1.0F - share) * other[k];
    self->shares[i] = share;
    self->others[i] = microbatch->labels[(i + 1) % n];
  }
}

const ls_loss_mix *ls_mixup_labels(const ls_mixup *mixup, size_t part)
{
  return mixup ? &mixup->parts[part].labels : NULL;
}
