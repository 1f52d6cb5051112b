/* SPDX-License-Identifier: BSD-3-Clause */
/* A model with its weights, ready for forward passes: what training and evaluation share. */
#ifndef LS_NN_NETWORK_H
#define LS_NN_NETWORK_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "kernels/normalize.h"
#include "nn/loss.h"
#include "nn/model.h"

typedef struct ls_network {
  const ls_model *model;          /* borrowed */
  ls_normalization normalization; /* from pixels to the model's input */
  ls_loss loss;   /* that it is trained with; set by the caller that trains, evaluates or attacks it */
  float *params;  /* [params]; owned */
  float *buffers; /* [buffers]: running statistics; owned */
  float *packed;  /* [packed]: params as the kernels read them; owned */
} ls_network;

/** Allocate the vectors of a model, zeroed. Parameters and their packed form are left untouched
 * (ls_alloc_untouched()): threads that update them write first. Local. Errors: LS_E_MEMORY. */
ls_status ls_network_init(ls_network *network, const ls_model *model,
                          const ls_normalization *normalization) LS_CHECKED;
void ls_network_fini(ls_network *network);

/** Make the packed form of the parameters: a part of `parts`, as ls_model_pack(). Local. */
void ls_network_pack(const ls_network *network, size_t part, size_t parts);

/** A pass over n samples of these indices that reads this network's vectors and adds to none. */
ls_pass ls_network_pass(const ls_network *network, size_t n, const uint64_t *samples);

/** Put a micro-batch where a pass reads it: images [n, c, h, w], normalized, or features [n,
 * ls_model_features()] for a pass from_features; the other is NULL. */
void ls_network_show(const ls_network *network, const uint8_t *images, const float *features, size_t n,
                     ls_workspace *workspace);

/** One workspace per thread; freed with ls_workspaces_free(). Local. Errors: LS_E_MEMORY. */
ls_status ls_workspaces_new(ls_workspace ***out, const ls_model *model, size_t threads) LS_CHECKED;
void ls_workspaces_free(ls_workspace **workspaces, size_t threads);

#endif
