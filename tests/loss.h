/* SPDX-License-Identifier: BSD-3-Clause */
/* Losses as tests want them: by name, with labels as arguments. */
#ifndef LS_TESTS_LOSS_H
#define LS_TESTS_LOSS_H

#include <string.h>

#include "nn/loss.h"

/* With no options of its own. */
static inline ls_loss loss_named(const char *name)
{
  const ls_loss_kind *const *kind = ls_loss_kinds;
  while (*kind && strcmp((*kind)->schema.name, name) != 0) kind++;
  if (!*kind) fail_msg("no loss is called %s", name);
  return (ls_loss){.kind = *kind};
}

static inline ls_loss_sums cross_entropy(const float *logits, const uint16_t *labels, size_t n,
                                         size_t classes, double smoothing, double scale, float *gradient)
{
  const ls_loss loss = loss_named("cross_entropy");
  const ls_targets targets = {.n = n, .classes = classes, .labels = labels, .smoothing = smoothing};
  return ls_loss_run(&loss, logits, &targets, scale, gradient);
}

static inline void cross_entropy_direction(const float *logits, const uint16_t *labels, size_t n,
                                           size_t classes, double scale, float *gradient)
{
  const ls_loss loss = loss_named("cross_entropy");
  const ls_targets targets = {.n = n, .classes = classes, .labels = labels};
  ls_loss_direction(&loss, logits, &targets, scale, gradient);
}

#endif
