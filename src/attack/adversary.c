/* SPDX-License-Identifier: BSD-3-Clause */
/* From the configuration to the attacks of a step. */
#include "attack/adversary.h"

#include <stdlib.h>

#include "base/memory.h"

struct ls_adversary {
  ls_attack attack;
  double alpha;
  size_t warmup_epochs;
  const ls_network *network;
  ls_attack_scratch *scratch; /* [threads] */
  size_t threads;
};

/* What was given instead of `auto`. */
static double given_or(const ls_real_or_word *value, double otherwise)
{
  return value->word < 0 ? value->real : otherwise;
}

ls_status ls_adversary_new(ls_adversary **out, const ls_spec_train *train, const ls_network *network,
                           uint64_t seed, size_t threads)
{
  const ls_spec_adversarial *spec = &train->adversarial;
  *out = NULL;
  if (!spec->method.schema) return LS_OK;
  const ls_attack_kind *kind = ls_attack_find(spec->method.schema->name);
  ls_adversary *adversary;
  LS_PASS(ls_alloc(&adversary, 1, sizeof *adversary, "adversarial training"));
  *adversary = (ls_adversary){.attack = {.kind = kind,
                                         .epsilon = spec->epsilon,
                                         .step_size = given_or(&spec->step_size, 0.0),
                                         .steps = spec->steps,
                                         .seed = seed},
                              .alpha = given_or(&spec->alpha, kind->alpha),
                              .warmup_epochs = spec->warmup_epochs,
                              .network = network,
                              .threads = threads};
  const ls_status status =
      ls_attack_scratch_new(&adversary->scratch, network->model, train->microbatch, 1, threads);
  if (status == LS_OK)
    *out = adversary;
  else
    ls_adversary_free(adversary);
  return status;
}

void ls_adversary_free(ls_adversary *adversary)
{
  if (!adversary) return;
  ls_attack_scratch_free(adversary->scratch, adversary->threads);
  free(adversary);
}

double ls_adversary_alpha(const ls_adversary *adversary)
{
  return adversary ? adversary->alpha : 1.0;
}

/* During the warm-up, so many parts of the whole in equal parts: the first epoch has one. */
static ls_attack attack_of(const ls_adversary *adversary, uint64_t epoch)
{
  ls_attack attack = adversary->attack;
  if (epoch >= adversary->warmup_epochs) return attack;
  const double share = (double)(epoch + 1) / (double)(adversary->warmup_epochs + 1);
  attack.epsilon *= share;
  attack.step_size *= share;
  return attack;
}

void ls_adversary_attack(const ls_adversary *adversary, size_t part, ls_workspace *workspace,
                         const ls_microbatch *microbatch, const ls_pass *pass)
{
  const ls_attack attack = attack_of(adversary, pass->epoch);
  const ls_attack_member alone = {.network = adversary->network, .workspace = workspace};
  const ls_attack_task task = {.attack = &attack,
                               .members = &alone,
                               .member_count = 1,
                               .scratch = &adversary->scratch[part],
                               .microbatch = microbatch,
                               .labels = microbatch->labels,
                               .round = pass->epoch,
                               .profile = pass->profile};
  ls_attack_run(&task);
}
