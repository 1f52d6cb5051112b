/* SPDX-License-Identifier: BSD-3-Clause */
/* Optimizers: one file per kind behind one table, listed in kinds.h. Updates work element by
 * element on the model's vectors, so the result does not depend on how the work is dealt to threads. */
#ifndef LS_OPTIM_OPTIMIZER_H
#define LS_OPTIM_OPTIMIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "config/keys.h"
#include "nn/model.h"

enum { LS_OPTIMIZER_MAX_SLOTS = 4 };

/** L2 norms of a tensor, as they were summed in an order that does not depend on threads. */
typedef struct ls_tensor_norms {
  double params, grads;
} ls_tensor_norms;

/** One update of a run of consecutive elements that share the weight decay. */
typedef struct ls_update {
  double lr;                    /* learning rate of this step */
  double weight_decay;          /* 0 where decay does not apply */
  double grad_scale;            /* factor on the gradient: clipping */
  uint64_t step;                /* this optimizer step, from 1 */
  const ls_tensor_norms *norms; /* [tensors of the model] for kinds that use them */
  ls_tensor_norms tensor;       /* those of the elements' tensor, scaled; 0 where decay does not apply */
} ls_update;

/** A state vector, of as many values as there are parameters. */
typedef struct ls_optimizer_slot {
  const char *name; /* in checkpoints; as in PyTorch */
  bool is_squares;  /* means of squares, which are never negative */
} ls_optimizer_slot;

typedef struct ls_optimizer_kind {
  ls_schema schema;
  ls_optimizer_slot slots[LS_OPTIMIZER_MAX_SLOTS]; /* those after the last have no name */
  double (*lr)(const void *options);               /* the configured learning rate */
  double (*weight_decay)(const void *options);
  bool (*decay_all)(const void *options); /* decay biases and normalization parameters too */
  bool uses_norms;                        /* of the tensors */
  /* Update `count` elements in place; slots[i] is the state called slots[i] above, the same elements. */
  void (*update)(const void *options, const ls_update *update, float *params, const float *grads,
                 float *const *slots, size_t count);
} ls_optimizer_kind;

extern const ls_optimizer_kind *const ls_optimizer_kinds[]; /* NULL-terminated */
extern const ls_schema *const ls_optimizer_schemas[];       /* the same order, NULL-terminated */

/** The kind that a configuration chose. */
const ls_optimizer_kind *ls_optimizer_find(const ls_kind_spec *spec);

size_t ls_optimizer_slot_count(const ls_optimizer_kind *kind);

/** What an optimizer changes. */
typedef struct ls_optimizer_vectors {
  const ls_model *model; /* borrowed */
  float *params;         /* [params] */
  float *const *slots;   /* the state vectors, [params] each */
} ls_optimizer_vectors;

/** Update `count` parameters from `first` on. Local. Cannot fail; threads may carry a range each.
 *
 * @param[in] update  lr, grad_scale, step, norms; weight_decay and tensor are filled in per tensor
 * @param[in] grads   [count], the mean gradient of the global batch
 */
void ls_optimizer_update(const ls_kind_spec *spec, const ls_update *update,
                         const ls_optimizer_vectors *vectors, const float *grads, size_t first, size_t count);

#endif
