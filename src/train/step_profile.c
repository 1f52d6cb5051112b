/* SPDX-License-Identifier: BSD-3-Clause */
#include "train/step_profile.h"

#include <stdlib.h>

#include "base/memory.h"

ls_status ls_step_profile_init(ls_step_profile *profile, const ls_model *model, size_t threads)
{
  *profile = (ls_step_profile){.threads = threads, .layers = ls_model_count(model)->layers};
  LS_PASS(ls_alloc(&profile->sections, threads, sizeof *profile->sections, "a profile"));
  LS_PASS(ls_alloc(&profile->passes, threads, sizeof *profile->passes, "a profile"));
  for (size_t t = 0; t < threads; t++)
    LS_PASS(ls_alloc(&profile->passes[t].layers, profile->layers, sizeof *profile->passes[t].layers,
                     "a profile"));
  return LS_OK;
}

void ls_step_profile_fini(ls_step_profile *profile)
{
  for (size_t t = 0; profile->passes && t < profile->threads; t++) free(profile->passes[t].layers);
  free(profile->passes);
  free(profile->sections);
}

void ls_step_profile_lap(ls_step_profile *profile, size_t thread, ls_section section)
{
  if (!profile) return;
  ls_profile *clock = &profile->passes[thread];
  const double now_s = ls_clock_s();
  profile->sections[thread][section] += now_s - clock->lap_s;
  clock->lap_s = now_s;
}
