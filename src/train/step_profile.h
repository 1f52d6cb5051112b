/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the time of training steps goes: seconds of each thread by layer and phase (kernels/profile.h) and by
 * the sections below. */
#ifndef LS_TRAIN_STEP_PROFILE_H
#define LS_TRAIN_STEP_PROFILE_H

#include <stddef.h>

#include "base/status.h"
#include "nn/model.h"
#include "kernels/profile.h"

/** Sections that belong to no layer. The last two are of the whole rank, and count for thread 0. */
typedef enum ls_section {
  LS_SECTION_DATA, /* pixels to the model's input */
  LS_SECTION_LOSS,
  LS_SECTION_SUMS,      /* gradients of several micro-batches of a thread to one */
  LS_SECTION_REDUCTION, /* sums over threads and ranks, waiting for them included */
  LS_SECTION_OPTIMIZER, /* norm, update, packing */
  LS_SECTION_COUNT
} ls_section;

typedef struct ls_step_profile {
  size_t threads, layers;
  ls_profile *passes;                   /* [threads] */
  double (*sections)[LS_SECTION_COUNT]; /* [threads] seconds */
} ls_step_profile;

/** Zeroed. On error the caller still calls ls_step_profile_fini(). Local. Errors: LS_E_MEMORY. */
ls_status ls_step_profile_init(ls_step_profile *profile, const ls_model *model, size_t threads) LS_CHECKED;
void ls_step_profile_fini(ls_step_profile *profile);

/** The profile of a thread's passes; NULL of NULL, as below. */
static inline ls_profile *ls_step_profile_passes(const ls_step_profile *profile, size_t thread)
{
  return profile ? &profile->passes[thread] : NULL;
}

/** Count the time since the thread's last lap for this section. */
void ls_step_profile_lap(ls_step_profile *profile, size_t thread, ls_section section);

#endif
