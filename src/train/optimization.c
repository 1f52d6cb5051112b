/* SPDX-License-Identifier: BSD-3-Clause */
/* The team passes over the gradient up to three times: for its norm if it may be clipped, for the tensors'
 * norms if the optimizer uses them, and for the update. */
#include "train/optimization.h"

#include <stdlib.h>

#include "base/memory.h"
#include "comm/team.h"

ls_status ls_optimization_init(ls_optimization *self)
{
  const ls_model *model = self->network->model;
  const size_t params = ls_model_count(model)->params;
  LS_PASS(ls_gradient_new(&self->gradient, model));
  self->slot_count = ls_optimizer_slot_count(ls_optimizer_find(&self->train->optimizer));
  for (size_t i = 0; i < self->slot_count; i++) {
    LS_PASS(ls_alloc_untouched(&self->slots[i], params, sizeof(float), "the optimizer's state"));
    ls_team_clear(self->threads, self->slots[i], params);
  }
  return LS_OK;
}

void ls_optimization_fini(ls_optimization *self)
{
  ls_gradient_free(self->gradient);
  for (size_t i = 0; i < self->slot_count; i++) free(self->slots[i]);
}

/* What the threads share. */
typedef struct update_job {
  ls_optimization *self;
  const float *reduced;
  ls_optimizer optimizer;
  ls_update update;
} update_job;

static void measure_part(void *user, size_t part)
{
  const update_job *job = user;
  ls_gradient_measure(job->self->gradient, job->reduced, part, job->self->threads);
}

static void measure_tensors_part(void *user, size_t part)
{
  const update_job *job = user;
  const ls_optimization *self = job->self;
  ls_gradient_measure_tensors(self->gradient, job->reduced, &job->optimizer, &job->update, part,
                              self->threads);
}

static void apply_part(void *user, size_t part)
{
  const update_job *job = user;
  const ls_optimization *self = job->self;
  const ls_gradient_step step = {.reduced = job->reduced,
                                 .optimizer = &job->optimizer,
                                 .update = &job->update,
                                 .packed = self->network->packed};
  ls_gradient_apply(self->gradient, &step, part, self->threads);
}

/* The factor that brings the gradient's norm to train.clip_norm at most. */
static double find_grad_scale(update_job *job)
{
  const ls_optimization *self = job->self;
  const double clip = self->train->clip_norm;
  if (clip == 0.0) return 1.0;
  ls_team_run(self->threads, measure_part, job);
  const double norm = ls_gradient_norm(self->gradient);
  return norm > clip ? clip / norm : 1.0;
}

/* Norms of the tensors, for an optimizer that uses them. */
static const ls_tensor_norms *find_norms(update_job *job)
{
  const ls_optimization *self = job->self;
  if (!ls_optimizer_find(&self->train->optimizer)->uses_norms) return NULL;
  ls_team_run(self->threads, measure_tensors_part, job);
  return ls_gradient_norms(self->gradient);
}

void ls_optimization_step(ls_optimization *self, const float *reduced, double lr, uint64_t step)
{
  const ls_network *network = self->network;
  update_job job = {.self = self,
                    .reduced = reduced,
                    .optimizer = {&self->train->optimizer, network->model, network->params, self->slots},
                    .update = {.lr = lr, .step = step}};
  job.update.grad_scale = find_grad_scale(&job);
  job.update.norms = find_norms(&job);
  ls_team_run(self->threads, apply_part, &job);
  ls_model_update_buffers(network->model, reduced + ls_model_count(network->model)->grads, network->buffers);
}
