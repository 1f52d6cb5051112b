/* SPDX-License-Identifier: BSD-3-Clause */
/* The public C API (include/lockstep/lockstep.h) over checkpoints and forward passes; no MPI in it. */
#include "lockstep/lockstep.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/size.h"
#include "data/loader.h"
#include "eval/forward.h"
#include "eval/loaded.h"
#include "eval/loading.h"
#include "nn/loss.h"
#include "train/schemas.h"

struct lockstep_model {
  ls_loaded loaded;
  ls_members members; /* the network, for one thread */
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
  const ls_network *network = &model->loaded.network;
  return ls_members_init(&model->members, &network, 1, 1, model->loaded.spec->train.microbatch);
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
  ls_members_fini(&model->members);
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
  const ls_loss_kind *loss = model->loaded.network.loss.kind;
  const size_t pixels = ls_shape_count(ls_model_input(model->loaded.model));
  const size_t classes = ls_members_classes(&model->members), step = model->members.microbatch;
  for (size_t first = 0; first < count; first += step) {
    ls_microbatch microbatch = {.images = images + first * pixels, .n = ls_size_min(step, count - first)};
    loss->outputs(ls_members_logits(&model->members, 0, &microbatch), microbatch.n, classes,
                  probabilities + first * classes);
  }
}
