/* SPDX-License-Identifier: BSD-3-Clause */
/* A model's vectors and the workspaces of the threads that carry micro-batches through it. */
#include "nn/network.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

ls_status ls_network_init(ls_network *network, const ls_model *model, const ls_normalization *normalization)
{
  const ls_model_counts *counts = ls_model_count(model);
  *network = (ls_network){.model = model, .normalization = *normalization};
  ls_status status;
  LS_GO(ls_alloc_untouched(&network->params, counts->params, sizeof(float), "the parameters"));
  LS_GO(ls_alloc(&network->buffers, counts->buffers, sizeof(float), "the running statistics"));
  LS_GO(ls_alloc_untouched(&network->packed, counts->packed, sizeof(float), "the packed parameters"));
done:
  if (status != LS_OK) ls_network_fini(network);
  return status;
}

void ls_network_fini(ls_network *network)
{
  free(network->params);
  free(network->buffers);
  free(network->packed);
  *network = (ls_network){0};
}

void ls_network_pack(const ls_network *network, size_t part, size_t parts)
{
  ls_model_pack(network->model, network->params, network->packed, part, parts);
}

ls_pass ls_network_pass(const ls_network *network, size_t n, const uint64_t *samples)
{
  return (ls_pass){.n = n,
                   .params = network->params,
                   .packed = network->packed,
                   .buffers = network->buffers,
                   .samples = samples};
}

void ls_network_show(const ls_network *network, const uint8_t *images, const float *features, size_t n,
                     ls_workspace *workspace)
{
  const ls_model *model = network->model;
  const ls_shape in = ls_model_input(model);
  if (features)
    memcpy(ls_workspace_features(model, workspace), features, n * ls_model_features(model) * sizeof(float));
  else
    ls_normalization_apply(&network->normalization, images, n, in.h * in.w, ls_workspace_input(workspace));
}

ls_status ls_workspaces_new(ls_workspace ***out, const ls_model *model, size_t threads)
{
  ls_workspace **workspaces;
  LS_PASS(ls_alloc(&workspaces, threads, sizeof *workspaces, "the workspaces"));
  ls_status status = LS_OK;
  for (size_t i = 0; i < threads && status == LS_OK; i++) status = ls_workspace_new(&workspaces[i], model);
  if (status != LS_OK) {
    ls_workspaces_free(workspaces, threads);
    return ls_wrap(status, "workspaces of %zu threads", threads);
  }
  *out = workspaces;
  return LS_OK;
}

void ls_workspaces_free(ls_workspace **workspaces, size_t threads)
{
  if (!workspaces) return;
  for (size_t i = 0; i < threads; i++) ls_workspace_free(workspaces[i]);
  free(workspaces);
}
