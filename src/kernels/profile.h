/* SPDX-License-Identifier: BSD-3-Clause */
/* A thread's times in forward and backward passes: seconds by layer and phase. */
#ifndef LS_KERNELS_PROFILE_H
#define LS_KERNELS_PROFILE_H

#include <stddef.h>

#include "base/clock.h"

typedef enum ls_phase {
  LS_PHASE_FORWARD,
  LS_PHASE_BACKWARD_DATA,    /* gradient with respect to the input; all of it in layers without weights */
  LS_PHASE_BACKWARD_WEIGHTS, /* gradient with respect to weights and biases */
  LS_PHASE_COUNT
} ls_phase;

/** One thread's. */
typedef struct ls_profile {
  double lap_s;                     /* clock at the end of the last phase */
  double (*layers)[LS_PHASE_COUNT]; /* seconds, [layers of the model] by ls_kernel_pass.layer; borrowed */
} ls_profile;

/** A pass begins. */
static inline void ls_profile_start(ls_profile *profile)
{
  if (profile) profile->lap_s = ls_clock_s();
}

/** Count the time since the last lap, or the start, for this phase of the layer of that index. A NULL profile
 * is fine. */
static inline void ls_profile_lap(ls_profile *profile, size_t layer, ls_phase phase)
{
  if (!profile) return;
  const double now_s = ls_clock_s();
  profile->layers[layer][phase] += now_s - profile->lap_s;
  profile->lap_s = now_s;
}

#endif
