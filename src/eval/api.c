/* SPDX-License-Identifier: BSD-3-Clause */
/* The public C API (include/lockstep/lockstep.h) over checkpoints and forward passes; no MPI in it. */
#include "lockstep/lockstep.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/size.h"
#include "data/loader.h"
#include "eval/loaded.h"
#include "nn/probability.h"
#include "train/schemas.h"

struct lockstep_model {
  ls_loaded loaded;
  ls_workspace *workspace;
};

const char *lockstep_version(void)
{
  return LS_VERSION;
}

const char *lockstep_error(void)
{
  return ls_error_last()->text;
}

static ls_status open_model(const char *checkpoint, lockstep_model *model)
{
  LS_PASS(ls_loaded_read(&model->loaded, checkpoint, &ls_all_schemas));
  return ls_workspace_new(&model->workspace, model->loaded.model);
}

int lockstep_model_open(const char *checkpoint, lockstep_model **model)
{
  *model = NULL;
  lockstep_model *made;
  ls_status status = ls_alloc(&made, 1, sizeof *made, "a model");
  if (status != LS_OK) return ls_status_exit(status);
  status = open_model(checkpoint, made);
  if (status == LS_OK)
    *model = made;
  else
    lockstep_model_close(made);
  return ls_status_exit(status);
}

void lockstep_model_close(lockstep_model *model)
{
  if (!model) return;
  ls_workspace_free(model->workspace);
  ls_loaded_close(&model->loaded);
  free(model);
}

lockstep_model_info lockstep_model_describe(const lockstep_model *model)
{
  ls_shape in = ls_model_input(model->loaded.model);
  return (lockstep_model_info){.channels = in.c,
                               .height = in.h,
                               .width = in.w,
                               .classes = ls_model_classes(model->loaded.model),
                               .parameters = ls_model_count(model->loaded.model)->params};
}

void lockstep_model_predict(lockstep_model *model, const uint8_t *images, size_t count, float *probabilities)
{
  const ls_network *network = &model->loaded.network;
  ls_shape in = ls_model_input(network->model);
  size_t classes = ls_model_classes(network->model);
  size_t step = model->loaded.spec->train.microbatch;
  for (size_t first = 0; first < count; first += step) {
    ls_microbatch microbatch = {.images = images + first * ls_shape_count(in),
                                .n = ls_size_min(step, count - first)};
    ls_normalization_apply(&network->normalization, microbatch.images, microbatch.n, in.h * in.w,
                           ls_workspace_input(model->workspace));
    ls_pass pass = ls_network_pass(network, microbatch.n, microbatch.samples);
    const float *logits = ls_model_forward(network->model, &pass, model->workspace);
    ls_softmax(logits, microbatch.n, classes, probabilities + first * classes);
  }
}
