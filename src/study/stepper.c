/* SPDX-License-Identifier: BSD-3-Clause */
#include "study/stepper.h"

#include <stdlib.h>

#include "data/normalize.h"
#include "base/memory.h"
#include "comm/team.h"

struct ls_stepper {
  ls_stepper_options options;
  ls_spec_train train[LS_ALLREDUCE_COUNT]; /* the configuration's, with the batch that is asked for */
  ls_engine *engines[LS_ALLREDUCE_COUNT];
  ls_allreduce way; /* of the next step */
  ls_network network;
  ls_loader *loader;
  size_t epoch, epoch_step; /* of the next step */
  uint64_t steps;           /* taken */
};

static ls_status open_epoch(ls_stepper *self)
{
  self->epoch_step = 0;
  return ls_loader_epoch(self->loader, self->epoch, false);
}

ls_status ls_stepper_reduce_by(ls_stepper *stepper, ls_allreduce way)
{
  const ls_stepper_options *options = &stepper->options;
  ls_spec_train *train = &stepper->train[way];
  if (stepper->engines[way]) {
    stepper->way = way;
    return LS_OK;
  }
  *train = options->spec->train;
  train->batch = options->batch;
  train->allreduce = (int)way;
  const ls_engine_options engine = {.comm = options->comm,
                                    .network = &stepper->network,
                                    .train = train,
                                    .augment = &options->spec->data.augment,
                                    .seed = options->spec->seed,
                                    .threads = options->threads};
  LS_PASS(ls_engine_new(&stepper->engines[way], &engine));
  stepper->way = way;
  return LS_OK;
}

static ls_status build(ls_stepper *self)
{
  const ls_stepper_options *options = &self->options;
  const ls_spec *spec = options->spec;
  const ls_normalization unknown = {.channels = 0};
  const ls_loader_options loader = {.data = &spec->data,
                                    .seed = spec->seed,
                                    .batch = options->batch,
                                    .microbatch = spec->train.microbatch,
                                    .evens_out = ls_model_needs_samples(options->model) != NULL,
                                    .threads = options->threads};
  LS_AGREE(options->comm, ls_network_init(&self->network, options->model, &unknown));
  ls_team_clear(options->threads, self->network.params, ls_model_count(options->model)->params);
  self->network.loss = ls_loss_of(&spec->train.loss);
  LS_PASS(ls_stepper_reduce_by(self, (ls_allreduce)spec->train.allreduce));
  LS_PASS(ls_loader_new(&self->loader, options->comm, options->source, &loader));
  LS_PASS(ls_normalization_find(&self->network.normalization, options->comm, self->loader, &spec->data,
                                ls_model_input(options->model).c));
  ls_model_init(options->model, spec->seed, self->network.params, self->network.buffers);
  ls_engine_pack(self->engines[self->way], &self->network);
  return open_epoch(self);
}

ls_status ls_stepper_new(ls_stepper **out, const ls_stepper_options *options)
{
  ls_stepper *self = NULL;
  LS_AGREE(options->comm, ls_alloc(&self, 1, sizeof *self, "training steps to measure"));
  self->options = *options;
  const ls_status status = build(self);
  if (status != LS_OK) {
    if (status != LS_E_COMM) ls_stepper_free(self);
    return status;
  }
  *out = self;
  return LS_OK;
}

void ls_stepper_free(ls_stepper *stepper)
{
  if (!stepper) return;
  ls_loader_free(stepper->loader);
  for (size_t way = 0; way < LS_ALLREDUCE_COUNT; way++) ls_engine_free(stepper->engines[way]);
  ls_network_fini(&stepper->network);
  free(stepper);
}

size_t ls_stepper_train_count(const ls_stepper *stepper)
{
  return ls_loader_train_count(stepper->loader);
}

ls_status ls_stepper_take(ls_stepper *stepper, ls_step_profile *profile, ls_step_result *result)
{
  const ls_step step = {.loader = stepper->loader,
                        .epoch = stepper->epoch,
                        .epoch_step = stepper->epoch_step,
                        .optimizer_step = ++stepper->steps,
                        .profile = profile};
  LS_PASS(ls_loader_advance(stepper->loader));
  LS_PASS(ls_engine_step(stepper->engines[stepper->way], &step, result));
  if (++stepper->epoch_step < ls_loader_steps(stepper->loader)) return LS_OK;
  stepper->epoch++;
  return open_epoch(stepper);
}
