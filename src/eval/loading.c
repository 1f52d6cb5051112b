/* SPDX-License-Identifier: BSD-3-Clause */
/* Loads a checkpoint on every rank: rank 0 reads, the others get the bytes. */
#include "eval/loading.h"

#include <stdlib.h>

#include "config/config.h"
#include "eval/foreign.h"
#include "store/checkpoint_find.h"

/* Broadcast rank 0's info, and after it the texts that it points to. Collective. */
static ls_status share_info(ls_comm *comm, ls_checkpoint_info *info)
{
  ls_checkpoint_info sent = *info;
  LS_PASS(ls_comm_broadcast(comm, &sent, sizeof sent));
  bool named = sent.class_names != NULL;
  if (ls_comm_rank(comm) != 0) {
    *info = sent;
    info->config = NULL; /* rank 0's pointers mean nothing here */
    info->class_names = NULL;
  }
  LS_PASS(ls_comm_broadcast_text(comm, &info->config));
  return named ? ls_comm_broadcast_text(comm, &info->class_names) : LS_OK;
}

/* Model and empty vectors from the configuration in a checkpoint. Local. */
static ls_status build(ls_loaded *loaded, const char *path, const ls_schemas *schemas, bool input_gradient)
{
  const ls_checkpoint_info *info = &loaded->info;
  LS_TRY(ls_config_parse(&loaded->spec, info->config, path, NULL, 0, schemas), "the configuration in it");
  if (info->train_count > 0) ls_config_limit_batch(&loaded->spec->train, info->train_count);
  const ls_loss_kind *loss = ls_loss_of(&loaded->spec->train.loss).kind;
  if (loss->labels != info->labels)
    return ls_fail(LS_E_INPUT, "damaged: its labels are %s, which its loss %s does not take",
                   ls_label_nouns[info->labels], loss->schema.name);
  return ls_loaded_build(loaded, input_gradient);
}

/* Weights into the vectors: their moving average, if the checkpoint has one. Rank 0. */
static ls_status read_weights(ls_loaded *loaded)
{
  ls_network *network = &loaded->network;
  ls_state state = {.model = loaded->model,
                    .params = network->params,
                    .buffers = network->buffers,
                    .average = {network->params, network->buffers}};
  ls_status status = ls_checkpoint_advise(ls_checkpoint_read_weights(loaded->path, &state), loaded->path);
  if (status == LS_OK && ls_weights_check(loaded->model, network->params, network->buffers) != LS_OK)
    status = ls_wrap(LS_E_INPUT, "its weights make no network");
  return status;
}

static ls_status read_info(ls_loaded *loaded)
{
  return ls_checkpoint_advise(ls_checkpoint_read_info(loaded->path, &loaded->info), loaded->path);
}

static ls_status open_checkpoint(ls_loaded *out, ls_comm *comm, const char *path, const ls_schemas *schemas,
                                 bool input_gradient)
{
  LS_ROOT(comm, ls_checkpoint_find(path, &out->path, &out->notes));
  LS_PASS(ls_comm_broadcast_text(comm, &out->path));
  LS_ROOT(comm, read_info(out));
  LS_PASS(share_info(comm, &out->info));
  LS_AGREE(comm, build(out, out->path, schemas, input_gradient));
  LS_ROOT(comm, read_weights(out));
  const ls_model_counts *counts = ls_model_count(out->model);
  LS_PASS(ls_comm_broadcast(comm, out->network.params, counts->params * sizeof(float)));
  LS_PASS(ls_comm_broadcast(comm, out->network.buffers, counts->buffers * sizeof(float)));
  ls_model_pack(out->model, out->network.params, out->network.packed, 0, 1);
  return LS_OK;
}

/* Release what a failed opening has made, and say which network it was. */
static ls_status finish(ls_loaded *loaded, ls_status status, const char *noun, const char *path)
{
  if (status == LS_OK) return LS_OK;
  status = ls_wrap(status, "cannot load %s '%s'", noun, loaded->path ? loaded->path : path);
  ls_loaded_close(loaded);
  return status;
}

ls_status ls_loaded_open(ls_loaded *out, ls_comm *comm, const char *path, const ls_schemas *schemas,
                         bool input_gradient)
{
  char *config;
  *out = (ls_loaded){.spec = NULL};
  LS_PASS(ls_foreign_find_shared(&config, comm, path));
  if (!config)
    return finish(out, open_checkpoint(out, comm, path, schemas, input_gradient), "checkpoint", path);
  const ls_status status = ls_foreign_open(out, comm, path, config, schemas, input_gradient);
  free(config);
  return finish(out, status, "the network of", path);
}

static ls_status read_checkpoint(ls_loaded *out, const char *path, const ls_schemas *schemas)
{
  LS_PASS(ls_checkpoint_find(path, &out->path, &out->notes));
  LS_PASS(read_info(out));
  LS_PASS(build(out, out->path, schemas, false));
  LS_PASS(read_weights(out));
  ls_model_pack(out->model, out->network.params, out->network.packed, 0, 1);
  return LS_OK;
}

ls_status ls_loaded_read(ls_loaded *out, const char *path, const ls_schemas *schemas)
{
  char *config;
  *out = (ls_loaded){.spec = NULL};
  LS_PASS(ls_foreign_find(path, &config));
  if (!config) return finish(out, read_checkpoint(out, path, schemas), "checkpoint", path);
  const ls_status status = ls_foreign_open(out, NULL, path, config, schemas, false);
  free(config);
  return finish(out, status, "the network of", path);
}
