/* SPDX-License-Identifier: BSD-3-Clause */
/* Optimizers: one file per kind behind one table, listed in kinds.h. Updates work element by
 * element on the model's vectors, so the result does not depend on how the work is dealt to threads. */
#ifndef LS_OPTIM_OPTIMIZER_H
#define LS_OPTIM_OPTIMIZER_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "config/keys.h"
#include "nn/model.h"

enum { LS_OPTIMIZER_MAX_SLOTS = 4 };

/** What every optimizer takes: the first member of each kind's options. What a kind has no key for is 0. */
typedef struct ls_optimizer_common {
  double lr;
  double weight_decay;
  bool decay_bias_and_norm; /* apply it to biases and normalization parameters too */
} ls_optimizer_common;

/** L2 norms of a tensor, as they were summed in an order that does not depend on threads. */
typedef struct ls_tensor_norms {
  double params;
  double direction; /* of what ls_optimizer_direction() gives */
} ls_tensor_norms;

/** One update of a run of consecutive elements that share the weight decay. */
typedef struct ls_update {
  double lr;                    /* learning rate of this step */
  double weight_decay;          /* 0 where decay does not apply */
  double grad_scale;            /* factor on the gradient: clipping */
  uint64_t step;                /* this optimizer step, from 1 */
  const ls_tensor_norms *norms; /* [tensors of the model] for kinds that use them */
  ls_tensor_norms tensor;       /* those of the elements' tensor; 0 where decay does not apply */
} ls_update;

/** A state vector, of as many values as there are parameters. */
typedef struct ls_optimizer_slot {
  const char *name; /* in checkpoints; as in PyTorch */
  bool is_squares;  /* means or sums of squares, which are never negative */
} ls_optimizer_slot;

typedef struct ls_optimizer_kind {
  ls_schema schema;
  ls_optimizer_slot slots[LS_OPTIMIZER_MAX_SLOTS]; /* those after the last have no name */
  bool uses_norms;                                 /* of the tensors */
  /* Turn the gradient in `values` into what the elements will be moved against, but for a factor of the whole
   * tensor: what its norm is of. Changes no state. Optional: it is the gradient. */
  void (*direction)(const void *options, const ls_update *update, const float *params, float *const *slots,
                    float *values, size_t count);
  /* Update `count` elements in place; slots[i] is the state called slots[i] above, the same elements. */
  void (*update)(const void *options, const ls_update *update, float *params, const float *grads,
                 float *const *slots, size_t count);
} ls_optimizer_kind;

/* Rows that optimizers share, for options that begin with an ls_optimizer_common; and one of a number that is
 * a kind's own. */
#define LS_OPTIMIZER_REAL(options, member, text, ...)                                                        \
  {                                                                                                          \
    .path = #member, .type = LS_KEY_REAL, .offset = offsetof(options, member), .preset = text, .unit = "",   \
    __VA_ARGS__                                                                                              \
  }
#define LS_OPTIMIZER_LR_KEY(text)                                                                            \
  LS_OPTIMIZER_REAL(ls_optimizer_common, lr, text, .min_open = true, .max = INFINITY, .doc = "Learning rate.")
#define LS_OPTIMIZER_L2_KEY                                                                                  \
  LS_OPTIMIZER_REAL(ls_optimizer_common, weight_decay, "0", .max = INFINITY,                                 \
                    .doc = "L2 penalty: this times the weight is added to the gradient.")
#define LS_OPTIMIZER_DECOUPLED_KEY(text)                                                                     \
  LS_OPTIMIZER_REAL(ls_optimizer_common, weight_decay, text, .max = INFINITY,                                \
                    .doc = "Decoupled decay: each step shrinks a weight by this times the learning rate.")
#define LS_OPTIMIZER_MOMENTUM_KEY(options, text)                                                             \
  LS_OPTIMIZER_REAL(options, momentum, text, .max = 1, .max_open = true,                                     \
                    .doc = "Share of the last update that is kept; 0 for none.")
#define LS_OPTIMIZER_EPSILON_KEY(options, text)                                                              \
  LS_OPTIMIZER_REAL(options, epsilon, text, .min_open = true, .max = INFINITY,                               \
                    .doc = "Added to the divisor, which keeps it from 0.")
#define LS_OPTIMIZER_BETA_KEYS(options, text1, text2)                                                        \
  LS_OPTIMIZER_REAL(options, beta1, text1, .max = 1, .max_open = true,                                       \
                    .doc = "Decay of the running mean of the gradient."),                                    \
      LS_OPTIMIZER_REAL(options, beta2, text2, .max = 1, .max_open = true,                                   \
                        .doc = "Decay of the running mean of the squared gradient.")
#define LS_OPTIMIZER_DECAY_ALL_KEY                                                                           \
  {                                                                                                          \
    .path = "decay_bias_and_norm", .type = LS_KEY_BOOL,                                                      \
    .offset = offsetof(ls_optimizer_common, decay_bias_and_norm), .preset = "false", .unit = "",             \
    .doc = "Apply weight decay to biases and normalization parameters too."                                  \
  }

extern const ls_optimizer_kind *const ls_optimizer_kinds[]; /* NULL-terminated */
extern const ls_schema *const ls_optimizer_schemas[];       /* the same order, NULL-terminated */

/** The kind that a configuration chose. */
const ls_optimizer_kind *ls_optimizer_find(const ls_kind_spec *spec);

size_t ls_optimizer_slot_count(const ls_optimizer_kind *kind);

/** The configured learning rate. */
double ls_optimizer_lr(const ls_kind_spec *spec);

/** An optimizer, and what it changes; all borrowed. */
typedef struct ls_optimizer {
  const ls_kind_spec *spec;
  const ls_model *model;
  float *params;       /* [params] */
  float *const *slots; /* the state vectors, [params] each */
} ls_optimizer;

/** Turn the mean gradient of the global batch, of `count` parameters from `first` on that are all of one
 * tensor of the model, into what they will be moved against, but for a factor of the whole tensor. Local.
 * Cannot fail.
 *
 * @param[in]     update  as for ls_optimizer_update(), but for the norms
 * @param[in,out] values  [count]
 */
void ls_optimizer_direction(const ls_optimizer *optimizer, const ls_update *update, size_t tensor,
                            size_t first, float *values, size_t count);

/** Update `count` parameters from `first` on. Local. Cannot fail; threads may carry a range each.
 *
 * @param[in] update  lr, grad_scale, step, norms; weight_decay and tensor are filled in per tensor
 * @param[in] grads   [count], the mean gradient of the global batch
 */
void ls_optimizer_update(const ls_optimizer *optimizer, const ls_update *update, const float *grads,
                         size_t first, size_t count);

#endif
